"""A charge point that keeps to OCPP 1.6 whatever happens to it, and a central system's books in a real file.

Messages about transactions wait in a queue and go out oldest first, each until it's answered (§3.7, §4.8, §4.10);
statuses tell the present, and are told again until answered (§4.9). Power cuts may cost it queue and sessions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Boot
from mcpp.domain.closing import Stop
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.occasion import Occasion, OriginalMessage, Result
from mcpp.domain.recovery import close_orphans
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus, StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.storage.engine import Durability
from mcpp.storage.sqlite.database import WriterConnection, open_writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

P = ParamSpec("P")
T = TypeVar("T")

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
GRACE = timedelta(seconds=120)
IDENTITY = "CP-1"
_ENERGY = SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw")
_POLICY = AuthorizationPolicy()


class Clock:
    """Everybody's, and right; no two things happen at one moment."""

    def __init__(self) -> None:
        self.now = BEGIN

    def tick(self, seconds: float = 1) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


class Books:
    """The domain over a database file; a restart loses what is only in memory."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._ids = (f"{number:032x}" for number in count(1))
        self._open()

    def _open(self) -> None:
        self.connection: WriterConnection = open_writer(self._path, Durability.NORMAL)
        self.q = SqliteQueries(self.connection)
        self._memory = Memory()
        self.connected_since: dict[int, datetime] = {}

    def restart(self) -> None:
        self.connection.close()
        self._open()

    def kill_in_the_middle_of_a_recovery(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self._close_orphans()
        self.restart()

    def connect(self) -> None:
        connected = self._commit(charge_points.connect, IDENTITY, "1.6", self._clock.now, register_unknown=True)
        assert isinstance(connected, charge_points.Connected)
        self.connected_since = {connected.key: self._clock.now}
        self._connected = connected

    def disconnect(self) -> None:
        if self.connected_since:
            self._commit(charge_points.disconnect, self._connected, self._clock.now)
        self.connected_since = {}

    def look_for_orphans(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self._close_orphans()
        self.connection.execute("COMMIT")

    def _close_orphans(self) -> None:
        close_orphans(self.q, self._clock.now, GRACE, self.connected_since, lambda: next(self._ids))

    def handle(
        self, function: Callable[Concatenate[Queries, Occasion, P], Result[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """A message of the charge point, committed."""
        (key,) = self.connected_since
        occasion = Occasion(key, IDENTITY, next(self._ids), self._clock.tick(), lambda: next(self._ids))
        return self._commit(function, occasion, *args, **kwargs).value

    def _commit(self, function: Callable[Concatenate[Queries, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        self.connection.execute("BEGIN IMMEDIATE")
        result = function(self.q, *args, **kwargs)
        self.connection.execute("COMMIT")
        if function is not record_meter_values:  # the writer's rule
            self._memory.forget(None)
        return result

    def boot(self) -> None:
        self.handle(charge_points.boot, Boot("V", "M", None, None, None, None, None, None, None))

    def status(self, connector: int, status: str, at: datetime) -> None:
        self.handle(
            report_status,
            ReportStatus(connector, ConnectorStatus(status), NO_ERROR, None, None, None, at),
            self._memory,
        )

    def start(self, connector: int, tag: str, meter_start: int, at: datetime) -> int:
        command = StartTransaction(connector, tag, meter_start, at, None)
        return self.handle(start_transaction, command, _POLICY, self._memory).transaction_id

    def values(self, connector: int, transaction_id: int, at: datetime, wh: int) -> None:
        command = RecordMeterValues(
            connector, transaction_id, [Sample(at, _ENERGY, str(wh), 0)], OriginalMessage("1.6", lambda: "{}")
        )
        self.handle(record_meter_values, command, self._memory)

    def stop(self, transaction_id: int, wh: int, at: datetime) -> None:
        command = StopTransaction(
            transaction_id, Stop(wh, at, None, StopReason.LOCAL), (), OriginalMessage("1.6", lambda: "{}")
        )
        self.handle(stop_transaction, command, _POLICY, self._memory)


@dataclass(eq=False)
class Session:
    """A real one, and how much of it the books were told."""

    connector: int
    tag: str
    meter_start: int
    started_at: datetime
    transaction_id: int = 0
    """As the charge point knows it; 0 before the answer."""
    ended: tuple[int, datetime] | None = None
    """Its last register, and when; its charge point may have no record of that."""
    answers: set[int] = field(default_factory=set)
    told_values: list[int] = field(default_factory=list)
    told_stop: bool = False


@dataclass
class Connector:
    number: int
    register: int
    status: str = "Available"
    status_at: datetime = BEGIN
    told: str | None = None
    session: Session | None = None


class Fate(Enum):
    """What becomes of a message."""

    ANSWERED = auto()
    HANDLED = auto()
    """But the answer is lost with the connection."""
    LOST = auto()


class PowerCut(Enum):
    """What a charge point still has after it."""

    RESUMES = auto()
    STOPS = auto()
    """Its sessions end, and it knows when."""
    FORGETS_SESSIONS = auto()
    FORGETS_ALL = auto()


Message = Callable[[], None]


class Charger:
    """The charge point."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self.books = books
        self.online = False
        self.connectors = {number: Connector(number, 1000 * number) for number in (1, 2)}
        self.sessions: list[Session] = []
        self.next_fate = Fate.ANSWERED
        self._clock = clock
        self._queue: deque[Message] = deque()
        self._last: Message | None = None
        self._must_boot = True

    # What happens at the connectors.

    def plug_in(self, number: int) -> None:
        connector = self.connectors[number]
        self._set(connector, "Preparing")
        session = Session(number, f"TAG-{len(self.sessions)}", connector.register, self._clock.tick())
        self.sessions.append(session)
        connector.session = session
        self._queue.append(lambda: self._start(session))
        self._set(connector, "Charging")

    def charge(self, number: int, wh: int) -> None:
        """Some energy, not told."""
        self.connectors[number].register += wh

    def sample(self, number: int) -> None:
        connector = self.connectors[number]
        session, at, wh = connector.session, self._clock.tick(), connector.register
        self._queue.append(lambda: self._values(number, session, at, wh))

    def suspend(self, number: int, status: str) -> None:
        self._set(self.connectors[number], status)

    def stop(self, number: int) -> None:
        connector = self.connectors[number]
        self._end(connector, is_known=True)
        self._set(connector, "Finishing")

    def unplug(self, number: int) -> None:
        self._set(self.connectors[number], "Available")

    def _end(self, connector: Connector, *, is_known: bool) -> None:
        session, at, wh = connector.session, self._clock.tick(), connector.register
        if session is None:
            return
        connector.session = None
        session.ended = (wh, at)
        if is_known:
            self._queue.append(lambda: self._stop(session, wh, at))

    def cut_power(self, cut: PowerCut, status: str) -> None:
        """Connectors that don't resume come back with this status."""
        self.cut()
        self._must_boot = True
        for connector in self.connectors.values():
            if cut is not PowerCut.RESUMES:
                self._end(connector, is_known=cut is PowerCut.STOPS)
                connector.status, connector.status_at = status, self._clock.tick()
            connector.told = None
        if cut is PowerCut.FORGETS_ALL:
            self._queue.clear()
        self._last = None

    # The line.

    def connect(self) -> None:
        self._clock.tick()
        self.books.connect()
        self.online = True
        if self._must_boot and self._send(self.books.boot):
            self._must_boot = False
        for connector in self.connectors.values():
            self._tell(connector)

    def cut(self) -> None:
        self._clock.tick()
        if self.online:
            self.books.disconnect()
        self.online = False

    def hang_up(self) -> None:
        """The central system is gone, and with it what it knew of the connection."""
        self.online = False

    def deliver(self, most: int) -> None:
        for _ in range(most):
            if not self.online or self._must_boot or not self._queue:
                return
            message = self._queue[0]
            if self._send(message):
                self._last = self._queue.popleft()

    def repeat(self) -> None:
        if self._last is not None and self.online:
            self._send(self._last)

    @property
    def has_delivered_all(self) -> bool:
        told = all(connector.told == connector.status for connector in self.connectors.values())
        return self.online and not self._must_boot and not self._queue and told

    def _set(self, connector: Connector, status: str) -> None:
        connector.status, connector.status_at = status, self._clock.tick()
        self._tell(connector)

    def _tell(self, connector: Connector) -> None:
        if not self.online or self._must_boot or connector.told == connector.status:
            return
        number, status, at = connector.number, connector.status, connector.status_at
        if self._send(lambda: self.books.status(number, status, at)):
            connector.told = status

    def _send(self, message: Message) -> bool:
        """Whether it was answered; else the connection is gone."""
        fate, self.next_fate = self.next_fate, Fate.ANSWERED
        if fate is not Fate.LOST:
            message()
        if fate is not Fate.ANSWERED:
            self.cut()
        return fate is Fate.ANSWERED

    # The messages. An answer that is lost is handled, but teaches nothing.

    def _start(self, session: Session) -> None:
        is_answered = self.next_fate is Fate.ANSWERED
        given = self.books.start(session.connector, session.tag, session.meter_start, session.started_at)
        session.answers.add(given)
        if is_answered:
            session.transaction_id = given

    def _values(self, number: int, session: Session | None, at: datetime, wh: int) -> None:
        self.books.values(number, session.transaction_id if session else 0, at, wh)
        if session:
            session.told_values.append(wh)

    def _stop(self, session: Session, wh: int, at: datetime) -> None:
        self.books.stop(session.transaction_id, wh, at)
        session.told_stop = True
