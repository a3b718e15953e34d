"""Walks of charging stations that tell of transactions by events: whatever they lose, repeat, delay and leave out.

A station keeps its own account, and what got through of it; `tests.walks.station_books` judges by that alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from random import Random
from typing import Any, Final

from mcpp.csms.version import KnownVersion
from mcpp.domain.inquiries import TransactionAnswer
from tests.walks.central import GRACE, Central

BEGIN: Final = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
_POWER: Final = 11_000
_MINUTE: Final = 60.0
_BEGIN, _PERIODIC, _END = "Transaction.Begin", "Sample.Periodic", "Transaction.End"


class Told(Enum):
    """With which event something is told."""

    STARTED = "with the start"
    UPDATED = "later"
    NEVER = "never"


class Ends(Enum):
    """Which samples an end has."""

    OWN = "its own"
    ALL = "all since the beginning"
    NONE = "none"


@dataclass(frozen=True)
class Habits:
    """Of one station."""

    counts: bool
    """Else its seqNo is always 0."""
    repeats_evse: bool
    evse: Told
    token: Told
    has_begin: bool
    """Whether a start has samples."""
    ends: Ends
    multiplier: int
    says_offline: bool
    shuffles: bool
    """Whether what waited comes in any order."""
    loses: float
    gives_up: bool
    """What wasn't answered is forgotten now and then."""


def draw(random: Random) -> Habits:
    return Habits(
        counts=random.random() < 0.7,
        repeats_evse=random.random() < 0.5,
        evse=random.choice([Told.STARTED, Told.STARTED, Told.UPDATED]),
        token=random.choice([Told.STARTED, Told.UPDATED, Told.NEVER]),
        has_begin=random.random() < 0.7,
        ends=random.choice(list(Ends)),
        multiplier=random.choice([0, 0, 3]),
        says_offline=random.random() < 0.5,
        shuffles=random.random() < 0.4,
        loses=random.choice([0.0, 0.1, 0.3]),
        gives_up=random.random() < 0.3,
    )


@dataclass(frozen=True)
class Sample:
    at: datetime
    wh: int
    context: str


@dataclass(frozen=True)
class Event:
    """As it's told."""

    kind: str
    at: datetime
    seq_no: int
    samples: tuple[Sample, ...] = ()
    names_evse: bool = False
    tag: str = ""
    is_offline: bool = False


@dataclass(eq=False)
class Session:
    """What truly happened, and what was told of it."""

    own_id: str
    evse: int
    tag: str
    begin_wh: int
    end_wh: int | None = None
    samples: list[Sample] = field(default_factory=list)
    seq_no: int = 0
    through: list[Event] = field(default_factory=list)
    """Those that the central system has handled."""

    def ended(self) -> Event | None:
        return next((event for event in self.through if event.kind == "Ended"), None)

    def told(self) -> list[Sample]:
        """In the order of time."""
        return sorted({each for event in self.through for each in event.samples}, key=lambda each: each.at)


@dataclass(eq=False)
class _Message:
    session: Session
    event: Event
    payload: dict[str, Any]


