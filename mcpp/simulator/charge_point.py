"""A charge point that lives in software: one WebSocket, one session, typed CALLs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.errors import CallFault, CallRefused, CallTimeout, ConnectionLost, ErrorCode
from mcpp.ocppj.frames import Call, CallError, CallResult, encode
from mcpp.ocppj.session import Answered, Session

Answer = Callable[[Call], bytes]
"""Returns the response payload to a CALL of the central system, or raises CallFault."""


def _refuse(call: Call) -> bytes:
    raise CallFault(ErrorCode.NOT_SUPPORTED, f"this virtual charge point does not do {call.action}")


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
        call_timeout: float = 30.0,
    ) -> None:
        """`url` is the central system's, without the identity; `call_timeout` is in seconds."""
        self._url = f"{url.rstrip('/')}/{identity}"
        self._subprotocol = Subprotocol(subprotocol)
        self._spell = spell
        self._answer = answer
        self._session = Session(call_timeout=call_timeout, queue_limit=1000)
        self._call_timeout = call_timeout
        self._futures: dict[str, asyncio.Future[bytes]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._url, subprotocols=[self._subprotocol])
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader

    async def call(self, action: Action[Req, Res], request: Req) -> Res:
        """Send a CALL once the one before is answered; raises CallRefused, CallTimeout or ConnectionLost."""
        call = Call(str(uuid4()), action.name, action.encode_request(request))
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._session.submit(call)
        self._futures[call.message_id] = future
        await self._send_next()
        try:
            async with asyncio.timeout(self._call_timeout):
                return action.decode_response(await future)
        except TimeoutError as error:
            raise CallTimeout(f"{action.name} was not answered within {self._call_timeout:g} s") from error

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                await self._receive(message.encode() if isinstance(message, str) else message)
        for call in self._session.close():
            self._futures.pop(call.message_id).set_exception(ConnectionLost("the connection ended"))

    async def _receive(self, message: bytes) -> None:
        event = self._session.receive(message)
        if isinstance(event, Call):
            await self._send(self._reply(event))
        elif isinstance(event, Answered):
            self._resolve(self._futures.pop(event.call.message_id), event.answer)
            await self._send_next()

    def _resolve(self, future: asyncio.Future[bytes], answer: CallResult | CallError) -> None:
        if future.done():
            return
        if isinstance(answer, CallResult):
            future.set_result(answer.payload)
        else:
            future.set_exception(CallRefused(answer.code, answer.description, {}))

    def _reply(self, call: Call) -> CallResult | CallError:
        try:
            return CallResult(call.message_id, self._answer(call))
        except CallFault as fault:
            return CallError(call.message_id, self._spell(fault.code), fault.description)

    def _send_next(self) -> Awaitable[None]:
        call = self._session.call_to_send(asyncio.get_running_loop().time())
        return self._send(call) if call is not None else asyncio.sleep(0)

    async def _send(self, frame: Call | CallResult | CallError) -> None:
        if self._socket is None:
            raise ConnectionLost("the charge point is not connected")
        await self._socket.send(encode(frame), text=True)
