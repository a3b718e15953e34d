"""What a version calls the messages that must be recognised where no more than their names was kept: in the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names of actions by what their messages are for."""

    heartbeat: str
    """The charge point says that it is alive."""
    meter_values: str
    """The charge point reports what its meter shows."""
    authorize: str
    """The charge point asks whether an id tag may charge."""
    remote_stop: str
    """The charge point is told to end a transaction."""
