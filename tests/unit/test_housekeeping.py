"""What happens by the clock: reservations expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcpp.domain import charge_points, reservations
from mcpp.domain.events import Event, ReservationChanged
from mcpp.domain.occasion import Occasion
from mcpp.domain.reservations import Reserve
from mcpp.housekeeping import ReservationKeeper
from mcpp.storage.database import open_writer
from mcpp.storage.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import ReservationStatus
from mcpp_generated.db.queries import Queries

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
EXPIRY = NOW + timedelta(minutes=5)


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer[Queries]]:
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    writer = Writer(connection, Queries)
    key = await writer.submit(charge_points.connect, "CP-1", "1.6", NOW, register_unknown=True)
    assert isinstance(key, int)
    occasion = Occasion(key, "CP-1", "f" * 32, NOW, lambda: "f" * 32)
    await writer.submit(reservations.book, occasion, Reserve(7, 1, "TAG", None, EXPIRY))
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
    assert (event.reservation_id, event.status, event.at) == (7, ReservationStatus.EXPIRED, EXPIRY)


async def test_what_ran_out_while_the_server_was_down_expires_at_its_start(writer: Writer[Queries]) -> None:
    expired = asyncio.Event()

    def publish(events: Iterable[Event]) -> None:
        if any(isinstance(event, ReservationChanged) for event in events):
            expired.set()

    keeper = ReservationKeeper(writer, publish, lambda: EXPIRY, interval=3600)
    keeper.start()
    await asyncio.wait_for(expired.wait(), 10)
    await keeper.stop()
