"""How connectors stood over time, read out of what the domain has kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp import bounds
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.charge_points import Connected
from mcpp.domain.closing import Stop
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.state_history import note_run
from mcpp.domain.statuses import ConnectorError, ConnectorStatus, StopReason
from mcpp.domain.transactions import StartTransaction, StopTransaction, start_transaction, stop_transaction
from mcpp.reads.shown_state import ShownState, shown_state
from mcpp.reads.state_history import ConnectorHistory, Stretch, read_state_history
from mcpp.storage.sqlite.readers import SqliteReaderPool
from tests.database import BEGIN, Database, minute

Spell = tuple[float, float, str | None]
"""Minutes from when to when, and the state."""


class Charger:
    """One charge point's doings, at times that the test says."""

    def __init__(self, fleet: Database, identity: str = "CP-1") -> None:
        self.fleet, self.q, self.identity = fleet, fleet.q, identity
        self.connection: Connected | None = None
        self.running: int | None = None

    def connect(self, at: datetime) -> None:
        connected = charge_points.connect(self.q, self.identity, "1.6", at, register_unknown=True)
        assert isinstance(connected, Connected)
        self.connection = connected

    def disconnect(self, at: datetime) -> None:
        assert self.connection is not None
        charge_points.disconnect(self.q, self.connection, at)

    def status(self, status: ConnectorStatus, at: datetime, connector_id: int = 1) -> None:
        report = ReportStatus(connector_id, status, ConnectorError.NO_ERROR, None, None, None, at)
        report_status(self.q, self._occasion(at), report, Memory())

    def start(self, at: datetime) -> None:
        start = StartTransaction(1, "TAG", 1000, at, None)
        started = start_transaction(self.q, self._occasion(at), start, AuthorizationPolicy(), Memory())
        self.running = started.value.transaction_id

    def stop(self, at: datetime) -> None:
        assert self.running is not None
        end = Stop(2000, at, None, StopReason.LOCAL)
        stop = StopTransaction(self.running, end, (), OriginalMessage("1.6", lambda: "{}"))
        stop_transaction(self.q, self._occasion(at), stop, AuthorizationPolicy(), Memory())
        self.running = None

    def _occasion(self, at: datetime) -> Occasion:
        assert self.connection is not None
        return Occasion(self.connection.key, self.identity, "f" * 32, at, lambda: "a" * 32)


@pytest.fixture
def charger(fleet: Database) -> Charger:
    note_run(fleet.q, None, minute(0), minute(0))
    return Charger(fleet)


async def history(pool: SqliteReaderPool, since: float, until: float, most: int = 300) -> list[ConnectorHistory]:
    found = await read_state_history(pool, "CP-1", minute(since), minute(until), most)
    assert found is not None
    return found.connectors


def spells(connector: ConnectorHistory) -> list[Spell]:
    return [
        ((it.since - BEGIN) / timedelta(minutes=1), (it.until - BEGIN) / timedelta(minutes=1), it.state)
        for it in connector.stretches
    ]


async def test_a_day_of_a_charger(charger: Charger, pool: SqliteReaderPool) -> None:
    charger.connect(minute(10))
    charger.status(ConnectorStatus.AVAILABLE, minute(11))
    charger.start(minute(20))
    charger.status(ConnectorStatus.CHARGING, minute(21))
    charger.stop(minute(50))
    charger.status(ConnectorStatus.FINISHING, minute(50))
    charger.status(ConnectorStatus.FAULTED, minute(60))
    charger.disconnect(minute(70))
    charger.connect(minute(80))
    charger.status(ConnectorStatus.AVAILABLE, minute(81))

    (connector,) = await history(pool, 0, 100)

    assert spells(connector) == [
        (0, 10, None),
        (10, 11, "unavailable"),
        (11, 20, "free"),
        (20, 50, "charging"),
        (50, 60, "plugged_in"),
        (60, 70, "faulted"),
        (70, 80, "offline"),
        (80, 81, "faulted"),
        (81, 100, "free"),
    ]
    assert connector.durations[ShownState.FREE] == timedelta(minutes=28)
    assert connector.slot is None
    (part,) = await history(pool, 55, 65)
    assert spells(part) == [(55, 60, "plugged_in"), (60, 65, "faulted")]


async def test_while_the_server_was_down_nothing_is_known(
    charger: Charger, fleet: Database, pool: SqliteReaderPool
) -> None:
    charger.connect(minute(1))
    charger.status(ConnectorStatus.AVAILABLE, minute(1))
    note_run(fleet.q, 1, minute(0), minute(30))  # then it's killed, and the charger's connection has no end
    note_run(fleet.q, None, minute(40), minute(40))
    charger.connect(minute(45))

    (connector,) = await history(pool, 2, 60)

    assert spells(connector) == [(2, 30, "free"), (30, 40, None), (40, 45, "offline"), (45, 60, "free")]


async def test_a_connection_that_takes_the_place_of_another_one_ends_it(
    charger: Charger, pool: SqliteReaderPool
) -> None:
    charger.connect(minute(0))
    charger.status(ConnectorStatus.AVAILABLE, minute(0))
    charger.connect(minute(10))
    charger.disconnect(minute(20))

    (connector,) = await history(pool, 0, 30)

    assert spells(connector) == [(0, 20, "free"), (20, 30, "offline")]


