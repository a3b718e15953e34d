"""What watches the messages: the seam between the transport, which calls it, and telemetry, which implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.flow import Flow, Peer, Subject
from mcpp.ocppj.frames import Call, CallError, CallResult, CallResultError, FrameError


class ConformanceObserver(Protocol):
    """Told of what breaks the contract, at the moment when it's counted; must not block and must not raise.

    A correct message never leads here.
    """

    def tolerated(self, flow: Flow) -> None:
        """A flow is over in which something was tolerated: its deviations."""
        ...

    def refused(self, flow: Flow, code: str, description: str) -> None:
        """A CALL, or a frame that is none, got this CALLERROR; an empty code where it could not be answered."""
        ...

    def connection(self, outcome: str, charge_point_id: str) -> None:
        """A connection began, was refused or ended."""
        ...


class MessageObserver(Protocol):
    """Called once per exchange, stray frame and connection event, on the event loop; must not block and must not raise.

    `size` is the frame's text in bytes.
    """

    @property
    def begin(self) -> Callable[[Flow], None] | None:
        """Called with the flow of an incoming CALL before that is handled; None where nothing is decided then."""
        ...

    def exchanged(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        """An incoming CALL is answered, and the answer, of this size, is on its way: ends its flow."""
        ...

    def taken(self, flow: Flow) -> None:
        """An incoming SEND is handled, which is never answered: ends its flow."""
        ...

    def unanswered(self, flow: Flow, error: BaseException) -> None:
        """An incoming CALL gets no answer, since what it reports could not be stored, or its connection ended.

        Ends its flow.
        """
        ...

    def handler_failed(self, flow: Flow, error: BaseException) -> None:
        """A handler raised what no handler should; its CALL is answered with InternalError."""
        ...

    def call_queued(self, peer: Peer, call: Call, about: Subject) -> Flow:
        """A CALL of ours was handed to the queue: begins its flow, as part of what causes it."""
        ...

    def call_withdrawn(self, flow: Flow) -> None:
        """A CALL of ours was taken back before its turn: ends its flow."""
        ...

    def call_sent(self, flow: Flow, size: int) -> None:
        """A CALL of ours goes out (not: waits in the queue)."""
        ...

    def answer_received(self, flow: Flow, answer: CallResult | CallError, size: int) -> None:
        """The answer to a CALL of ours came in: ends its flow."""
        ...

    def call_expired(self, flow: Flow, error: Exception) -> None:
        """A CALL of ours ended without an answer: CallTimeout, InvalidAnswer for a broken frame, or ConnectionLost.

        The latter may come before its turn.
        """
        ...

    def stray_answer(self, peer: Peer, answer: CallResult | CallError, size: int, *, late: bool) -> None:
        """An answer that nobody waits for: late (its CALL had timed out) or unknown."""
        ...

    def frame_refused(self, peer: Peer, error: FrameError, size: int) -> None:
        """A frame came in that isn't OCPP-J; answered where a UniqueId could be read."""
        ...

    def refusal_sent(self, peer: Peer, answer: CallError | CallResultError, size: int) -> None:
        """The CALLERROR for a refused frame goes out, or the CALLRESULTERROR for a CALLRESULT."""
        ...

    def result_refused(self, peer: Peer, error: CallResultError, size: int) -> None:
        """The other side hasn't understood a CALLRESULT of ours."""
        ...

    def connection(
        self, outcome: ConnectionOutcome, *, identity: str = "", remote: str = "", detail: str = "", path: str = ""
    ) -> None:
        """A connection began, was refused, or ended. `path` is what it came by, as people get to see it."""
        ...
