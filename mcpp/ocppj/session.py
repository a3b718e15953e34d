"""One side of an OCPP-J connection without I/O: which CALL may go out, which answer belongs to which CALL.

Role-free: the same session plays central system and charge point. Time is passed in, in seconds of any clock that
never goes back. The shell calls `call_to_send` whenever a CALL may have become sendable: after `submit`, `receive`
and `expire`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mcpp.ocppj.errors import CONNECTION_ENDED, ConnectionLost, ErrorCode, QueueFull
from mcpp.ocppj.frames import (
    FRAMING_16,
    Call,
    CallError,
    CallResult,
    CallResultError,
    FrameError,
    Framing,
    Send,
    parse,
)
from mcpp.phrases import Phrase


class Answered(NamedTuple):
    """The answer to our outstanding CALL came in; the next one may go out."""

    call: Call
    answer: CallResult | CallError


class Stray(NamedTuple):
    """An answer that nobody waits for: `late` when its CALL had timed out, else unknown."""

    answer: CallResult | CallError
    late: bool


class MalformedFrame(NamedTuple):
    """Text that isn't OCPP-J."""

    error: FrameError
    answer_id: str | None
    """The UniqueId of the CALLERROR that is owed; None where none is."""
    call: Call | None
    """Our outstanding CALL if the text was its answer: it gets no other."""


Event = Call | Send | Answered | Stray | CallResultError | MalformedFrame
"""What one frame from the other side amounts to; a Call is one for us to answer, in any order, at any time."""

_LATE_IDS_KEPT: Final = 16


class Session:
    """Correlates CALLs and answers; at most one CALL of ours is outstanding (OCPP-J 1.6 §4.1.1)."""

    __slots__ = (
        "_call_timeout",
        "_closed",
        "_deadline",
        "_framing",
        "_late",
        "_outstanding",
        "_queue",
        "_queue_bytes",
        "_queue_limit",
        "_queued_bytes",
    )

    def __init__(
        self, *, call_timeout: float, queue_limit: int, queue_bytes: int = 1 << 20, framing: Framing = FRAMING_16
    ) -> None:
        """CALLs that wait to be sent are bounded in number and in bytes of their payloads."""
        self._framing = framing
        self._call_timeout = call_timeout
        self._queue_limit = queue_limit
        self._queue_bytes = queue_bytes
        self._queued_bytes = 0
        self._queue: dict[str, Call] = {}
        self._outstanding: Call | None = None
        self._deadline = 0.0
        self._late: tuple[str, ...] = ()
        self._closed = False

    @property
    def queued(self) -> int:
        """How many CALLs of ours wait to be sent."""
        return len(self._queue)

    @property
    def outstanding(self) -> Call | None:
        """The CALL of ours that waits for its answer."""
        return self._outstanding

    def submit(self, call: Call) -> None:
        """Queue a CALL of ours; its UniqueId must be new. Raises QueueFull, and ConnectionLost after `close`."""
        if self._closed:
            raise ConnectionLost(CONNECTION_ENDED)
        # The limit is for those that wait: with nothing before it a CALL goes straight out.
        if self._outstanding is not None:
            if len(self._queue) >= self._queue_limit:
                raise QueueFull(Phrase("{count} commands wait already", count=len(self._queue)))
            if self._queued_bytes + len(call.payload) > self._queue_bytes:
                raise QueueFull(Phrase("commands of {size} bytes wait already", size=self._queued_bytes))
        self._queue[call.message_id] = call
        self._queued_bytes += len(call.payload)

    def withdraw(self, message_id: str) -> bool:
        """Take a CALL back that hasn't gone out; False if it has, since then its answer is still due."""
        call = self._queue.pop(message_id, None)
        if call is None:
            return False
        self._queued_bytes -= len(call.payload)
        return True

    def call_to_send(self, now: float) -> Call | None:
        """The CALL to send now, oldest first, unless one is outstanding; its time to be answered starts."""
        if self._outstanding is not None or not self._queue:
            return None
        self._outstanding = call = self._queue.pop(next(iter(self._queue)))
        self._queued_bytes -= len(call.payload)
        self._deadline = now + self._call_timeout
        return call

    def receive(self, data: bytes, deviations: tuple[str, ...] = ()) -> Event:
        """What a frame from the other side means; `deviations` are those of the way it came."""
        try:
            frame = parse(data, deviations, self._framing)
        except FrameError as error:
            # Without its traceback, whose frames would hold it in a circle.
            return self._refused(error.with_traceback(None))
        if isinstance(frame, Call | Send | CallResultError):
            return frame
        call = self._settle(frame.message_id)
        if call is not None:
            return Answered(call, frame)
        return Stray(frame, late=frame.message_id in self._late)

    def next_deadline(self) -> float | None:
        """When `expire` has something to return, unless an answer comes first."""
        return None if self._outstanding is None else self._deadline

    def expire(self, now: float) -> Call | None:
        """The outstanding CALL, if its time is over: it counts as failed and the next one may go out.

        OCPP-J 1.6 §4.1.1: a CALL may be sent once the one before was answered "or has timed out".
        """
        call = self._outstanding
        if call is None or now < self._deadline:
            return None
        self._outstanding = None
        self._late = (*self._late[1 - _LATE_IDS_KEPT :], call.message_id)
        return call

    def close(self) -> list[Call]:
        """End the session. Returns every CALL of ours that will never be answered, oldest first."""
        unanswered = [] if self._outstanding is None else [self._outstanding]
        unanswered.extend(self._queue.values())
        self._outstanding = None
        self._queue.clear()
        self._queued_bytes = 0
        self._closed = True
        return unanswered

    def _settle(self, message_id: str | None) -> Call | None:
        call = self._outstanding
        if call is None or call.message_id != message_id:
            return None
        self._outstanding = None
        return call

    def _refused(self, error: FrameError) -> MalformedFrame:
        if error.is_answer:
            return MalformedFrame(error, None, self._settle(error.message_id))
        ignored = error.code is ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED and not self._framing.answers_unknown_types
        if ignored or not error.wants_answer:
            return MalformedFrame(error, None, None)
        return MalformedFrame(error, error.message_id or self._framing.unread_id, None)
