"""Chargers that lose their connection all the time, repeat what wasn't answered and keep their own account.

Messages wait in a queue and go out oldest first, each until it's answered (OCPP 1.6 §3.7, §4.8, §4.10).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

ANSWER_TIMEOUT: Final = 20.0
POWER_W: Final = 11_000
MOST_WAITING: Final = 40
"""Messages in a queue; with more of them nothing new happens at a charger until it's heard again."""

_BEGIN_MS: Final = int(time.time() * 1000) - 10 * 86_400_000
"""Chargers' clocks begin ten days ago and run fast, so that sessions of many hours fit into seconds."""


@dataclass(eq=False)
class Session:
    """A real one, and what was answered of it; times in milliseconds since 1970, registers in Wh."""

    connector: int
    tag: str
    meter_start: int
    started_at: int
    transaction_ids: list[int] = field(default_factory=list)
    """One for each answer to its start."""
    values: list[tuple[int, str]] = field(default_factory=list, repr=False)
    """Answered ones."""
    meter_stop: int = 0
    stopped_at: int = 0
    is_stop_answered: bool = False

    @property
    def wh(self) -> int:
        return self.meter_stop - self.meter_start


@dataclass(eq=False)
class _Message:
    action: str
    payload: Callable[[], dict[str, Any]]
    answered: Callable[[dict[str, Any]], None] | None = None


class Refused(Exception):
    """A message was answered with a CALLERROR, which no correct message deserves."""


