"""What happens by the clock: reservations expire, orphans are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcpp.clock import Clock
from mcpp.domain import charge_points, reservations
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, AuthorizationStatus
from mcpp.domain.cards import CardBook
from mcpp.domain.conformance import AT_ONCE, ConformanceBook, Kind, Seen
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import Event, ReservationChanged, TransactionRecovered
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.reservations import Reserve
from mcpp.domain.retention import PORTION
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from mcpp.domain.transactions import StartTransaction, start_transaction
from mcpp.reads.conformance import list_all
from mcpp.server.chores import CardKeeper, ConformanceKeeper, RecoveryKeeper, ReservationKeeper, RetentionKeeper
from mcpp.storage.sqlite.database import WriterConnection, open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import MessageRole, ReservationState
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
EXPIRY = NOW + timedelta(minutes=5)
HOUR = 3600


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer[Queries]]:
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    writer = Writer(connection, SqliteQueries(connection))
    connected = await writer.submit(charge_points.connect, "CP-1", "1.6", NOW, register_unknown=True)
    assert isinstance(connected, charge_points.Connected)
    occasion = Occasion(connected.key, "CP-1", "f" * 32, NOW, lambda: "f" * 32)
    await writer.submit(reservations.record, occasion, Reserve(7, 1, "TAG", None, EXPIRY))
    yield writer
    await writer.close()


async def test_reservations_expire_by_the_clock(writer: Writer[Queries]) -> None:
    told: list[Event] = []
    now = EXPIRY - timedelta(seconds=1)
    keeper = ReservationKeeper(writer, told.extend, lambda: now)
    await keeper.work()
    before = list(told)
    now = EXPIRY
    await keeper.work()
    await keeper.work()

    assert before == []
    (event,) = told
    assert isinstance(event, ReservationChanged)
    assert (event.reservation_id, event.status, event.at) == (7, ReservationState.EXPIRED, EXPIRY)


async def test_what_ran_out_while_the_server_was_down_expires_at_its_start(writer: Writer[Queries]) -> None:
    expired = asyncio.Event()

    def publish(events: Iterable[Event]) -> None:
        if any(isinstance(event, ReservationChanged) for event in events):
            expired.set()

    keeper = ReservationKeeper(writer, publish, lambda: EXPIRY, interval=3600)
    keeper.start()
    await asyncio.wait_for(expired.wait(), 10)
    await keeper.stop()


async def test_an_orphan_is_closed_by_the_clock(writer: Writer[Queries]) -> None:
    key = 1
    occasion = Occasion(key, "CP-1", "f" * 32, NOW, lambda: "f" * 32)
    await writer.submit(
        start_transaction, occasion, StartTransaction(1, "TAG", 1000, NOW, None), AuthorizationPolicy(), Memory()
    )
    available = ReportStatus(1, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, NOW)
    await writer.submit(report_status, occasion, available, Memory())
    told: list[Event] = []
    connected: dict[int, datetime] = {}
    now = NOW + timedelta(days=1)
    keeper = RecoveryKeeper(writer, told.extend, lambda: connected, timedelta(seconds=120), lambda: now)
    await keeper.work()
    while_away = list(told)
    connected[key] = now
    now += timedelta(seconds=119)
    await keeper.work()
    within_the_grace_period = list(told)
    now += timedelta(seconds=1)
    await keeper.work()
    await keeper.work()

    assert while_away == within_the_grace_period == []
    (event,) = told
    assert isinstance(event, TransactionRecovered)
    assert (event.charge_point_id, event.connector_id, event.at) == ("CP-1", 1, now)


@pytest.mark.parametrize("jump", [-20_000, -3 * HOUR, -60, 60, 3 * HOUR, 20_000 * HOUR])
async def test_a_clock_that_jumps_closes_an_orphan_neither_early_nor_never(
    writer: Writer[Queries], jump: float
) -> None:
    uptime, shown = 0.0, NOW.timestamp()
    clock = Clock(lambda: shown, lambda: uptime, lambda: True)  # synchronized, so it's followed either way
    occasion = Occasion(1, "CP-1", "f" * 32, NOW, lambda: "f" * 32)
    started, policy = StartTransaction(1, "TAG", 1000, NOW, None), AuthorizationPolicy()
    await writer.submit(start_transaction, occasion, started, policy, Memory())
    available = ReportStatus(1, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, NOW)
    await writer.submit(report_status, occasion, available, Memory())
    told: list[Event] = []
    keeper = RecoveryKeeper(
        writer,
        told.extend,
        lambda: {1: clock.at(0.0)},
        timedelta(seconds=120),
        clock.now,
        lambda: clock.jumps,
    )
    await keeper.work()
    uptime, shown = 60.0, shown + 60 + jump
    clock.check()
    await keeper.work()
    uptime, shown = 119.0, shown + 59
    clock.check()
    await keeper.work()
    early = list(told)
    uptime, shown = 180.0, shown + 61
    clock.check()
    await keeper.work()

    assert clock.jumps == 1
    assert early == []
    assert [type(event) for event in told] == [TransactionRecovered]


@pytest.mark.parametrize("ahead", [timedelta(days=9000), -timedelta(days=9000)])
async def test_what_a_wrong_clock_wrote_before_the_start_makes_no_grace_period_longer_or_shorter(
    writer: Writer[Queries], ahead: timedelta
) -> None:
    wrong = NOW + ahead
    occasion = Occasion(1, "CP-1", "f" * 32, wrong, lambda: "f" * 32)
    started, policy = StartTransaction(1, "TAG", 1000, wrong, None), AuthorizationPolicy()
    await writer.submit(start_transaction, occasion, started, policy, Memory())
    available = ReportStatus(1, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, wrong)
    await writer.submit(report_status, occasion, available, Memory())
    told: list[Event] = []
    now = NOW
    keeper = RecoveryKeeper(writer, told.extend, lambda: {1: NOW}, timedelta(seconds=120), lambda: now)
    await keeper.work()
    now = NOW + timedelta(seconds=119)
    await keeper.work()
    early = list(told)
    now = NOW + timedelta(seconds=120)
    await keeper.work()

    assert early == []
    assert [type(event) for event in told] == [TransactionRecovered]


def depart(book: ConformanceBook, number: int = 0, charge_point_id: str = "CP-1") -> None:
    kind = Kind("MeterValues", MessageRole.CALL, "unknown_field", f"field{number}")
    book.add(charge_point_id, kind, Seen(1, NOW, NOW, "1", ""))


async def test_departures_from_the_contract_are_written_together(writer: Writer[Queries]) -> None:
    book = ConformanceBook()
    keeper = ConformanceKeeper(writer, book)
    await keeper.work()
    for number in (1, 2, 1):
        depart(book, number)
    await keeper.work()
    await keeper.work()

    assert [(it.field, it.count) for it in await writer.submit(list_all)] == [("field1", 2), ("field2", 1)]


async def test_departures_of_a_whole_fleet_are_written_in_portions(writer: Writer[Queries]) -> None:
    book = ConformanceBook()
    for number in range(AT_ONCE + 10):
        identity = f"CP-{number // 100}"
        await writer.submit(charge_points.connect, identity, "1.6", NOW, register_unknown=True)
        depart(book, number, identity)
    await ConformanceKeeper(writer, book).work()

    assert len(await writer.submit(list_all)) == AT_ONCE + 10


async def test_what_waits_at_the_end_is_written(writer: Writer[Queries]) -> None:
    book = ConformanceBook()
    keeper = ConformanceKeeper(writer, book, interval=3600)
    keeper.start()
    await asyncio.sleep(0)
    depart(book)
    await keeper.stop()

    assert [it.count for it in await writer.submit(list_all)] == [1]


async def test_departures_that_the_database_refuses_wait_on(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "broken.db")
    migrate(connection)
    writer: Writer[Queries] = Writer(connection, SqliteQueries(connection))
    await writer.submit(charge_points.connect, "CP-1", "1.6", NOW, register_unknown=True)
    book = ConformanceBook()
    keeper = ConformanceKeeper(writer, book)
    depart(book)
    connection.execute("PRAGMA query_only = ON")
    await keeper.work()
    depart(book)
    connection.execute("PRAGMA query_only = OFF")
    await keeper.work()
    departures = await writer.submit(list_all)
    await writer.close()

    assert [it.count for it in departures] == [2]


async def test_unknown_cards_are_written_by_the_clock_and_at_the_end(writer: Writer[Queries]) -> None:
    book = CardBook()
    unknown = Authorization(AuthorizationStatus.INVALID, stored=False)
    keeper = CardKeeper(writer, book, lambda: NOW, interval=3600)
    await keeper.work()
    book.presented(1, "A", unknown, unknown.status, NOW)
    await keeper.work()
    book.presented(1, "A", unknown, unknown.status, NOW)
    await keeper.stop()

    (row,) = await writer.submit(
        lambda q: q.list_unknown_id_tags(before=EXPIRY, before_id_tag="", before_key=0, page_size=9)
    )
    assert (row.id_tag, row.times, row.charge_point_id) == ("A", 2, "CP-1")
    assert book.take() == {}


KEEPS = timedelta(days=30)
MOMENTS = 2 * PORTION + 500


@asynccontextmanager
async def with_idle_values(path: Path) -> AsyncIterator[tuple[WriterConnection, Writer[Queries]]]:
    """A database with samples of a connector outside of transactions, one for each second from NOW on."""
    connection = open_writer(path)
    migrate(connection)
    queries = SqliteQueries(connection)
    point = queries.connect_charge_point(identity="CP-1", ocpp_version="1.6", connected_at=NOW)
    connector = queries.add_connector(charge_point_key=point.key, evse_id=0, connector_id=1)
    began = int(NOW.timestamp() * 1000)
    connection.executemany(
        "INSERT INTO connector_readings VALUES (?1, ?2, '', 0, '[\"1 7000\"]', ?2)",
        [(connector.key, began + 1000 * second) for second in range(MOMENTS)],
    )
    writer: Writer[Queries] = Writer(connection, queries)
    yield connection, writer
    await writer.close()


async def idle_values(connection: WriterConnection, writer: Writer[Queries]) -> int:
    def count(_: Queries) -> int:
        (values,) = connection.execute("SELECT count(*) FROM connector_readings").fetchone()
        return int(values)

    return await writer.submit_keeping(count)


async def test_old_samples_go_in_portions_that_let_others_in_between(tmp_path: Path) -> None:
    async with with_idle_values(tmp_path / "mcpp.db") as (connection, writer):
        now = NOW + KEEPS + timedelta(seconds=MOMENTS - 10)
        keeper = RetentionKeeper(writer, KEEPS, lambda: now, pause=0)
        work = asyncio.create_task(keeper.work())
        meanwhile = {await idle_values(connection, writer)}
        while not work.done():
            meanwhile.add(await idle_values(connection, writer))
        await work
        left = await idle_values(connection, writer)
        now += timedelta(days=1)
        await keeper.work()

        assert meanwhile >= {MOMENTS - PORTION, MOMENTS - 2 * PORTION}
        assert left == 10
        assert await idle_values(connection, writer) == 0


async def test_samples_that_the_database_does_not_let_go_are_due_again(tmp_path: Path) -> None:
    async with with_idle_values(tmp_path / "mcpp.db") as (connection, writer):
        keeper = RetentionKeeper(writer, KEEPS, lambda: NOW + 2 * KEEPS, pause=0)
        connection.execute("PRAGMA query_only = ON")
        await keeper.work()
        connection.execute("PRAGMA query_only = OFF")
        refused = await idle_values(connection, writer)
        await keeper.work()

        assert refused == MOMENTS
        assert await idle_values(connection, writer) == 0
