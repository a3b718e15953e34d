"""A connected charge point: its session, its dialect and the observer over one connection.

Incoming CALLs are handled in order, one at a time; CALLs of ours go their own way beside them (OCPP-J 1.6 §4.1.1: the
directions are independent), so a handler that waits for a command never blocks the command's answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeAlias
from uuid import uuid4

from pydantic import BaseModel
from websockets.frames import CloseCode

from mcpp.csms.dialect import Dialect
from mcpp.csms.live import Exchange
from mcpp.csms.observer import MessageObserver
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import (
    CallFault,
    CallRefused,
    CallTimeout,
    CommandError,
    ConnectionLost,
    ErrorCode,
    InvalidAnswer,
    Unanswerable,
)
from mcpp.ocppj.flow import Flow, Peer, Step, current_flow
from mcpp.ocppj.frames import Call, CallError, CallResult, encode
from mcpp.ocppj.session import Answered, MalformedFrame, Session, Stray
from mcpp.transport.connection import Hold
from mcpp.transport.limits import Limits
from mcpp.transport.outcomes import ConnectionOutcome

Finished: TypeAlias = Callable[[Flow, BaseModel | Exception], None]
"""Told of every CALL of ours that is over, with its response or why there is none; must not block and not raise."""


class Link(Protocol):
    """The connection below."""

    remote: str

    def send(self, text: bytes) -> bool: ...
    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None: ...
    def hold_reading(self, reason: Hold) -> None: ...
    def release_reading(self, reason: Hold) -> None: ...
    def wake_by(self, when: float) -> None: ...


class _Command(Protocol):
    """A CALL of ours that isn't over, whatever its types."""

    @property
    def flow(self) -> Flow: ...
    def answered(self, answer: CallResult | CallError) -> Awaitable[None] | None: ...
    def failed(self, error: Exception) -> None: ...


class _TypedCommand(Generic[Res]):
    """A CALL of ours, its caller's future and the way from answer to response."""

    __slots__ = ("_dialect", "_finished", "_request", "_response", "flow", "future")

    def __init__(
        self,
        flow: Flow,
        dialect: Dialect,
        request: BaseModel,
        response: type[Res],
        future: asyncio.Future[Res],
        finished: Finished,
    ) -> None:
        self.flow = flow
        self.future = future
        self._dialect = dialect
        self._finished = finished
        self._request = request
        self._response = response

    def answered(self, answer: CallResult | CallError) -> Awaitable[None] | None:
        """Give the caller the outcome; where the books learn from it, once the awaitable is through."""
        try:
            if isinstance(answer, CallError):
                raise CallRefused(answer.code, answer.description, json.loads(answer.details))
            response = self._dialect.decode_response(self.flow, self._response, answer.payload)
            learning = self._dialect.learn(self.flow, self._request, response)
        except Exception as error:  # noqa: BLE001 - the caller gets an outcome, whatever it is
            self.failed(error)
            return None
        if learning is not None:
            return self._learn(learning, response)
        self._succeed(response)
        return None

    def failed(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)
        # Or future, error, its traceback's frames and this command would hold each other.
        del self.future
        self._finished(self.flow, error)

    def _succeed(self, response: Res) -> None:
        # The caller may have been cancelled meanwhile.
        if not self.future.done():
            self.future.set_result(response)
        self._finished(self.flow, response)

    async def _learn(self, learning: Awaitable[None], response: Res) -> None:
        """The charge point did what it was told, so its answer counts even if the books could not learn of it."""
        try:
            await learning
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets the answer
            self.future.get_loop().call_exception_handler(
                {"message": f"the answer to {self.flow.action} was not booked", "exception": error}
            )
        self._succeed(response)


