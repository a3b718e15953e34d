"""A connected charge point: its session, its dialect and the observer over one connection.

Incoming CALLs are handled in order, one at a time; CALLs of ours go their own way beside them (OCPP-J 1.6 §4.1.1: the
directions are independent), so a handler that waits for a command never blocks the command's answer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Coroutine, Sequence
from functools import partial
from typing import Protocol
from uuid import uuid4

from pydantic import BaseModel
from websockets.frames import CloseCode

from mcpp.csms.dialect import Dialect
from mcpp.csms.live import Exchange
from mcpp.csms.observer import MessageObserver
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import (
    CallFault,
    CallTimeout,
    CommandError,
    ConnectionLost,
    ErrorCode,
    InvalidAnswer,
    Unanswerable,
    WrongVersion,
)
from mcpp.ocppj.flow import Deviation, Direction, Flow, NextCall, Peer, Step, current_flow, new_correlation_id
from mcpp.ocppj.frames import Call, CallError, CallResult, encode
from mcpp.ocppj.session import Answered, MalformedFrame, Session, Stray
from mcpp.storage.writer import Pending
from mcpp.transport.command import Command, Finished, TypedCommand
from mcpp.transport.connection import Hold
from mcpp.transport.limits import Limits
from mcpp.transport.outcomes import ConnectionOutcome


class Link(Protocol):
    """The connection below."""

    remote: str

    def send(self, text: bytes) -> bool: ...
    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None: ...
    def hold_reading(self, reason: Hold) -> None: ...
    def release_reading(self, reason: Hold) -> None: ...
    def wake_by(self, when: float) -> None: ...


class LiveChargePoint:
    """One charge point while it is connected."""

    __slots__ = (
        "_busy",
        "_commands",
        "_dialect",
        "_drained",
        "_finished",
        "_limits",
        "_link",
        "_loop",
        "_observer",
        "_session",
        "_tasks",
        "_waiting",
        "connected_since",
        "epoch",
        "peer",
    )

    def __init__(
        self,
        peer: Peer,
        dialect: Dialect,
        observer: MessageObserver,
        link: Link,
        limits: Limits,
        finished: Finished,
        epoch: int = 0,
    ) -> None:
        self.peer = peer
        self.epoch = epoch
        """The number of this connection among the charge point's."""
        self.connected_since = time.monotonic()
        """By the monotonic clock, since it's asked for how long."""
        self._dialect = dialect
        self._observer = observer
        self._link = link
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._session = Session(call_timeout=limits.call_timeout, queue_limit=limits.call_queue_limit)
        self._commands: dict[str, Command] = {}
        self._waiting: list[tuple[Flow, Call]] = []
        self._busy = False
        """Whether a CALL of its is handled now; later ones wait for their turn."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = finished
        self._drained: asyncio.Future[None] | None = None

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

        It belongs to the flow or trace context at hand, if there is one. Raises WrongVersion, QueueFull, CallRefused,
        CallTimeout, ConnectionLost or InvalidAnswer. A caller that is cancelled takes a CALL back that still waits.
        """
        self._check_version(action)
        return (await self._exchange(action.name, action.response, request, action.encode_request(request))).response

    async def send(self, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        """As `call`, for a payload that goes out as it was given; `request` is what it says."""
        self._check_version(action)
        return await self._exchange(action.name, action.response, request, payload)

    def _check_version(self, action: AnyAction) -> None:
        version = self._dialect.version
        if action.version != version:
            raise WrongVersion(
                f"{action.name} is an action of OCPP {action.version}, and {self.identity} speaks OCPP {version}"
            )

    async def _exchange(self, action: str, model: type[Res], request: BaseModel, payload: bytes) -> Exchange[Res]:
        call = Call(str(uuid4()), action, payload)
        self._session.submit(call)
        flow = self._observer.call_queued(self.peer, call, self._dialect.subject(request))
        future: asyncio.Future[Res] = self._loop.create_future()
        self._commands[call.message_id] = TypedCommand(flow, self._dialect, request, model, future, self._finished)
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

    def drain(self) -> asyncio.Future[None]:
        """Take no new CALLs; the future is done once those at hand are handled and answered."""
        if self._drained is None:
            self._drained = self._loop.create_future()
        self._note_idle()
        return self._drained

    def cancel_work(self) -> None:
        """Cancel what is still under way; what a handler has submitted to the database is stored all the same."""
        for task in self._tasks:
            task.cancel()

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
        flow = Flow(
            self.peer,
            Direction.IN,
            call.action,
            call.message_id,
            new_correlation_id(),
            time.perf_counter(),
            size,
            call.payload,
        )
        if call.deviations:
            flow.deviations += [Deviation(rule, "") for rule in call.deviations]
        if self._observer.begin is not None:
            self._observer.begin(flow)
        if self._drained is not None:
            self._observer.unanswered(flow, ConnectionLost("the central system is shutting down"))
        elif not self._busy:
            self._handle(flow, call)
        else:
            self._waiting.append((flow, call))
            if len(self._waiting) >= self._limits.incoming_call_limit:
                self._link.hold_reading(Hold.CALLS_WAIT)

    def _handle(self, flow: Flow, call: Call) -> None:
        """Handle a CALL as far as nothing waits: it's answered now, after the commit, or by a task."""
        token = current_flow.set(flow)
        try:
            answer = self._dialect.handle(flow, call)
            if isinstance(answer, bytes):
                self._succeed(flow, answer)
                return
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its CALL must be answered
            self._fail(flow, error)
            return
        finally:
            current_flow.reset(token)
        self._busy = True
        if isinstance(answer, Pending):
            answer.when_committed(partial(self._committed, flow))
        else:
            self._run(self._await(flow, answer))

    def _committed(self, flow: Flow, pending: Pending[bytes]) -> None:
        """What the handler waited for is stored: the rest of it runs here, without a task."""
        token = current_flow.set(flow)
        try:
            self._succeed(flow, pending.result())
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(flow, error)
        finally:
            current_flow.reset(token)
        self._handle_next()

    async def _await(self, flow: Flow, answer: Awaitable[bytes]) -> None:
        current_flow.set(flow)
        try:
            payload = await answer
        except asyncio.CancelledError as error:
            self._observer.unanswered(flow, error)
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(flow, error)
        else:
            self._succeed(flow, payload)
        self._handle_next()

    def _handle_next(self) -> None:
        """Handle all that came in meanwhile, in its order."""
        self._busy = False
        while self._waiting and not self._busy:
            flow, call = self._waiting.pop(0)
            flow.steps.append(Step("wait_in_line", flow.started, time.perf_counter() - flow.started))
            if len(self._waiting) == self._limits.incoming_call_limit // 2:
                self._link.release_reading(Hold.CALLS_WAIT)
            self._handle(flow, call)
        self._note_idle()

    def _note_idle(self) -> None:
        drained = self._drained
        if drained is not None and not self._busy and not self._tasks and not drained.done():
            drained.set_result(None)

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
        self._call_next(flow)

    def _fail(self, flow: Flow, error: Exception) -> None:
        flow.after_answer = None  # nothing is published, and it holds the flow
        if isinstance(error, Unanswerable):
            self._observer.unanswered(flow, error)
            return
        if not isinstance(error, CallFault):
            self._observer.handler_failed(flow, error)
            error = CallFault(ErrorCode.INTERNAL_ERROR, "the central system failed to handle the message")
        details = json.dumps(error.details, default=str, separators=(",", ":")).encode()
        code = self._dialect.spell(error.code)
        self._answer(flow, CallError(flow.message_id, code, error.description, details))

    def _answer(self, flow: Flow, answer: CallResult | CallError) -> None:
        text = encode(answer)
        if self._link.send(text):
            self._observer.exchanged(flow, answer, len(text))
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

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._note_idle()

    def _call_next(self, flow: Flow) -> None:
        """Send what follows from a flow."""
        next_calls, flow.next_calls = flow.next_calls, ()
        if next_calls:
            self._run(self._send_next(flow, next_calls))

    async def _send_next(self, flow: Flow, next_calls: Sequence[NextCall]) -> None:
        current_flow.set(flow)
        for next_call in next_calls:
            try:
                await next_call(self)
            except CommandError:
                pass  # the observer has seen why there is no answer
            except Exception as error:  # noqa: BLE001 - nobody waits for it
                self._loop.call_exception_handler(
                    {"message": f"a CALL that follows from {flow.action} failed", "exception": error}
                )

    def _answer_received(self, answered: Answered, size: int) -> None:
        command = self._commands.pop(answered.call.message_id)
        token = current_flow.set(command.flow)
        try:
            applied = command.answered(answered.answer)
            if applied is not None:
                self._run(self._finish_command(command.flow, applied))
            else:
                self._call_next(command.flow)
        finally:
            current_flow.reset(token)
        self._observer.answer_received(command.flow, answered.answer, size)
        self._send_call()

    async def _finish_command(self, flow: Flow, applied: Awaitable[None]) -> None:
        await applied
        self._call_next(flow)

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
