"""Chargers that lose their connection all the time, repeat what wasn't answered and keep their own account.

Messages wait in a queue and go out oldest first, each until it's answered (OCPP 1.6 §3.7, §4.8, §4.10; OCPP 2.0.1
part 2, E04, E13). What they say is in `tests.campaigns.speakers`.
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, ClassVar, Final, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

ANSWER_TIMEOUT: Final = 20.0
POWER_W: Final = 11_000
MOST_WAITING: Final = 40
"""Messages in a queue; with more of them nothing new happens at a charger until it's heard again."""

_BEGIN_MS: Final = int(time.time() * 1000) - 10 * 86_400_000
"""Chargers' clocks begin ten days ago and run fast, so that sessions of many hours fit into seconds."""


Place: TypeAlias = tuple[int, int]
"""EVSE, 0 in versions that have none, and connector."""


@dataclass(eq=False)
class Session:
    """A real one, and what was answered of it; times in milliseconds since 1970, registers in Wh."""

    place: Place
    tag: str
    meter_start: int
    started_at: int
    transaction_ids: list[int] = field(default_factory=list)
    """One for each answer to its start, where such an answer has one."""
    own_id: str | None = None
    """By which its charger knows it, where it gives one itself."""
    is_start_answered: bool = False
    is_tag_answered: bool = False
    """Whether a message that tells its card was answered."""
    values: list[tuple[int, str]] = field(default_factory=list, repr=False)
    """Answered ones."""
    events: list[int] = field(default_factory=list, repr=False)
    """When what was told of it happened, where that is stored as well; answered ones."""
    meter_stop: int = 0
    stopped_at: int = 0
    is_stop_answered: bool = False

    @property
    def wh(self) -> int:
        return self.meter_stop - self.meter_start


@dataclass(eq=False)
class Message:
    """One that waits to be delivered."""

    action: str
    payload: Callable[[], dict[str, Any]]
    answered: Callable[[dict[str, Any]], None] | None = None


class Refused(Exception):
    """A message was answered with a CALLERROR, which no correct message deserves."""


class Charger(ABC):
    """One with two places to charge at; `port` tells where the server listens now. What it says is its version's."""

    subprotocol: ClassVar[str]
    places: ClassVar[Sequence[Place]]

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
        self.told_status_at: dict[Place, int] = {}
        """Of the newest answered status."""
        self.answered = 0
        self.refused: list[str] = []
        self._port = port
        self._random = random
        self._pace = pace
        self._visit = visit
        self._queue: deque[Message] = deque()
        self._running: dict[Place, Session] = {}
        self._register = dict(zip(self.places, (1000.0, 900_000.0), strict=True))
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
                    subprotocols=[Subprotocol(self.subprotocol)],
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
            await self._deliver(socket, Message("BootNotification", self._boot))
        leave_at = float("inf") if self._visit is None else time.monotonic() + self._random.expovariate(1 / self._visit)
        while not self.is_done:
            while self._queue:
                await self._deliver(socket, self._queue[0])
                self._queue.popleft()
                self._message_id = ""
            self._step()
            if self._random.random() < 0.2:
                await self._deliver(socket, Message("Heartbeat", dict))
                self._message_id = ""
            await asyncio.sleep(self._random.expovariate(1 / self._pace))
            if time.monotonic() > leave_at and not self._leaves:
                if self._random.random() < 0.5:
                    socket.transport.abort()  # as a lost radio link; else it says goodbye
                return

    async def _deliver(self, socket: ClientConnection, message: Message) -> None:
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
                    await socket.send(json.dumps(self._answer(message_id, *rest)))
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
        for place in self._running:
            self._register[place] += POWER_W * seconds / 3600
        place = random.choice(self.places)
        session = self._running.get(place)
        if session is None:
            if random.random() < 0.5:
                self._start(place)
        elif random.random() < 0.12:
            self._stop(session)
        else:
            self._sample(session)
        if random.random() < 0.03:
            self._event()

    def _begin(self, place: Place, own_id: str | None = None) -> Session:
        session = Session(place, f"TAG-{len(self.sessions)}", int(self._register[place]), self._tick(), own_id=own_id)
        self.sessions.append(session)
        self._running[place] = session
        return session

    def _end(self, session: Session) -> None:
        del self._running[session.place]
        session.meter_stop, session.stopped_at = int(self._register[session.place]), self._tick()

    def _valued(self, session: Session, value: tuple[int, str]) -> None:
        """A value was answered."""
        session.values.append(value)
        self.fresh_values.append((session, value))

    def _put(
        self, action: str, payload: Callable[[], dict[str, Any]], answered: Callable[[dict[str, Any]], None]
    ) -> None:
        self._queue.append(Message(action, payload, answered))

    def _tick(self) -> int:
        """No two things happen at one moment."""
        self._clock_ms += 1
        return self._clock_ms

    def _number(self) -> int:
        """One that nothing else of it has."""
        return next(self._numbers)

    # What a version's own words say.

    @abstractmethod
    def _boot(self) -> dict[str, Any]: ...

    @abstractmethod
    def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> list[Any]:
        """The frame that answers what the server asks."""

    @abstractmethod
    def _start(self, place: Place) -> None: ...

    @abstractmethod
    def _sample(self, session: Session) -> None: ...

    @abstractmethod
    def _stop(self, session: Session) -> None: ...

    @abstractmethod
    def _event(self) -> None: ...


def spelled(milliseconds: int) -> str:
    """A time as OCPP writes it."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
