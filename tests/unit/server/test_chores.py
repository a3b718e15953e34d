"""What happens by the clock: reservations expire, orphans are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcpp.domain import charge_points, reservations
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.conformance import AT_ONCE, ConformanceBook, Kind, Seen
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import Event, ReservationChanged, TransactionRecovered
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.reservations import Reserve
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from mcpp.domain.transactions import StartTransaction, start_transaction
from mcpp.reads.conformance import list_all
from mcpp.server.chores import ConformanceKeeper, RecoveryKeeper, ReservationKeeper
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import MessageRole, ReservationState
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
EXPIRY = NOW + timedelta(minutes=5)


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