class Station:
    """With two EVSEs of one connector each."""

    def __init__(self, central: Central, random: Random, habits: Habits) -> None:
        self.central = central
        self.habits = habits
        self.sessions: list[Session] = []
        self.refused: list[Event] = []
        self.is_online = False
        self._random = random
        self._register = {1: 1000.0, 2: 5_000_000.0}
        self._running: dict[int, Session] = {}
        self._queue: deque[_Message] = deque()
        central.asked = self._asked

    def connect(self) -> None:
        self.central.connect()
        self.is_online = True

    def cut(self) -> None:
        if self.is_online:
            self.central.disconnect()
            self.is_online = False

    def pass_time(self, seconds: float) -> None:
        self.central.now += timedelta(seconds=seconds)
        for evse in self._running:
            self._register[evse] += _POWER * seconds / 3600
        self.central.look_for_orphans()

    def step(self, *, comes: bool = True) -> None:
        """Something happens at an EVSE."""
        evse = self._random.choice([1, 2])
        session = self._running.get(evse)
        if session is None:
            if comes:
                self._start(evse)
        elif self._random.random() < 0.35:
            self._end(session)
        else:
            self._sample(session)
        self.pass_time(self._random.choice([_MINUTE, 10 * _MINUTE, 60 * _MINUTE]))
        self.deliver()

    def end_all(self) -> None:
        for session in list(self._running.values()):
            self._end(session)
            self.pass_time(1)

    def forget(self) -> None:
        """The power fails, and it knows nothing of what ran and waited."""
        self.cut()
        for evse, session in self._running.items():
            session.end_wh = int(self._register[evse])
        self._running.clear()
        self._queue.clear()
        self.central.story.append("the station forgets all")
        self.pass_time(_MINUTE)

    def _asked(self, own_id: str) -> TransactionAnswer:
        if any(session.own_id == own_id for session in self._running.values()):
            return TransactionAnswer.ONGOING
        waits = any(message.session.own_id == own_id for message in self._queue)
        return TransactionAnswer.MESSAGES_QUEUED if waits else TransactionAnswer.OVER

    # What it tells.

    def _start(self, evse: int) -> None:
        number = len(self.sessions)
        session = Session(f"tx-{number}", evse, f"TAG-{number}", int(self._register[evse]))
        self.sessions.append(session)
        self._running[evse] = session
        habits = self.habits
        samples = [self._measure(session, _BEGIN)] if habits.has_begin else []
        self._put(session, "Started", samples, evse=Told.STARTED, token=Told.STARTED)
        self.pass_time(1)
        if Told.UPDATED in (habits.evse, habits.token):
            self._put(session, "Updated", [], evse=Told.UPDATED, token=Told.UPDATED)

    def _sample(self, session: Session) -> None:
        self._put(session, "Updated", [self._measure(session, _PERIODIC)])

    def _end(self, session: Session) -> None:
        del self._running[session.evse]
        session.end_wh = int(self._register[session.evse])
        end = self._measure(session, _END)
        samples = {Ends.OWN: [end], Ends.ALL: session.samples, Ends.NONE: []}[self.habits.ends]
        self._put(session, "Ended", list(samples))

    def _measure(self, session: Session, context: str) -> Sample:
        sample = Sample(self.central.now, int(self._register[session.evse]), context)
        session.samples.append(sample)
        return sample

    def _put(
        self,
        session: Session,
        kind: str,
        samples: Sequence[Sample],
        *,
        evse: Told | None = None,
        token: Told | None = None,
    ) -> None:
        habits = self.habits
        names_evse = evse is habits.evse or (habits.repeats_evse and kind != "Started")
        tag = session.tag if token is habits.token else ""
        event = Event(
            kind,
            self.central.now,
            session.seq_no if habits.counts else 0,
            tuple(samples),
            names_evse,
            tag,
            not self.is_online,
        )
        session.seq_no += 1
        self._queue.append(_Message(session, event, self._payload(session, event)))

    def _payload(self, session: Session, event: Event) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "eventType": event.kind,
            "timestamp": _spelled(event.at),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": event.seq_no,
            "transactionInfo": {"transactionId": session.own_id},
        }
        if self.habits.says_offline:
            payload["offline"] = event.is_offline
        if event.names_evse:
            payload["evse"] = {"id": session.evse, "connectorId": 1}
        if event.tag:
            payload["idToken"] = {"idToken": event.tag, "type": "ISO14443"}
        if event.samples:
            payload["meterValue"] = [self._meter_value(each) for each in event.samples]
        return payload

    def _meter_value(self, sample: Sample) -> dict[str, Any]:
        value: dict[str, Any] = {"value": sample.wh, "context": sample.context}
        if self.habits.multiplier:
            value |= {"value": sample.wh / 1000, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}
        return {"timestamp": _spelled(sample.at), "sampledValue": [value]}

    def deliver(self) -> None:
        """What waits, as far as the line holds."""
        if self.habits.shuffles:
            waiting = list(self._queue)
            self._random.shuffle(waiting)
            self._queue = deque(waiting)
        while self.is_online and self._queue:
            message = self._queue[0]
            if self._sent(message) or (self.habits.gives_up and self._random.random() < 0.5):
                self._queue.popleft()

    def repeat(self) -> None:
        """Say something again that was answered long ago."""
        said = [session for session in self.sessions if session.through]
        if self.is_online and said:
            session = self._random.choice(said)
            event = self._random.choice(session.through)
            self._say(_Message(session, event, self._payload(session, event)))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits."""
        return not self._queue

    def _sent(self, message: _Message) -> bool:
        """Whether it was answered."""
        self.pass_time(self._random.choice([0.05, 0.4]))
        is_lost = self._random.random() < self.habits.loses
        if not is_lost or self._random.random() < 0.5:
            self._say(message)
        if is_lost and self._random.random() < 0.3:
            self.cut()
        return not is_lost

    def _say(self, message: _Message) -> None:
        answer = self.central.say("TransactionEvent", message.payload)
        if answer is None:
            self.refused.append(message.event)
        elif message.event not in message.session.through:
            message.session.through.append(message.event)


def _spelled(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def walked(random: Random, sessions: int, version: KnownVersion) -> Iterator[Station]:
    """A station that has lived through so many sessions, decided by `random` alone; all is quiet again."""
    central = Central(BEGIN, version)
    try:
        station = Station(central, random, draw(random))
        trouble = random.choice([0.0, 0.2, 0.4])
        station.connect()
        while len(station.sessions) < sessions:
            if random.random() < trouble:
                _mishap(station, random)
            station.step()
            if not station.is_online and random.random() < 0.5:
                station.connect()
                station.deliver()
        station.end_all()
        _settle(station)
        yield station
    finally:
        central.close()


def _mishap(station: Station, random: Random) -> None:
    match random.randrange(4):
        case 0:
            station.cut()
            station.pass_time(random.choice([_MINUTE, 120 * _MINUTE]))
        case 1:
            station.is_online = False
            station.central.restart()
        case 2:
            station.repeat()
        case _:
            if random.random() < 0.3:
                station.forget()


def _settle(station: Station) -> None:
    """All is delivered or given up, and recovery has had its time."""
    for _ in range(1000):
        if not station.is_online:
            station.connect()
        station.deliver()
        if station.is_online and station.is_quiet:
            break
    for _ in range(4):
        station.cut()  # a boot counts once for each connection
        station.connect()
        station.central.say("BootNotification", _BOOT)
        station.pass_time(GRACE.total_seconds() + 2)


_BOOT: Final = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Two"}}
