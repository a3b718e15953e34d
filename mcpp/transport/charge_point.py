"""A connected charge point: its session, its dialect and the observer over one connection.

Its CALLs are handled in order, one at a time; those that wait for their turn are bounded, in number and in bytes.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable
from functools import partial
from typing import Final

from websockets.frames import CloseCode

from mcpp.csms.dialect import Dialect
from mcpp.csms.frames import FrameRing
from mcpp.csms.observer import MessageObserver
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.ocppj.errors import CONNECTION_ENDED, CallFault, ConnectionLost, ErrorCode, InvalidAnswer, Unanswerable
from mcpp.ocppj.flow import Deviation, Direction, Flow, Peer, Step, current_flow, new_correlation_id
from mcpp.ocppj.frames import (
    LONGEST_DESCRIPTION,
    LONGEST_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    MessageType,
    Send,
    encode,
    kept,
)
from mcpp.ocppj.session import Answered, MalformedFrame, Stray
from mcpp.phrases import Phrase
from mcpp.storage.pending import Pending
from mcpp.transport.command import Finished
from mcpp.transport.commanded import CommandedChargePoint, Link
from mcpp.transport.limits import Limits
from mcpp.transport.reading import Hold

_WAITING_BYTES: Final = 1024
"""What a CALL that waits takes beside its frame."""

_LONG: Final = 16 * 1024
"""Bytes of a frame; handling a shorter one takes a few milliseconds at most, whatever is in it."""
_REST: Final = 20
"""Times what handling a long one took: four charge points that send nothing else take a fifth of the event loop."""
_LONGEST_REST: Final = 3.0
"""Seconds; the one that waits may wait ten times as long, as chargers' own time limits are."""


