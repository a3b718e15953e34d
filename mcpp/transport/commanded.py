"""Our side of the CALLs with a charge point: what we send, what it answers, and who is told what became of it.

CALLs of ours go their own way beside the charge point's (OCPP-J 1.6 §4.1.1: the directions are independent), so a
handler that waits for a command never blocks the command's answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Final, Protocol
from uuid import uuid4

from pydantic import BaseModel
from websockets.frames import CloseCode

from mcpp.csms.dialect import Dialect
from mcpp.csms.frames import FrameRing
from mcpp.csms.live import Exchange
from mcpp.csms.observer import MessageObserver
from mcpp.csms.offers import Offer
from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.ocppj.actions import Action, AnyAction, Req, Res
from mcpp.ocppj.errors import CallTimeout, CommandError, InvalidAnswer, WrongVersion
from mcpp.ocppj.flow import Flow, NextCall, Peer, current_flow
from mcpp.ocppj.frames import LONGEST_DESCRIPTION, Call, CallError, CallResult, CallResultError, encode
from mcpp.ocppj.session import Answered, Session
from mcpp.phrases import Figure, Phrase
from mcpp.transport.command import Command, Finished, TypedCommand
from mcpp.transport.limits import Limits
from mcpp.transport.reading import Hold

_LATE_COMMANDS_KEPT: Final = 4


class Link(Protocol):
    """The connection below."""

    remote: str
    path: str

    def send(self, text: bytes) -> bool: ...
    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None: ...
    def hold_reading(self, reason: Hold) -> None: ...
    def release_reading(self, reason: Hold) -> None: ...
    def note_waiting(self, size: int) -> None: ...
    def wake_by(self, when: float) -> None: ...


class CommandedChargePoint:
    """A charge point that is sent CALLs of ours: queued, one at a time, each with an outcome for who sent it."""

    __slots__ = (
        "_commands",
        "_dialect",
        "_finished",
        "_frames",
        "_late",
        "_limits",
        "_link",
        "_loop",
        "_observer",
        "_session",
        "_tasks",
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
        frames: FrameRing,
    ) -> None:
        self.peer = peer
        self._dialect = dialect
        self._observer = observer
        self._link = link
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._session = Session(
            call_timeout=limits.call_timeout,
            queue_limit=limits.call_queue_limit,
            queue_bytes=limits.call_queue_bytes,
            framing=dialect.framing,
        )
        self._commands: dict[str, Command] = {}
        self._late: dict[str, Command] = {}
        """Those that have timed out, newest last: what they are answered counts all the same."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = finished
        self._frames = frames

    @property
    def identity(self) -> str:
        return self.peer.identity

    @property
    def ocpp_version(self) -> str:
        return self._dialect.version

    @property
    def queued_calls(self) -> int:
        """How many commands wait to be sent."""
        return self._session.queued

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
            text = Phrase(
                "{action} is an action of OCPP {version}, and {identity} speaks OCPP {spoken}",
                action=action.name,
                version=action.version,
                identity=self.identity,
                spoken=version,
            )
            raise WrongVersion(text)

    async def _exchange(self, action: str, model: type[Res], request: BaseModel, payload: bytes) -> Exchange[Res]:
        call = Call(str(uuid4()), action, payload)
        offer = self._dialect.offer(self.peer, request)
        if offer is None:
            self._session.submit(call)
        else:
            await self._submit_offer(offer, call)
        flow = self._observer.call_queued(self.peer, call, self._dialect.subject(request))
        future: asyncio.Future[Res] = self._loop.create_future()
        self._commands[call.message_id] = TypedCommand(
            flow, self._dialect, request, model, future, self._finished, offer
        )
        self._send_call()
        try:
            response = await future
        finally:
            # Or the future, its error and this frame, which is in the error's traceback, would hold each other.
            del future
            if self._session.withdraw(call.message_id):
                del self._commands[call.message_id]
                self._observer.call_withdrawn(flow)
                if offer is not None:
                    offer.take_back()
        duration_ms = (time.perf_counter() - flow.started) * 1000
        return Exchange(action, call.message_id, flow.correlation_id, response, duration_ms)

    async def _submit_offer(self, offer: Offer, call: Call) -> None:
        """The charge point may use a password as soon as it's sent, so it's kept before."""
        await offer.keep()
        try:
            self._session.submit(call)
        except CommandError:
            offer.take_back()
            raise

    def next_deadline(self) -> float | None:
        return self._session.next_deadline()

    def wake(self, now: float) -> None:
        """Let a CALL of ours time out and send the next one."""
        expired = self._session.expire(now)
        if expired is not None:
            self._keep_late(expired)
            self._command_failed(
                expired, CallTimeout(Phrase("no answer within {time}", time=Figure(f"{self._limits.call_timeout:g} s")))
            )
            self._send_call()

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._note_idle()

    def _note_idle(self) -> None:
        """A task has ended."""

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
        if command.not_understood is not None:
            self._refuse_result(answered.call.message_id, command.not_understood)
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
        self._frames.add(text, is_out=True)
        self._observer.call_sent(self._commands[call.message_id].flow, len(text))
        deadline = self._session.next_deadline()
        if deadline is not None:
            self._link.wake_by(deadline)

    def _refuse_result(self, message_id: str, error: InvalidAnswer) -> None:
        """Say that a CALLRESULT wasn't understood, where the version has a message for it."""
        if self._dialect.framing.has_sends:
            code = self._dialect.spell(error.code)
            self._send_refusal(CallResultError(message_id, code, str(error)[:LONGEST_DESCRIPTION]))

    def _send_refusal(self, refusal: CallError | CallResultError) -> None:
        text = encode(refusal)
        if self._link.send(text):
            self._frames.add(text, is_out=True)
            self._observer.refusal_sent(self.peer, refusal, len(text))

    def _keep_late(self, call: Call) -> None:
        if len(self._late) >= _LATE_COMMANDS_KEPT:
            del self._late[next(iter(self._late))]
        self._late[call.message_id] = self._commands[call.message_id]

    def _late_answer_received(self, answer: CallResult | CallError) -> None:
        command = self._late.pop(answer.message_id, None)
        applied = None if command is None else command.answered_late(answer)
        if command is not None and applied is not None:
            self._run(self._finish_late(command.flow, applied))

    async def _finish_late(self, flow: Flow, applied: Awaitable[None]) -> None:
        try:
            await self._finish_command(flow, applied)
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            self._loop.call_exception_handler(
                {"message": f"what the late answer to {flow.action} means was not stored", "exception": error}
            )

    def _command_failed(self, call: Call, error: CommandError) -> None:
        command = self._commands.pop(call.message_id)
        command.failed(error)
        self._observer.call_expired(command.flow, error)
