"""A charge point with two connectors that keeps its own account, has habits, and a line that loses messages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import Any

from tests.walks.account import Session
from tests.walks.central import Central
from tests.walks.habits import ABSENT, OWN_COUNT, Clock, Habits, Ids, Names, Registers, Series, Statuses
from tests.walks.meter import SENTINELS, Reading, Sampled, at_quarter_hour, sampled, spoil

TWIN = "one start like another's, which its id hasn't stopped"

_1970 = datetime(1970, 1, 1, tzinfo=UTC)


class Fate(Enum):
    """What becomes of a message."""

    ANSWERED = auto()
    HANDLED = auto()
    """But its answer is lost."""
    LOST = auto()


class PowerCut(Enum):
    """What a charger still has after it."""

    RESUMES = "resumes"
    STOPS = "stops"
    """Its sessions end, and it knows when."""
    STOPS_AT_BOOT = "stops at boot"
    """And it says that they ended when it booted."""
    FORGETS_SESSIONS = "forgets sessions"
    FORGETS_ALL = "forgets all"
    """Its queue as well."""


@dataclass(eq=False)
class Connector:
    number: int
    wh: float
    """The lifetime register."""
    power: float = 0.0
    session: Session | None = None
    previous: Session | None = None
    status: str = "Available"
    told_status: str | None = None
    status_time: str = ""
    sampled_wh: int = 0
    """Where the last sample stood."""
    sample_at: datetime | None = None


@dataclass(eq=False)
class Message:
    action: str
    payload: Callable[[], dict[str, Any]]
    session: Session | None = None
    handled: Callable[[dict[str, Any], dict[str, Any], bool], None] | None = None
    """Called with the payload, the answer, and whether the charger got that."""


class Charger:
    def __init__(self, central: Central, random: Random, habits: Habits) -> None:
        self.central = central
        self.habits = habits
        self.sessions: list[Session] = []
        self.connectors = {
            1: Connector(1, habits.base),
            2: Connector(2, habits.base + random.choice([70_000, 2_500_000])),
        }
        self.online = False
        self.is_up = True
        self._random = random
        self._queue: deque[Message] = deque()
        self._backlog: deque[Message] = deque()
        """What was queued offline, where it may come late."""
        self._last: Message | None = None
        self._must_boot = True
        self._count = 0
        self._clock_at = central.now
        """When its clock showed `_clock_shows`."""
        self._clock_shows = central.now
        if habits.clock is Clock.ALWAYS_1970:
            self._set_clock(_1970 + timedelta(seconds=40))
        elif habits.clock is Clock.FUTURE:
            self._set_clock(central.now + timedelta(days=3653))
        elif habits.clock is Clock.LOCAL:
            self._set_clock(central.now + timedelta(hours=2))
        for connector in self.connectors.values():
            connector.status_time = self._stamp()

    # Time and energy.

    @property
    def now(self) -> datetime:
        """By its own clock."""
        return self._clock_shows + (self.central.now - self._clock_at)

    def _set_clock(self, shows: datetime) -> None:
        self._clock_at, self._clock_shows = self.central.now, shows

    def shift_clock(self, by: timedelta) -> None:
        self.central.story.append(f"the charger's clock is set by {by}")
        self._set_clock(self.now + by)
        for connector in self.connectors.values():
            if connector.session:
                connector.session.marks.add("clock set in mid-session")

    def _stamp(self) -> str:
        if self.habits.whole_seconds:
            return f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def tick(self, seconds: float) -> None:
        """Time goes by, and energy flows."""
        self.central.now += timedelta(seconds=seconds)
        for connector in self.connectors.values():
            if connector.session and self.is_up:
                connector.wh += connector.power * seconds / 3600

    def pass_time(self, seconds: float) -> None:
        """The same, with samples, what is delivered meanwhile, and the server's chores."""
        until = self.central.now + timedelta(seconds=seconds)
        while (due := self._next_sample()) is not None and due < until:
            self.tick(max((due - self.central.now).total_seconds(), 0))
            self._take_samples()
            self.deliver()
        self.tick(max((until - self.central.now).total_seconds(), 0))
        self.deliver()
        self.central.look_for_orphans()

    # People.

    def plug_in(self, number: int) -> None:
        connector, random = self.connectors[number], self._random
        self._status(connector, "Preparing")
        tag = "TAG" if self.habits.one_tag else f"TAG-{len(self.sessions)}"
        session = Session(number, tag, int(connector.wh), self.central.now)
        self.sessions.append(session)
        connector.session = session
        connector.power = self.habits.power * random.choice([0.3, 0.8, 1.0])
        connector.sampled_wh = session.begin_wh
        connector.sample_at = self.central.now + timedelta(seconds=self.habits.interval)
        payload = {
            "connectorId": number,
            "idTag": tag,
            "meterStart": 0 if self.habits.registers.begins_at_zero else session.begin_wh,
            "timestamp": self._stamp(),
        }
        session.start = payload
        self._put(Message("StartTransaction", lambda: payload, session, self._started(session)))
        self._status(connector, "Charging")
        self.deliver()

    def _started(self, session: Session) -> Callable[[dict[str, Any], dict[str, Any], bool], None]:
        def handled(_: dict[str, Any], answer: dict[str, Any], is_learned: bool) -> None:
            for twin in self.sessions:
                if twin is not session and twin.start == session.start and twin.answers and not twin.stopped_by_id:
                    session.marks.add(TWIN)
                    twin.marks.add(TWIN)
            session.answers.append(answer["transactionId"])
            if is_learned:
                session.known_id = answer["transactionId"]

        return handled

    def suspend(self, number: int, status: str) -> None:
        connector = self.connectors[number]
        connector.power = 0.0 if status != "Charging" else self.habits.power
        self._status(connector, status)

    def stop(self, number: int, *, unplugs: bool, reason: str = "Local") -> None:
        connector = self.connectors[number]
        self._end(connector, reason)
        self._status(connector, "Finishing")
        self.deliver()
        if unplugs:
            self.unplug(number)

    def unplug(self, number: int) -> None:
        self._status(self.connectors[number], "Available")

    def _end(self, connector: Connector, reason: str | None) -> None:
        """Without a reason it will never be told."""
        session = connector.session
        if session is None:
            return
        connector.session, connector.previous, connector.sample_at = None, session, None
        session.end_wh, session.ended_at = int(connector.wh), self.central.now
        if reason is None:
            session.marks.add("stop never sent")
            return
        self._mix_up(session)
        stamp = self._stamp()
        register = self._stop_register(session)

        stop: dict[str, Any] = {"meterStop": register, "timestamp": stamp, "reason": reason}
        if self.habits.tells_tag:
            stop["idTag"] = session.tag
        if self.habits.transaction_data:
            values = sampled(self.habits.series, self._reading(connector, session))
            if values:
                values = [{**value, "context": "Transaction.End"} for value in values]
                stop["transactionData"] = [{"timestamp": stamp, "sampledValue": values}]
        frozen = self._id_of(session) if self.habits.freezes else None

        def handled(payload: dict[str, Any], _: dict[str, Any], __: bool) -> None:
            session.stops.append(payload)
            if payload.get("transactionId") in session.answers:
                session.stopped_by_id = True
            else:
                session.marks.add("stop without its id")

        self._put(
            Message(
                "StopTransaction",
                lambda: {**stop, **(self._id_of(session) if frozen is None else frozen)},
                session,
                handled,
            )
        )

    def _stop_register(self, session: Session) -> int:
        assert session.end_wh is not None
        if self.habits.sentinels and self._random.random() < 0.2:
            session.marks.add("stop is a sentinel")
            return self._random.choice(SENTINELS)
        match self.habits.registers:
            case Registers.LIFETIME:
                return session.end_wh
            case Registers.SESSION | Registers.STOP_OF_SESSION:
                return session.wh
            case Registers.STOP_MINUS_ONE | Registers.ZERO_MINUS_ONE:
                return -1
            case Registers.STOP_ZERO | Registers.ZERO_ZERO:
                return 0

    # Ids.

    def _mix_up(self, session: Session) -> None:
        if self.habits.ids is Ids.KEPT or self._random.random() < 0.5:
            return
        if self.habits.ids is Ids.FORGOTTEN:
            session.claim = self._no_id_of(session)
            session.marks.add("id forgotten")
            return
        if self.habits.ids is Ids.PREVIOUS:
            before = [other for other in self.sessions if other.connector == session.connector and other.known_id]
            other = next((other for other in reversed(before) if other is not session), None)
            mark = "id of the previous"
        else:
            there = self.connectors[3 - session.connector]
            other = there.session or there.previous
            mark = "id of the other connector's"
        if other is not None and other.known_id is not None:
            session.claim = {"transactionId": other.known_id}
            session.marks.add(mark)

    def _id_of(self, session: Session) -> dict[str, Any]:
        """As a field of its messages."""
        if session.claim is not None:
            return session.claim
        return self._no_id_of(session) if session.known_id is None else {"transactionId": session.known_id}

    def _no_id_of(self, session: Session) -> dict[str, Any]:
        no_id = self.habits.no_id
        if no_id == ABSENT:
            return {}
        if no_id == OWN_COUNT:
            if not session.own_number:
                self._count += 1
                session.own_number = self._count
            return {"transactionId": session.own_number}
        return {"transactionId": no_id}

    # Meter values.

    def _next_sample(self) -> datetime | None:
        if not self.is_up:
            return None
        due = [connector.sample_at for connector in self.connectors.values() if connector.sample_at is not None]
        return min(due) if due else None

    def _reading(self, connector: Connector, session: Session | None) -> Reading:
        wh = int(connector.wh)
        session_wh = None if session is None else wh - session.begin_wh
        inlet = int(sum(each.wh for each in self.connectors.values()) * 1.02) + 1_000
        return Reading(wh, session_wh, wh - connector.sampled_wh, inlet, connector.power)

    def _take_samples(self) -> None:
        for connector in self.connectors.values():
            session = connector.session
            if session is None or connector.sample_at is None or connector.sample_at > self.central.now:
                continue
            connector.sample_at = self.central.now + timedelta(seconds=self.habits.interval)
            reading = self._reading(connector, session)
            connector.sampled_wh = reading.wh
            values, is_true = self._with_oddities(sampled(self.habits.series, reading), session)
            told = reading.wh - session.begin_wh if is_true and self.habits.series is not Series.NONE else None
            self._put_values(connector, session, values, told)
            if self.habits.series is Series.LIFETIME_BESIDE:
                self._put_values(connector, None, at_quarter_hour(reading), None)

    def sample_idle(self, number: int) -> None:
        """Chargers tell the register of an idle connector, too."""
        connector = self.connectors[number]
        if connector.session is None and self.is_up:
            reading = self._reading(connector, None)
            stale = connector.previous if self.habits.names is Names.STALE else None
            self._put_values(connector, None, sampled(self.habits.series, reading), None, named=stale)

    def _with_oddities(self, values: list[Sampled], session: Session) -> tuple[list[Sampled], bool]:
        if self.habits.dips and self._random.random() < 0.2:
            session.marks.add("a value fell to 0")
            return spoil(values, 0), False
        if self.habits.sentinels and self._random.random() < 0.2:
            session.marks.add("a value is a sentinel")
            return spoil(values, self._random.choice(SENTINELS)), False
        return values, True

    def _put_values(
        self,
        connector: Connector,
        session: Session | None,
        values: list[Sampled],
        told_wh: int | None,
        *,
        named: Session | None = None,
    ) -> None:
        if not values:
            return
        body = {
            "connectorId": connector.number,
            "meterValue": [{"timestamp": self._stamp(), "sampledValue": values}],
        }
        frozen = self._values_id(session or named) if self.habits.freezes else None
        at = self.central.now

        def handled(_: dict[str, Any], __: dict[str, Any], ___: bool) -> None:
            if session is not None and told_wh is not None:
                session.told.append((at, told_wh))

        self._put(
            Message(
                "MeterValues",
                lambda: {**body, **(self._values_id(session or named) if frozen is None else frozen)},
                session,
                handled,
            )
        )

    def _values_id(self, session: Session | None) -> dict[str, Any]:
        names = self.habits.names
        if names is Names.NEVER:
            return {}
        if names is Names.ZERO:
            return {"transactionId": 0}
        return {} if session is None else self._id_of(session)

    # Statuses.

    def _status(self, connector: Connector, status: str) -> None:
        connector.status, connector.status_time = status, self._stamp()
        if self.habits.statuses is Statuses.QUEUED:
            payload = self._status_payload(connector)
            self._put(Message("StatusNotification", lambda: payload))
            connector.told_status = status
        else:
            self._tell(connector)

    def _tell(self, connector: Connector) -> None:
        if self.habits.statuses is Statuses.NEVER or not self.online or self._must_boot:
            return
        if connector.told_status == connector.status:
            return
        payload = self._status_payload(connector)
        if self._send(Message("StatusNotification", lambda: payload)):
            connector.told_status = connector.status

    def _status_payload(self, connector: Connector) -> dict[str, Any]:
        return {
            "connectorId": connector.number,
            "errorCode": "NoError",
            "status": connector.status,
            "timestamp": connector.status_time,
        }

    # The line.

    def connect(self) -> None:
        self.tick(1)
        self.central.connect()
        self.online = True
        if self._must_boot and self._send(Message("BootNotification", self._boot)):
            self._must_boot = False
            if self.habits.clock is Clock.NO_BATTERY or (
                self.habits.clock in {Clock.FUTURE, Clock.SET_BACK} and self._random.random() < 0.3
            ):
                self._set_clock(self.central.now)
        for connector in self.connectors.values():
            self._tell(connector)

    def _boot(self) -> dict[str, Any]:
        return {"chargePointVendor": "V", "chargePointModel": "M"}

    def cut(self) -> None:
        self.tick(1)
        self.central.disconnect()
        self.online = False
        if self.habits.late_queue:
            self._backlog.extend(self._queue)
            self._queue.clear()

    def _put(self, message: Message) -> None:
        is_of_backlog = message.session is not None and any(m.session is message.session for m in self._backlog)
        if self.habits.late_queue and (is_of_backlog or not self.online):
            self._backlog.append(message)
        else:
            self._queue.append(message)

    def deliver(self) -> None:
        """Send what waits, the oldest first; a late queue only now and then."""
        for queue in (self._queue, self._backlog):
            if queue is self._backlog and self._random.random() < 0.7:
                return
            while self.online and not self._must_boot and queue:
                message = queue[0]
                if self._send(message):
                    self._last = message
                    self._drop(message)
                elif self.habits.gives_up and message.session and self._random.random() < 0.5:
                    message.session.marks.add(f"{message.action} given up")
                    self._drop(message)

    def _drop(self, message: Message) -> None:
        for queue in (self._queue, self._backlog):
            if queue and queue[0] is message:
                queue.popleft()

    def repeat(self) -> None:
        """Some send their last message again, though it was answered."""
        if self._last is not None and self._last.action == "StartTransaction":
            assert self._last.session is not None
            if self._last.session.stops:
                return  # what it says next would be of a session that never was
        if self._last is not None and self.online and not self._must_boot:
            if self._last.session:
                self._last.session.marks.add(f"{self._last.action} repeated")
            self._send(self._last)

    @property
    def has_delivered_all(self) -> bool:
        return self.online and not self._must_boot and not self._queue and not self._backlog

    def _send(self, message: Message) -> bool:
        """Whether it was answered; else the connection may be gone."""
        self.tick(self._random.choice([0.05, 0.4]))
        self.central.look_for_orphans()
        fate = Fate.ANSWERED
        if self.habits.loses and self._random.random() < self.habits.loses:
            fate = self._random.choice([Fate.HANDLED, Fate.LOST])
        if fate is not Fate.LOST:
            payload = message.payload()
            answer = self.central.say(message.action, payload)
            if answer is None:
                if message.session:
                    message.session.refused.append(message.action)
                return True  # it gives up
            if message.handled:
                message.handled(payload, answer, fate is Fate.ANSWERED)
        if fate is Fate.ANSWERED:
            return True
        self.central.story.append(f"{message.action}: {fate.name.lower()}, and not answered")
        if message.session:
            message.session.marks.add(f"{message.action} unanswered")
        if self._random.random() < 0.5:
            self.cut()
        return False

    # Power.

    def cut_power(self, cut: PowerCut, status: str, seconds: float) -> None:
        """All goes dark for so long; connectors that don't resume come back with this status."""
        if self.online:
            self.cut()
        self.central.story.append(f"power cut: {cut.name}")
        for connector in self.connectors.values():
            if connector.session:
                connector.session.marks.add(f"power cut, {cut.value}")
            if cut not in {PowerCut.RESUMES, PowerCut.STOPS_AT_BOOT}:
                self._end(connector, "PowerLoss" if cut is PowerCut.STOPS else None)
        if cut is PowerCut.FORGETS_ALL:
            for message in (*self._queue, *self._backlog):
                if message.session:
                    message.session.marks.add(f"{message.action} lost in a power cut")
            self._queue.clear()
            self._backlog.clear()
        self._last = None
        self._must_boot = True
        self.is_up = False
        self.tick(seconds)
        if self.habits.clock in {Clock.NO_BATTERY, Clock.ALWAYS_1970}:
            self._set_clock(_1970 + timedelta(seconds=self._random.choice([8, 40])))
        for connector in self.connectors.values():
            connector.told_status = None
            if cut is PowerCut.STOPS_AT_BOOT:
                self._end(connector, "PowerLoss")
            if cut is not PowerCut.RESUMES:
                connector.status, connector.status_time = status, self._stamp()
        self.is_up = True
