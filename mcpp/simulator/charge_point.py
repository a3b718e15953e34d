"""A charge point that lives in software: one WebSocket, one session, typed CALLs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import NamedTuple, Self
from uuid import uuid4

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mcpp.ocppj import actions
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.errors import CallFault, CallRefused, CallTimeout, ConnectionLost, ErrorCode, InvalidAnswer
from mcpp.ocppj.frames import FRAMING_16, Call, CallError, CallResult, CallResultError, Frame, Framing, Send, encode
from mcpp.ocppj.session import Answered, Session


class Reply(NamedTuple):
    """A response payload, and what the charge point does once it has gone out."""

    payload: bytes
    then: Callable[[], Coroutine[None, None, None]] | None = None


Answer = Callable[[Call], bytes | Reply]
"""Returns the response payload to a CALL of the central system, or raises CallFault."""


def _refuse(call: Call) -> bytes:
    raise CallFault(ErrorCode.NOT_SUPPORTED, f"this virtual charge point does not do {call.action}")


def _ignore(_: Send | CallResultError) -> None: ...


class VirtualChargePoint:
    """Speaks OCPP-J as a charge point does (OCPP-J 1.6 §3): it dials, boots and reports.

    Use as an asynchronous context manager; leaving it closes the connection.
    """

    def __init__(
        self,
        url: str,
        identity: str,
        subprotocol: str,
        *,
        spell: Callable[[ErrorCode], str],
        answer: Answer = _refuse,
        hear: Callable[[Send | CallResultError], None] = _ignore,
        framing: Framing = FRAMING_16,
        call_timeout: float = 30.0,
    ) -> None:
        """`url` is the central system's, without the identity; `call_timeout` is in seconds.

        `hear` is told of what is never answered: a SEND, and that an answer of ours wasn't understood.
        """
        self._url = f"{url.rstrip('/')}/{identity}"
        self._subprotocol = Subprotocol(subprotocol)
        self._spell = spell
        self._answer = answer
        self._hear = hear
        self._framing = framing
        self._session = Session(call_timeout=call_timeout, queue_limit=1000, framing=framing)
        self._call_timeout = call_timeout
        self._futures: dict[str, asyncio.Future[bytes]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        """What follows from CALLs of the central system."""
        self._failures: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, subprotocols=[self._subprotocol])
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._failures and kind is None:
            raise ExceptionGroup("what followed from commands failed", self._failures)

    async def call(self, action: Action[Req, Res], request: Req) -> Res:
        """Send a CALL once the one before is answered.

        Raises CallRefused, CallTimeout, ConnectionLost, or InvalidAnswer where the answer breaks the contract; the
        central system is told of that in versions that have CALLRESULTERROR.
        """
        call = Call(str(uuid4()), action.name, action.encode_request(request))
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._session.submit(call)
        self._futures[call.message_id] = future
        await self._send_next()
        try:
            async with asyncio.timeout(self._call_timeout):
                payload = await future
        except TimeoutError as error:
            raise CallTimeout(f"{action.name} was not answered within {self._call_timeout:g} s") from error
        try:
            return action.decode_response(payload)
        except ValidationError as error:
            if self._framing.has_sends:
                code = self._spell(ErrorCode.FORMAT_VIOLATION)
                await self._send(CallResultError(call.message_id, code, f"the answer to {action.name} isn't valid"))
            raise InvalidAnswer(f"{action.name} was answered by {payload.decode(errors='replace')}") from error

    async def send(self, message: actions.Send[Req], request: Req) -> None:
        """Send what is never answered, whether or not a CALL waits for its answer (OCPP-J 2.1 §4.2)."""
        if not self._framing.has_sends:
            raise ValueError(f"{message.name} can't be sent: this version of OCPP-J has no SEND")
        await self._send(Send(str(uuid4()), message.name, message.encode_request(request)))

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed, ConnectionLost):
            async for message in socket:
                await self._receive(message.encode() if isinstance(message, str) else message)
        for call in self._session.close():
            self._futures.pop(call.message_id).set_exception(ConnectionLost("the connection ended"))

    async def _receive(self, message: bytes) -> None:
        event = self._session.receive(message)
        if isinstance(event, Call):
            answer, then = self._reply(event)
            await self._send(answer)
            if then is not None:
                self._do(then)
        elif isinstance(event, Answered):
            self._resolve(self._futures.pop(event.call.message_id), event.answer)
            await self._send_next()
        elif isinstance(event, Send | CallResultError):
            self._hear(event)

    def _do(self, then: Callable[[], Coroutine[None, None, None]]) -> None:
        job = asyncio.create_task(then())
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        error = None if job.cancelled() else job.exception()
        if isinstance(error, Exception) and not isinstance(error, ConnectionLost):
            self._failures.append(error)

    def _resolve(self, future: asyncio.Future[bytes], answer: CallResult | CallError) -> None:
        if future.done():
            return
        if isinstance(answer, CallResult):
            future.set_result(answer.payload)
        else:
            future.set_exception(CallRefused(answer.code, answer.description, {}))

    def _reply(self, call: Call) -> tuple[CallResult | CallError, Callable[[], Coroutine[None, None, None]] | None]:
        try:
            answer = self._answer(call)
        except CallFault as fault:
            return CallError(call.message_id, self._spell(fault.code), fault.description), None
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        return CallResult(call.message_id, reply.payload), reply.then

    def _send_next(self) -> Awaitable[None]:
        call = self._session.call_to_send(asyncio.get_running_loop().time())
        return self._send(call) if call is not None else asyncio.sleep(0)

    async def _send(self, frame: Frame) -> None:
        if self._socket is None:
            raise ConnectionLost("the charge point is not connected")
        try:
            await self._socket.send(encode(frame), text=True)
        except ConnectionClosed as error:
            raise ConnectionLost("the connection ended") from error