async def test_a_charger_that_has_told_of_no_connector_and_one_that_never_came(
    charger: Charger, fleet: Database, pool: SqliteReaderPool
) -> None:
    charge_points.put_charge_point(fleet.q, "CP-1", charge_points.Wanted(), minute(5))
    (connector,) = await history(pool, 0, 10)
    assert spells(connector) == [(0, 5, None), (5, 10, "never_connected")]

    charger.connect(minute(8))
    (connector,) = await history(pool, 0, 10)
    assert spells(connector) == [(0, 5, None), (5, 8, "never_connected"), (8, 10, "unavailable")]
    assert await read_state_history(pool, "CP-2", minute(0), minute(1)) is None


async def test_of_a_charger_that_never_rests_the_newest_is_kept(charger: Charger, pool: SqliteReaderPool) -> None:
    words = (ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING)
    charger.fleet.connection.execute("BEGIN")
    charger.connect(minute(0))
    for number in range(bounds.STATUS_CHANGES + 10):
        charger.status(words[number % 2], minute(number))
        charger.status(words[number % 2], minute(number + 0.5))  # says nothing new
    for number in range(bounds.CONNECTIONS + 10):
        charger.connect(minute(number))
    charger.fleet.connection.execute("COMMIT")

    (connector,) = await history(pool, 0, 13)

    assert spells(connector) == [(0, 10, None), (10, 11, "free"), (11, 12, "plugged_in"), (12, 13, "free")]
    assert charger.fleet.connection.execute("SELECT count(*) FROM connector_statuses").fetchone() == (1000,)
    assert charger.fleet.connection.execute("SELECT count(*) FROM connections").fetchone() == (1000,)


async def test_more_stretches_than_are_wanted_become_slots_and_the_durations_stay_exact(
    charger: Charger, pool: SqliteReaderPool
) -> None:
    charger.connect(minute(0))
    for number in range(100):
        charger.status(ConnectorStatus.AVAILABLE, minute(10 * number))
        charger.status(ConnectorStatus.FAULTED, minute(10 * number + 9))
    charger.status(ConnectorStatus.UNAVAILABLE, minute(1000))

    (connector,) = await history(pool, 0, 2000, 10)

    assert connector.slot == timedelta(minutes=200)
    assert spells(connector) == [(0, 1000, "free"), (1000, 2000, "unavailable")]
    assert connector.durations == {
        ShownState.FREE: timedelta(minutes=900),
        ShownState.FAULTED: timedelta(minutes=100),
        ShownState.UNAVAILABLE: timedelta(minutes=1000),
    }


DEEDS = ("connect", "disconnect", "start", "stop", "kill", *ConnectorStatus)
IDENTITIES = count()


class Model:
    """What a charger, and the server, are found to be like at each moment."""

    def __init__(self) -> None:
        self.runs, self.connected, self.has_connected = True, False, False
        self.status: str | None = None
        self.charges = False

    def state(self) -> ShownState | None:
        if not self.runs or not self.has_connected:
            return None  # it registers by connecting
        return shown_state(
            connected=self.connected,
            has_connected=self.has_connected,
            status=self.status,
            has_transaction=self.charges,
        )


def act(deed: str, at: datetime, model: Model, charger: Charger, run_id: int) -> int:
    """Does it with the books and the model, where it's possible; returns the run's number."""
    q = charger.q
    if not model.runs:  # whatever comes, the server starts first
        model.runs = True
        return note_run(q, None, at, at)
    if deed == "kill":
        note_run(q, run_id, at, at)
        model.runs = model.connected = False
    elif deed == "connect":
        charger.connect(at)
        model.connected = model.has_connected = True
    elif not model.connected:
        pass
    elif deed == "disconnect":
        charger.disconnect(at)
        model.connected = False
    elif deed == "start" and not model.charges:
        charger.start(at)
        model.charges = True
    elif deed == "stop" and model.charges:
        charger.stop(at)
        model.charges = False
    elif deed in set(ConnectorStatus):
        charger.status(ConnectorStatus(deed), at)
        model.status = deed
    return run_id


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(tmp_path_factory.mktemp("histories") / "mcpp.db")


@given(st.lists(st.tuples(st.integers(1, 7200), st.sampled_from(DEEDS)), min_size=1, max_size=25))
def test_each_moment_has_the_state_that_was_shown_then(shared: Database, deeds: Sequence[tuple[int, str]]) -> None:
    number = next(IDENTITIES)
    charger, model = Charger(shared, f"CP-{number}"), Model()
    at = begin = BEGIN + timedelta(days=10 * number)
    shared.connection.execute("BEGIN")
    run_id = note_run(shared.q, None, begin, begin)
    expected: list[Stretch] = []
    for seconds, deed in deeds:
        expected.append(Stretch(at, at + timedelta(seconds=seconds), model.state()))
        at += timedelta(seconds=seconds)
        run_id = act(deed, at, model, charger, run_id)
    if not model.runs:  # whoever asks, asks a server that runs
        run_id = act("start", at, model, charger, run_id)
    expected.append(Stretch(at, at + timedelta(minutes=1), model.state()))
    shared.connection.execute("COMMIT")

    async def read() -> list[Stretch] | None:
        pool = await SqliteReaderPool.open(shared.path, size=1)
        found = await read_state_history(pool, charger.identity, begin, expected[-1].until)
        await pool.close()
        return None if found is None else found.connectors[0].stretches

    stretches = asyncio.run(read())

    if stretches is None:
        assert charger.connection is None
        return
    for moment in (it.since + (it.until - it.since) / 2 for it in expected):
        (wanted,) = (it.state for it in expected if it.since <= moment < it.until)
        (shown,) = (it.state for it in stretches if it.since <= moment < it.until)
        assert shown == wanted, moment
