"""One flow: an incoming CALL with all it causes, or a command with its answer. Carried along, filled in as it goes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from random import getrandbits
from typing import NamedTuple


class Direction(StrEnum):
    """Seen from the central system."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Peer:
    """The charge point at the other end, by what stays the same over its connections."""

    key: int
    """Primary key in the database."""
    identity: str
    """The identity it connects with (OCPP-J 1.6 §3.1.1)."""


class Deviation(NamedTuple):
    """A departure from the contract that was tolerated: by which rule, and where in the payload."""

    rule: str
    location: str


def new_correlation_id() -> str:
    """32 lowercase hex digits in the form of an OpenTelemetry trace id, never all zero."""
    return f"{getrandbits(128) or 1:032x}"


@dataclass(slots=True)
class Flow:
    """What log lines, metrics and spans of one CALL share."""

    peer: Peer
    direction: Direction
    action: str
    message_id: str
    correlation_id: str
    started: float
    """`time.perf_counter()` at receipt, or when the CALL was handed to the queue."""
    deviations: list[Deviation] = field(default_factory=list)
    after_answer: Callable[[], None] | None = None
    """Set by a handler: runs once the answer is on its way; publishes events."""


current_flow: ContextVar[Flow | None] = ContextVar("current_flow", default=None)

current_cause: ContextVar[str | None] = ContextVar("current_cause", default=None)
"""The correlation id of what a plugin reacts to, where there is no flow any more: its commands belong to it."""


def caused_correlation_id() -> str:
    """The correlation id for what begins here: its cause's, or a new one."""
    return current_cause.get() or new_correlation_id()
