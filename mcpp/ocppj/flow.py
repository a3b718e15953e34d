"""One flow: an incoming CALL with all it causes, or a command with its answer. Carried along, filled in as it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from random import getrandbits
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

from mcpp.ocppj.actions import Action, Req, Res


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
    received: str = ""
    """What came, as JSON text, cut at a bound; not masked."""
    taken_as: str = ""
    """What was made of it, likewise; empty where it counts as absent."""


class Subject(NamedTuple):
    """What a CALL is about, as OCPP numbers it; None where it names none."""

    connector_id: int | None = None
    transaction_id: int | None = None
    evse_id: int | None = None
    """Of a version that knows EVSEs."""


class TimedStep(Protocol):
    """A part of a flow that took time."""

    @property
    def name(self) -> str: ...
    @property
    def began(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def facts(self) -> Mapping[str, int | float]: ...


class Step(NamedTuple):
    """A part of a flow whose time was taken."""

    name: str
    """Snake case, of a closed set: it becomes a span's name and a log field."""
    began: float
    """`time.perf_counter()`."""
    seconds: float
    facts: Mapping[str, int | float] = MappingProxyType({})


class TraceContext(NamedTuple):
    """What something is caused by: what begins there goes on in its trace."""

    correlation_id: str
    span_id: int | None = None
    """Of the span that it has: 0 where its trace isn't recorded, None where nobody has asked yet whether it is."""
    session_correlation_id: str | None = None
    """Of the charging session that it belongs to."""


def new_correlation_id() -> str:
    """32 lowercase hex digits in the form of an OpenTelemetry trace id, never all zero."""
    return f"{getrandbits(128) or 1:032x}"


class Caller(Protocol):
    """A charge point that can be sent typed CALLs."""

    async def call(self, action: Action[Req, Res], request: Req) -> Res:
        """Send a CALL and wait for its response; raises CommandError."""
        ...


NextCall: TypeAlias = Callable[[Caller], Awaitable[object]]
"""Sends what follows from a flow to the same charge point, on the same connection."""


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
    size_bytes: int = 0
    """Of the CALL's frame."""
    payload: bytes = b""
    """The CALL's."""
    connector_id: int | None = None
    transaction_id: int | None = None
    evse_id: int | None = None
    """Of a version that knows EVSEs."""
    session_correlation_id: str | None = None
    """Of the charging session that the CALL belongs to, known once it's handled."""
    steps: list[TimedStep] = field(default_factory=list)
    """Where its time went; whoever takes part adds to it."""
    deviations: list[Deviation] = field(default_factory=list)
    after_answer: Callable[[], None] | None = None
    """Set by a handler: runs once the answer is on its way; publishes events."""
    next_calls: tuple[NextCall, ...] = ()
    """CALLs that this one leads to, once it is answered; see CallContext.call_next."""
    is_send: bool = False
    """Whether it's a SEND (OCPP-J 2.1), which is never answered."""
    span_id: int = 0
    """Of its span, 0 where none is recorded."""
    parent_span_id: int = 0

    @property
    def trace_context(self) -> TraceContext:
        """What it causes begins here."""
        return TraceContext(self.correlation_id, self.span_id, self.session_correlation_id)


current_flow: ContextVar[Flow | None] = ContextVar("current_flow", default=None)

current_trace_context: ContextVar[TraceContext | None] = ContextVar("current_trace_context", default=None)
"""An API request, or a plugin's work: nearer than the flow, where there is one at all."""


def active_trace_context() -> TraceContext | None:
    """What causes the things that happen here, None where they happen by themselves."""
    cause = current_trace_context.get()
    if cause is None:
        flow = current_flow.get()
        cause = None if flow is None else flow.trace_context
    return cause


def active_correlation_id() -> str:
    """The correlation id for what begins here: its cause's, or a new one."""
    cause = active_trace_context()
    return new_correlation_id() if cause is None else cause.correlation_id
