"""What a version calls what must be recognised in the log, where often no more than the names of messages is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names of actions by what their messages are for, and an answer's word."""

    heartbeat: str
    """The charge point says that it is alive."""
    meter_values: str
    """The charge point reports what its meter shows."""
    authorize: str
    """The charge point asks whether an id tag may charge."""
    remote_stop: str
    """The charge point is told to end a transaction."""
    rejected: str
    """Status of an answer: the charge point won't."""