class Charger:
    """One with two connectors; `port` tells where the server listens now."""

    def __init__(
        self, identity: str, port: Callable[[], int], random: Random, *, pace: float, visit: float | None = None
    ) -> None:
        """`pace` is the mean time between two of its steps, `visit` that of a connection, in seconds.

        Without a `visit` it stays until it's thrown out.
        """
        self.identity = identity
        self.sessions: list[Session] = []
        self.fresh_values: list[tuple[Session, tuple[int, str]]] = []
        """Answered since somebody took them."""
        self.events: list[str] = []
        """Of security, answered."""
        self.told_status_at: dict[int, int] = {}
        """Of the newest answered status, by connector."""
        self.answered = 0
        self.refused: list[str] = []
        self._port = port
        self._random = random
        self._pace = pace
        self._visit = visit
        self._queue: deque[_Message] = deque()
        self._running: dict[int, Session] = {}
        self._register = {1: 1000.0, 2: 900_000.0}
        self._clock_ms = _BEGIN_MS + random.randrange(3_600_000)
        self._numbers = count(1)
        self._keeps_ids = random.random() < 0.5
        self._message_id = ""
        self._leaves = False

    @property
    def is_done(self) -> bool:
        return self._leaves and not self._queue and not self._running

    def leave(self) -> None:
        """End what runs, tell all that waits, and then be done."""
        self._leaves = True
        for session in list(self._running.values()):
            self._stop(session)

    async def live(self) -> None:
        """Until it's done."""
        while not self.is_done:
            with suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake, InvalidMessage):
                async with connect(
                    f"ws://127.0.0.1:{self._port()}/ocpp/{self.identity}",
                    subprotocols=[Subprotocol("ocpp1.6")],
                    compression=None,
                    ping_interval=None,
                    proxy=None,
                    open_timeout=ANSWER_TIMEOUT,
                    close_timeout=1,
                ) as socket:
                    await self._connected(socket)
            if not self.is_done:
                self._step()  # offline life goes on
                await asyncio.sleep(self._random.uniform(0.05, 0.4) if self._visit is None else self._pace)

    async def _connected(self, socket: ClientConnection) -> None:
        if self._random.random() < 0.3:
            await self._deliver(socket, _Message("BootNotification", _boot))
        leave_at = float("inf") if self._visit is None else time.monotonic() + self._random.expovariate(1 / self._visit)
        while not self.is_done:
            while self._queue:
                await self._deliver(socket, self._queue[0])
                self._queue.popleft()
                self._message_id = ""
            self._step()
            if self._random.random() < 0.2:
                await self._deliver(socket, _Message("Heartbeat", dict))
                self._message_id = ""
            await asyncio.sleep(self._random.expovariate(1 / self._pace))
            if time.monotonic() > leave_at and not self._leaves:
                if self._random.random() < 0.5:
                    socket.transport.abort()  # as a lost radio link; else it says goodbye
                return

    async def _deliver(self, socket: ClientConnection, message: _Message) -> None:
        """Some chargers repeat a message with the id that it had, others with a new one."""
        if not (self._keeps_ids and self._message_id and self._queue and message is self._queue[0]):
            self._message_id = f"{self.identity}-{next(self._numbers)}"
        payload = message.payload()
        await socket.send(json.dumps([2, self._message_id, message.action, payload]))
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while True:
                kind, message_id, *rest = json.loads(await socket.recv())
                if kind in (3, 4) and message_id == self._message_id:
                    break
                if kind == 2:
                    await socket.send(json.dumps([4, message_id, "NotSupported", "", {}]))
        if kind == 4:
            self.refused.append(f"{message.action} {payload} was answered by {rest}")
            raise Refused(self.refused[-1])
        self.answered += 1
        if message.answered is not None:
            message.answered(rest[0])

    # Life.

    def _step(self) -> None:
        """Time passes, and something happens at a connector."""
        if self._leaves or len(self._queue) > MOST_WAITING:
            return
        random = self._random
        seconds = random.uniform(5, 60)
        self._clock_ms += int(seconds * 1000)
        for connector in self._running:
            self._register[connector] += POWER_W * seconds / 3600
        connector = random.choice((1, 2))
        session = self._running.get(connector)
        if session is None:
            if random.random() < 0.5:
                self._start(connector)
        elif random.random() < 0.12:
            self._stop(session)
        else:
            self._sample(session)
        if random.random() < 0.03:
            self._event()

    def _start(self, connector: int) -> None:
        self._status(connector, "Preparing")
        number = len(self.sessions)
        session = Session(connector, f"TAG-{number}", int(self._register[connector]), self._tick())
        self.sessions.append(session)
        self._running[connector] = session
        payload = {
            "connectorId": connector,
            "idTag": session.tag,
            "meterStart": session.meter_start,
            "timestamp": _spelled(session.started_at),
        }
        self._put(
            "StartTransaction", lambda: payload, lambda answer: session.transaction_ids.append(answer["transactionId"])
        )
        self._status(connector, "Charging")

    def _sample(self, session: Session) -> None:
        at, value = self._tick(), str(int(self._register[session.connector]))
        sample = {"value": value, "measurand": "Energy.Active.Import.Register", "unit": "Wh"}

        def payload() -> dict[str, Any]:
            values = [{"timestamp": _spelled(at), "sampledValue": [sample]}]
            return {
                "connectorId": session.connector,
                "transactionId": session.transaction_ids[-1],
                "meterValue": values,
            }

        def answered(_: dict[str, Any]) -> None:
            session.values.append((at, value))
            self.fresh_values.append((session, (at, value)))

        self._put("MeterValues", payload, answered)

    def _stop(self, session: Session) -> None:
        del self._running[session.connector]
        session.meter_stop, session.stopped_at = int(self._register[session.connector]), self._tick()

        def payload() -> dict[str, Any]:
            return {
                "transactionId": session.transaction_ids[-1],
                "meterStop": session.meter_stop,
                "timestamp": _spelled(session.stopped_at),
                "idTag": session.tag,
                "reason": "Local",
            }

        def answered(_: dict[str, Any]) -> None:
            session.is_stop_answered = True

        self._put("StopTransaction", payload, answered)
        self._status(session.connector, "Available")

    def _status(self, connector: int, status: str) -> None:
        at = self._tick()
        payload = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": _spelled(at)}

        def answered(_: dict[str, Any]) -> None:
            self.told_status_at[connector] = at

        self._put("StatusNotification", lambda: payload, answered)

    def _event(self) -> None:
        text = f"{self.identity} {next(self._numbers)}"
        payload = {"type": "SettingSystemTime", "timestamp": _spelled(self._tick()), "techInfo": text}
        self._put("SecurityEventNotification", lambda: payload, lambda _: self.events.append(text))

    def _put(
        self, action: str, payload: Callable[[], dict[str, Any]], answered: Callable[[dict[str, Any]], None]
    ) -> None:
        self._queue.append(_Message(action, payload, answered))

    def _tick(self) -> int:
        """No two things happen at one moment."""
        self._clock_ms += 1
        return self._clock_ms


def _boot() -> dict[str, Any]:
    return {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"}


def _spelled(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