class LiveChargePoint:
    """One charge point while it is connected."""

    __slots__ = (
        "_commands",
        "_dialect",
        "_draining",
        "_finished",
        "_limits",
        "_link",
        "_loop",
        "_observer",
        "_session",
        "_waiting",
        "_work",
        "_works",
        "connected_at",
        "peer",
    )

    def __init__(
        self,
        peer: Peer,
        dialect: Dialect,
        observer: MessageObserver,
        link: Link,
        limits: Limits,
        works: set[asyncio.Task[None]],
        finished: Finished,
    ) -> None:
        """`works` keeps the tasks of running handlers, so that a shutdown can wait for them."""
        self.peer = peer
        self.connected_at = time.time()
        """Unix time."""
        self._dialect = dialect
        self._observer = observer
        self._link = link
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._session = Session(call_timeout=limits.call_timeout, queue_limit=limits.call_queue_limit)
        self._commands: dict[str, _Command] = {}
        self._waiting: list[tuple[Flow, Call]] = []
        self._work: asyncio.Task[None] | None = None
        self._works = works
        self._finished = finished
        self._draining = False

    @property
    def identity(self) -> str:
        return self.peer.identity

    @property
    def remote(self) -> str:
        """IP address it connects from."""
        return self._link.remote

    @property
    def ocpp_version(self) -> str:
        return self._dialect.version

    @property
    def queued_calls(self) -> int:
        """How many commands wait to be sent."""
        return self._session.queued

    @property
    def waiting_calls(self) -> int:
        """How many of its own CALLs wait for their turn."""
        return len(self._waiting)

    async def call(self, action: Action[Req, Res], request: Req) -> Res:
        """Send a typed CALL, once those before it are answered, and wait for its response.

        It belongs to the flow or cause at hand, if there is one. Raises QueueFull, CallRefused, CallTimeout,
        ConnectionLost or InvalidAnswer. A caller that is cancelled takes a CALL back that still waits.
        """
        return (await self._exchange(action.name, action.response, request, action.encode_request(request))).response

    async def send(self, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        """As `call`, for a payload that goes out as it was given; `request` is what it says."""
        return await self._exchange(action.name, action.response, request, payload)

    async def _exchange(self, action: str, model: type[Res], request: BaseModel, payload: bytes) -> Exchange[Res]:
        call = Call(str(uuid4()), action, payload)
        self._session.submit(call)
        flow = self._observer.call_queued(self.peer, call, self._dialect.subject(request))
        future: asyncio.Future[Res] = self._loop.create_future()
        self._commands[call.message_id] = _TypedCommand(flow, self._dialect, request, model, future, self._finished)
        self._send_call()
        try:
            response = await future
        finally:
            # Or the future, its error and this frame, which is in the error's traceback, would hold each other.
            del future
            if self._session.withdraw(call.message_id):
                del self._commands[call.message_id]
                self._observer.call_withdrawn(flow)
        duration_ms = (time.perf_counter() - flow.started) * 1000
        return Exchange(action, call.message_id, flow.correlation_id, response, duration_ms)

    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None:
        """Close the connection; what still waits on either side ends with ConnectionLost."""
        self._link.close(code, reason, outcome)

    def drain(self) -> None:
        """Take no new CALLs; those at hand are still handled and answered."""
        self._draining = True

    # What the connection calls.

    def message_received(self, message: bytes, *, binary: bool) -> None:
        """One frame came in. Binary ones are taken for text: their meaning is clear, so they're only counted."""
        event = self._session.receive(message, ("binary_frame",) if binary else ())
        if isinstance(event, Call):
            self._call_received(event, len(message))
        elif isinstance(event, Answered):
            self._answer_received(event, len(message))
        elif isinstance(event, Stray):
            self._observer.stray_answer(self.peer, event.answer, len(message), late=event.late)
        else:
            self._frame_refused(event, len(message))

    def next_deadline(self) -> float | None:
        return self._session.next_deadline()

    def wake(self, now: float) -> None:
        """Let a CALL of ours time out and send the next one."""
        expired = self._session.expire(now)
        if expired is not None:
            self._command_failed(expired, CallTimeout(f"no answer within {self._limits.call_timeout:g} s"))
            self._send_call()

    def connection_ended(self) -> None:
        """Nothing can be sent or received any more. A running handler finishes, since its record counts."""
        lost = ConnectionLost("the connection ended")
        waiting, self._waiting = self._waiting, []
        for flow, _ in waiting:
            self._observer.unanswered(flow, lost)
        for call in self._session.close():
            self._command_failed(call, lost)

    # Incoming CALLs.

    def _call_received(self, call: Call, size: int) -> None:
        flow = self._observer.call_received(self.peer, call, size)
        if self._draining:
            self._observer.unanswered(flow, ConnectionLost("the central system is shutting down"))
        elif self._work is None:
            pending = self._begin(flow, call)
            if pending is not None:
                self._work = self._loop.create_task(self._handle_in_order(flow, pending))
                self._works.add(self._work)
        else:
            self._waiting.append((flow, call))
            if len(self._waiting) >= self._limits.incoming_call_limit:
                self._link.hold_reading(Hold.CALLS_WAIT)

    def _begin(self, flow: Flow, call: Call) -> Awaitable[bytes] | None:
        """Handle a CALL as far as nothing waits: None if it's answered, else what to wait for."""
        token = current_flow.set(flow)
        try:
            try:
                result = self._dialect.handle(flow, call)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its CALL must be answered
                self._fail(flow, error)
                return None
            if not isinstance(result, bytes):
                return result
            self._succeed(flow, result)
            return None
        finally:
            current_flow.reset(token)

    async def _handle_in_order(self, flow: Flow, pending: Awaitable[bytes]) -> None:
        """Finish this CALL and handle all that came in meanwhile."""
        try:
            await self._finish(flow, pending)
            while self._waiting:
                flow, call = self._waiting.pop(0)
                flow.steps.append(Step("wait_in_line", flow.started, time.perf_counter() - flow.started))
                if len(self._waiting) == self._limits.incoming_call_limit // 2:
                    self._link.release_reading(Hold.CALLS_WAIT)
                next_pending = self._begin(flow, call)
                if next_pending is not None:
                    await self._finish(flow, next_pending)
        finally:
            if self._work is not None:
                self._works.discard(self._work)
                self._work = None

    async def _finish(self, flow: Flow, pending: Awaitable[bytes]) -> None:
        current_flow.set(flow)
        try:
            payload = await pending
        except asyncio.CancelledError as error:
            self._observer.unanswered(flow, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its CALL must be answered
            self._fail(flow, error)
        else:
            self._succeed(flow, payload)

    def _succeed(self, flow: Flow, payload: bytes) -> None:
        self._answer(flow, CallResult(flow.message_id, payload))
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

    def _fail(self, flow: Flow, error: Exception) -> None:
        flow.after_answer = None  # nothing is published, and it holds the flow
        if isinstance(error, Unanswerable):
            self._observer.unanswered(flow, error)
            return
        if not isinstance(error, CallFault):
            self._observer.call_failed(flow, error)
            error = CallFault(ErrorCode.INTERNAL_ERROR, "the central system failed to handle the message")
        details = json.dumps(error.details, default=str, separators=(",", ":")).encode()
        code = self._dialect.spell(error.code)
        self._answer(flow, CallError(flow.message_id, code, error.description, details))

    def _answer(self, flow: Flow, answer: CallResult | CallError) -> None:
        text = encode(answer)
        if self._link.send(text):
            self._observer.answer_sent(flow, answer, len(text))
        else:
            self._observer.unanswered(flow, ConnectionLost("the connection ended"))

    def _frame_refused(self, refused: MalformedFrame, size: int) -> None:
        error = refused.error
        self._observer.frame_refused(self.peer, error, size)
        if refused.call is not None:
            self._command_failed(refused.call, InvalidAnswer(error.description))
            self._send_call()
        if refused.answerable and error.message_id is not None:
            answer = CallError(error.message_id, self._dialect.spell(error.code), error.description)
            text = encode(answer)
            if self._link.send(text):
                self._observer.refusal_sent(self.peer, answer, len(text))

    # CALLs of ours.

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    def _answer_received(self, answered: Answered, size: int) -> None:
        command = self._commands.pop(answered.call.message_id)
        token = current_flow.set(command.flow)
        try:
            learning = command.answered(answered.answer)
            if learning is not None:
                self._run(learning)
        finally:
            current_flow.reset(token)
        self._observer.answer_received(command.flow, answered.answer, size)
        self._send_call()

    def _send_call(self) -> None:
        call = self._session.call_to_send(self._loop.time())
        if call is None:
            return
        text = encode(call)
        self._link.send(text)
        self._observer.call_sent(self._commands[call.message_id].flow, len(text))
        deadline = self._session.next_deadline()
        if deadline is not None:
            self._link.wake_by(deadline)

    def _command_failed(self, call: Call, error: CommandError) -> None:
        command = self._commands.pop(call.message_id)
        command.failed(error)
        self._observer.call_expired(command.flow, error)
