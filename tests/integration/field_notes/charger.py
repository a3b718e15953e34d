"""A charger that sends whatever it likes, byte by byte, over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, NoReturn

from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PATIENCE: Final = 15.0
"""Seconds after which a test that waits for something gives up."""

START: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
"""When the sessions here begin: near enough that a time of receipt is a likely end of them."""

Answer = JsonValue | Callable[[str], str | None]
"""What a CALL is answered with: the CALLRESULT's payload, or what makes a frame of the UniqueId (none is sent)."""


def minute(number: float) -> str:
    """A moment of the session, as a charger that's right spells it."""
    return spelled(START + timedelta(minutes=number))


def spelled(moment: datetime) -> str:
    """As a charger that's right spells it, and the API too."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def sampled(value: str, measurand: str | None = None, **others: str) -> dict[str, JsonValue]:
    """One sampled value; a register in Wh where nothing else is said."""
    return {"value": value, **({"measurand": measurand} if measurand else {}), **others}


def entry(at: str, *values: JsonValue) -> dict[str, JsonValue]:
    """One entry of a `meterValue`."""
    return {"timestamp": at, "sampledValue": list(values)}


class CallErrorReceived(AssertionError):
    """The server answered with a CALLERROR; a charger would repeat the message for ever."""


class RawCharger:
    """Answers CALLs by script, and keeps what it was sent."""

    def __init__(self, identity: str, socket: ClientConnection, answers: Mapping[str, Answer]) -> None:
        self.identity = identity
        self.socket = socket
        self.answers: dict[str, Answer] = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """CALLs of the server: actions and payloads."""
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def send(self, frame: str | bytes) -> None:
        """A frame as it stands; bytes go as text all the same."""
        await self.socket.send(frame, text=True)

    async def exchange(self, action: str, payload: JsonValue | bytes) -> list[Any]:
        """A CALL, its payload an object or JSON text; gives the frame that answers it."""
        message_id = f"{self.identity}-{next(self._numbers)}"
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return await self.answer_to(message_id, f'[2,"{message_id}","{action}",'.encode() + text + b"]")

    async def answer_to(self, message_id: str, frame: str | bytes) -> list[Any]:
        """Send a frame; gives the one that answers its UniqueId."""
        answered: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = answered
        await self.send(frame)
        async with asyncio.timeout(PATIENCE):
            return await answered

    async def say(self, action: str, payload: JsonValue | bytes) -> dict[str, Any]:
        """A CALL that must be understood; gives its CALLRESULT's payload."""
        answer = await self.exchange(action, payload)
        if answer[0] != 3:
            raise CallErrorReceived(f"{action} {payload!r} was answered by {answer}")
        result: dict[str, Any] = answer[2]
        return result

    async def boot(self, **others: str) -> None:
        payload: JsonValue = {"chargePointVendor": "Acme", "chargePointModel": "One", **others}
        assert (await self.say("BootNotification", payload))["status"] == "Accepted"

    async def status(self, status: str, at: str | None = None, *, connector: int = 1, **others: JsonValue) -> None:
        payload: dict[str, JsonValue] = {"connectorId": connector, "errorCode": "NoError", "status": status, **others}
        if at is not None:
            payload["timestamp"] = at
        assert await self.say("StatusNotification", payload) == {}

    async def start(
        self,
        at: str | None = None,
        *,
        meter: JsonValue = 1000,
        tag: str = "TAG",
        connector: int = 1,
        **others: JsonValue,
    ) -> int:
        """A StartTransaction; gives the transaction's id."""
        answer = await self.say(
            "StartTransaction",
            {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": at or minute(0), **others},
        )
        transaction_id: int = answer["transactionId"]
        return transaction_id

    async def stop(
        self, transaction_id: JsonValue, at: str | None = None, *, meter: JsonValue = 8000, **others: JsonValue
    ) -> None:
        payload = {"transactionId": transaction_id, "meterStop": meter, "timestamp": at or minute(60), **others}
        assert "transactionId" not in await self.say("StopTransaction", payload)

    async def meter(self, entries: JsonValue, *, connector: int = 1, **others: JsonValue) -> None:
        """A MeterValues with these entries; `transactionId` among the others."""
        assert await self.say("MeterValues", {"connectorId": connector, "meterValue": entries, **others}) == {}

    async def asked_for(self, action: str, times: int = 1) -> list[dict[str, Any]]:
        """The payloads of the server's CALLs of that action, once there are so many."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: self.how_often(action) >= times)
        return [payload for name, payload in self.asked if name == action]

    def how_often(self, action: str) -> int:
        return sum(name == action for name, _ in self.asked)

    async def cut(self) -> None:
        """End the TCP connection without a close frame, as a power cut would."""
        self.socket.transport.abort()
        await self.socket.wait_closed()

    async def close(self) -> None:
        await self.socket.close()
        with suppress(ConnectionClosed):
            await self._reader

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(json.loads(text))
        finally:
            for answered in self._waiting.values():
                if not answered.done():
                    answered.set_exception(AssertionError("the connection ended without an answer"))
                    answered.exception()  # somebody may have waited for nothing

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] != 2:
            answered = self._waiting.pop(str(frame[1]), None)
            if answered is not None and not answered.done():
                answered.set_result(frame)
            return
        _, message_id, action, payload = frame
        async with self._news:
            self.asked.append((action, payload))
            self._news.notify_all()
        answer = self.answers.get(action, _not_implemented)
        text = answer(message_id) if callable(answer) else json.dumps([3, message_id, answer])
        if text is not None:
            with suppress(ConnectionClosed):
                await self.send(text)


def _not_implemented(message_id: str) -> str:
    return json.dumps([4, message_id, "NotImplemented", "", {}])


def silent(_: str) -> None:
    """Never answer."""


def refused(_: str) -> NoReturn:
    raise AssertionError("nobody was to ask for this")


@asynccontextmanager
async def dialled(
    url: str, identity: str, answers: Mapping[str, Answer], subprotocols: Sequence[str] = ("ocpp1.6",)
) -> AsyncIterator[RawCharger]:
    """A charger that is connected for the block, or until it ends the connection."""
    socket = await connect(
        f"{url}/{identity}",
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        ping_interval=None,
        max_size=None,
        proxy=None,
    )
    charger = RawCharger(identity, socket, answers)
    try:
        yield charger
    finally:
        await charger.close()