class LiveChargePoint(CommandedChargePoint):
    """One charge point while it is connected."""

    __slots__ = (
        "_busy",
        "_drained",
        "_rest_until",
        "_resting",
        "_waiting",
        "_waiting_bytes",
        "connected_since",
        "epoch",
        "security_profile",
    )

    def __init__(
        self,
        peer: Peer,
        dialect: Dialect,
        observer: MessageObserver,
        link: Link,
        limits: Limits,
        finished: Finished,
        frames: FrameRing,
        epoch: int = 0,
        security_profile: SecurityProfile = SecurityProfile.NONE,
    ) -> None:
        super().__init__(peer, dialect, observer, link, limits, finished, frames)
        self.security_profile = security_profile
        """That this connection uses."""
        self.epoch = epoch
        """The number of this connection among the charge point's."""
        self.connected_since = time.monotonic()
        """By the monotonic clock, since it's asked for how long."""
        self._waiting: deque[tuple[Flow, Call | Send]] = deque()
        self._waiting_bytes = 0
        self._busy = False
        """Whether a CALL of its is handled now, or it rests after a long one; later ones wait for their turn."""
        self._rest_until = 0.0
        """In the event loop's time; 0 where it needs none."""
        self._resting: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None

    @property
    def remote(self) -> str:
        """IP address it connects from."""
        return self._link.remote

    @property
    def path(self) -> str:
        """That it came by, as people get to see it."""
        return self._link.path

    @property
    def waiting_calls(self) -> int:
        """How many of its own CALLs wait for their turn."""
        return len(self._waiting)

    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None:
        """Close the connection; what still waits on either side ends with ConnectionLost."""
        self._link.close(code, reason, outcome)

    def drain(self) -> asyncio.Future[None]:
        """Take no new CALLs; the future is done once those at hand are handled and answered."""
        if self._drained is None:
            self._drained = self._loop.create_future()
            if self._resting is not None:
                self._resting.cancel()
                self._handle_next()
        self._note_idle()
        return self._drained

    def cancel_work(self) -> None:
        """Cancel what is still under way; what a handler has submitted to the database is stored all the same."""
        for task in self._tasks:
            task.cancel()

    # What the connection calls.

    def message_received(self, message: bytes, *, binary: bool) -> None:
        """One frame came in. Binary ones are taken for text: their meaning is clear, so they're only counted."""
        self._frames.add(message, is_out=False)
        event = self._session.receive(message, ("binary_frame",) if binary else ())
        if isinstance(event, Call):
            self._call_received(event, len(message))
        elif isinstance(event, Answered):
            self._answer_received(event, len(message))
        elif isinstance(event, Stray):
            self._observer.stray_answer(self.peer, event.answer, len(message), late=event.late)
            self._late_answer_received(event.answer)
        elif isinstance(event, Send):
            self._call_received(event, len(message))
        elif isinstance(event, CallResultError):
            self._observer.result_refused(self.peer, event, len(message))
        else:
            self._frame_refused(event, len(message))

    def connection_ended(self) -> None:
        """Nothing can be sent or received any more. A running handler finishes, since its record counts."""
        lost = ConnectionLost(CONNECTION_ENDED)
        while self._waiting:
            self._observer.unanswered(self._waiting.popleft()[0], lost)
        self._late.clear()
        for call in self._session.close():
            self._command_failed(call, lost)

    # Incoming CALLs and SENDs.

    def _call_received(self, call: Call | Send, size: int) -> None:
        flow = Flow(
            self.peer,
            Direction.IN,
            kept(call.action),
            kept(call.message_id),
            new_correlation_id(),
            time.perf_counter(),
            size,
            call.payload,
        )
        if isinstance(call, Send):
            flow.is_send = True
        if call.deviations:
            flow.deviations += [Deviation(rule, "") for rule in call.deviations]
        if len(call.message_id) > LONGEST_ID or len(call.action) > LONGEST_ID:
            flow.deviations.append(Deviation("text_cut", ""))
        if self._observer.begin is not None:
            self._observer.begin(flow)
        if self._drained is not None:
            self._observer.unanswered(flow, ConnectionLost(Phrase("the central system is shutting down")))
        elif not self._busy:
            self._handle(flow, call)
        else:
            self._wait(flow, call)

    def _wait(self, flow: Flow, call: Call | Send) -> None:
        """Have a CALL wait for those before it."""
        self._waiting.append((flow, call))
        self._waiting_bytes += flow.size_bytes + _WAITING_BYTES
        limits = self._limits
        if len(self._waiting) >= limits.incoming_call_limit or self._waiting_bytes >= limits.incoming_call_bytes:
            self._link.hold_reading(Hold.CALLS_WAIT)
        self._link.note_waiting(self._waiting_bytes)

    def _next_waiting(self) -> tuple[Flow, Call | Send]:
        """The one that has waited for the longest."""
        flow, call = self._waiting.popleft()
        flow.steps.append(Step("wait_in_line", flow.started, time.perf_counter() - flow.started))
        self._waiting_bytes -= flow.size_bytes + _WAITING_BYTES
        limits = self._limits
        if (
            len(self._waiting) <= limits.incoming_call_limit // 2
            and self._waiting_bytes <= limits.incoming_call_bytes // 2
        ):
            self._link.release_reading(Hold.CALLS_WAIT)
        self._link.note_waiting(self._waiting_bytes)
        return flow, call

    def _handle(self, flow: Flow, call: Call | Send) -> None:
        """Handle a CALL as far as nothing waits; after a long one it rests, since its size isn't all that it costs."""
        if flow.size_bytes <= _LONG:
            self._begin(flow, call)
            return
        began = time.perf_counter()
        self._begin(flow, call)
        self._rest_until = self._loop.time() + min(_LONGEST_REST, _REST * (time.perf_counter() - began))
        if not self._busy:
            self._busy = True
            self._handle_next()

    def _begin(self, flow: Flow, call: Call | Send) -> None:
        """Answer a CALL now, after the commit, or by a task."""
        token = current_flow.set(flow)
        try:
            answer = self._dialect.handle(flow, call)
            if isinstance(answer, bytes):
                self._succeed(flow, call.message_id, answer)
                return
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its CALL must be answered
            self._fail(flow, call.message_id, error)
            return
        finally:
            current_flow.reset(token)
        self._busy = True
        if isinstance(answer, Pending):
            answer.when_committed(partial(self._committed, flow, call.message_id))
        else:
            self._run(self._await(flow, call.message_id, answer))

    def _committed(self, flow: Flow, message_id: str, pending: Pending[bytes]) -> None:
        """What the handler waited for is stored: the rest of it runs here, without a task."""
        token = current_flow.set(flow)
        try:
            self._succeed(flow, message_id, pending.result())
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(flow, message_id, error)
        finally:
            current_flow.reset(token)
        self._handle_next()

    async def _await(self, flow: Flow, message_id: str, answer: Awaitable[bytes]) -> None:
        current_flow.set(flow)
        try:
            payload = await answer
        except asyncio.CancelledError as error:
            self._observer.unanswered(flow, error)
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(flow, message_id, error)
        else:
            self._succeed(flow, message_id, payload)
        self._handle_next()

    def _handle_next(self) -> None:
        """Handle all that came in meanwhile, in its order, once it has rested."""
        if self._rest_until:
            self._resting = None
            if self._drained is None and self._rest_until > self._loop.time():
                self._resting = self._loop.call_at(self._rest_until, self._handle_next)
                return
            self._rest_until = 0.0
        self._busy = False
        while self._waiting and not self._busy:
            self._handle(*self._next_waiting())
        self._note_idle()

    def _note_idle(self) -> None:
        drained = self._drained
        if drained is not None and not self._busy and not self._tasks and not drained.done():
            drained.set_result(None)

    def _succeed(self, flow: Flow, message_id: str, payload: bytes) -> None:
        if flow.is_send:
            self._observer.taken(flow)
        else:
            self._answer(flow, CallResult(message_id, payload))
        # Its record is stored, so its events go out even if the connection has ended.
        # The flow lets go of it, since it holds the flow.
        after_answer, flow.after_answer = flow.after_answer, None
        if after_answer is not None:
            try:
                after_answer()
            except Exception as error:  # noqa: BLE001 - a subscriber's fault must not end the connection
                self._loop.call_exception_handler(
                    {"message": f"after_answer of {flow.action} failed", "exception": error}
                )
        self._call_next(flow)

    def _fail(self, flow: Flow, message_id: str, error: Exception) -> None:
        flow.after_answer = None  # nothing is published, and it holds the flow
        if isinstance(error, Unanswerable):
            self._observer.unanswered(flow, error)
            return
        if not isinstance(error, CallFault):
            self._observer.handler_failed(flow, error)
            error = CallFault(ErrorCode.INTERNAL_ERROR, "the central system failed to handle the message")
        if flow.is_send:
            self._observer.unanswered(flow, error)
            return
        details = json.dumps(error.details, default=str, separators=(",", ":")).encode()
        code = self._dialect.spell(error.code)
        self._answer(flow, CallError(message_id, code, error.description[:LONGEST_DESCRIPTION], details))

    def _answer(self, flow: Flow, answer: CallResult | CallError) -> None:
        text = encode(answer)
        if self._link.send(text):
            self._frames.add(text, is_out=True)
            self._observer.exchanged(flow, answer, len(text))
        else:
            self._observer.unanswered(flow, ConnectionLost(CONNECTION_ENDED))

    def _frame_refused(self, refused: MalformedFrame, size: int) -> None:
        error = refused.error
        self._observer.frame_refused(self.peer, error, size)
        if refused.call is not None:
            not_understood = InvalidAnswer(error.description, error.code)
            self._command_failed(refused.call, not_understood)
            if error.message_type == MessageType.CALL_RESULT:
                self._refuse_result(refused.call.message_id, not_understood)
            self._send_call()
        if refused.answer_id is not None:
            description = error.description[:LONGEST_DESCRIPTION]
            self._send_refusal(CallError(refused.answer_id, self._dialect.spell(error.code), description))
