"""Every filter of transactions finds those that a plain look through all of them finds, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.reads.paging import BadCursor, PageQuery
from mcpp.reads.samples import list_samples
from mcpp.reads.transactions import Transaction, TransactionQuery, find, list_page, row_of, stream
from mcpp.storage.sqlite.readers import SqliteReaderPool
from tests.database import Database, minute

CHARGERS: Final = ("CP-1", "CP-2")
CONNECTORS: Final = (1, 2)
WITH_EVSES: Final = "CP-3"
"""It speaks OCPP 2.x: two EVSEs, the second with two connectors."""
TAGS: Final = ("anna", "BERT")
MINUTES: Final = 12


@dataclass(frozen=True)
class History:
    """A database with transactions in it, and what reads it."""

    runner: asyncio.Runner
    pool: SqliteReaderPool
    all: list[Transaction]
    """The newest first."""

    def pages(self, query: TransactionQuery) -> list[Transaction]:
        """All pages of a list."""

        async def read() -> list[Transaction]:
            items: list[Transaction] = []
            cursor = None
            while True:
                page = await list_page(self.pool, query.model_copy(update={"cursor": cursor}))
                items += page.items
                assert len(page.items) == query.limit or page.next_cursor is None
                if page.next_cursor is None:
                    return items
                cursor = page.next_cursor

        return self.runner.run(read())

    def streamed(self, query: TransactionQuery, limit: int | None) -> list[Transaction]:
        async def read() -> list[Transaction]:
            return [item async for step in stream(self.pool, query, limit) for item in step]

        return self.runner.run(read())


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Sessions one after the other on four connectors, some of which begin at the same time, and the last ones run."""
    random = Random(7)
    folder: Path = tmp_path_factory.mktemp("history")
    fleet = Database(folder / "mcpp.db")
    ids: list[int] = []
    for charger in CHARGERS:
        for connector in CONNECTORS:
            for number in sorted(random.sample(range(MINUTES), 6)):
                ids.append(fleet.start(charger, connector, random.choice(TAGS), minute(number)))
                fleet.stop(ids[-1], charger, minute(number + 0.5))
            ids.append(fleet.start(charger, connector, random.choice(TAGS), minute(MINUTES)))
    for evse, connector in ((1, 1), (2, 1), (2, 2)):
        for number in random.sample(range(MINUTES), 3):
            ids.append(fleet.start(WITH_EVSES, 1, random.choice(TAGS), minute(number)))
            fleet.stop(ids[-1], WITH_EVSES, minute(number + 0.5))
            fleet.move_to_evse(ids[-1], evse, f"tx-{ids[-1]}", connector)
    with asyncio.Runner() as runner:
        pool = runner.run(SqliteReaderPool.open(fleet.path, size=1))
        found = [runner.run(find(pool, transaction_id)) for transaction_id in ids]
        everything = [transaction for transaction in found if transaction is not None]
        assert len(everything) == len(ids)
        yield History(runner, pool, sorted(everything, key=lambda transaction: transaction.key, reverse=True))
        runner.run(pool.close())
    fleet.close()


def lets_through(query: TransactionQuery, transaction: Transaction) -> bool:
    return (
        query.charge_point_id in {None, transaction.charge_point_id}
        and query.connector_id in {None, transaction.connector_id}
        and query.evse_id in {None, transaction.evse_id or 0}
        and (query.id_tag is None or query.id_tag.lower() == transaction.id_tag.lower())
        and query.open in {None, transaction.stopped_at is None}
        and (query.since is None or query.since <= transaction.started_at)
        and (query.until is None or transaction.started_at < query.until)
    )


times = st.none() | st.integers(-1, MINUTES + 1).map(minute)
queries = st.builds(
    TransactionQuery,
    limit=st.integers(1, 40),
    charge_point_id=st.sampled_from([None, *CHARGERS, WITH_EVSES, "CP-9"]),
    connector_id=st.sampled_from([None, *CONNECTORS, 9]),
    evse_id=st.sampled_from([None, 0, 1, 2]),
    id_tag=st.sampled_from([None, "ANNA", "Bert", "none"]),
    open=st.sampled_from([None, True, False]),
    since=times,
    until=times,
)


@given(query=queries)
def test_every_filter_finds_what_it_says(history: History, query: TransactionQuery) -> None:
    wanted = [transaction for transaction in history.all if lets_through(query, transaction)]

    assert history.pages(query) == wanted
    assert history.streamed(query, None) == wanted
    assert history.streamed(query, query.limit) == wanted[: query.limit]


async def test_a_stream_goes_on_over_many_steps(fleet: Database, pool: SqliteReaderPool) -> None:
    fleet.connection.execute("BEGIN")
    for number in range(450):
        fleet.stop(fleet.start(at=minute(number)), at=minute(number + 0.5))
    fleet.connection.execute("COMMIT")

    async def times(limit: int | None) -> list[float]:
        found = [item async for step in stream(pool, TransactionQuery(), limit) for item in step]
        return [(item.started_at - minute(0)).total_seconds() / 60 for item in found]

    assert await times(None) == list(range(449, -1, -1))
    assert await times(401) == list(range(449, 48, -1))
    assert await times(0) == []


async def test_the_row_of_one_that_runs_and_of_one_that_has_ended(fleet: Database, pool: SqliteReaderPool) -> None:
    transaction_id = fleet.start("CP-1", 2, "TAG", minute(0))
    expected = {
        "transaction_id": transaction_id,
        "charge_point_id": "CP-1",
        "connector_id": 2,
        "id_tag": "TAG",
        "meter_start": 1000,
        "meter_stop": None,
        "energy_wh": None,
        "started_at": "2026-05-01T12:00:00.000Z",
        "stopped_at": None,
        "stop_reason": None,
        "stop_origin": None,
        "evidence": None,
        "energy_implausible": False,
        "reason": None,
        "original_energy_wh": None,
        "correction": None,
        "session_correlation_id": f"{1:032x}",
        "power_w": None,
        "duration_s": None,
        "evse_id": None,
        "ocpp_transaction_id": None,
    }

    running = await find(pool, transaction_id)
    fleet.stop(transaction_id, at=minute(5))
    ended = await find(pool, transaction_id)

    assert running is not None
    assert ended is not None
    assert row_of(running) == expected
    assert row_of(ended) == expected | {
        "meter_stop": 8000,
        "energy_wh": 7000,
        "duration_s": 300,
        "stopped_at": "2026-05-01T12:05:00.000Z",
        "stop_reason": "Local",
        "stop_origin": "charger",
    }


async def test_one_of_an_evse_has_two_ids_and_may_lack_a_register(fleet: Database, pool: SqliteReaderPool) -> None:
    transaction_id = fleet.start("CP-1", 1, "", minute(0), meter_start=-1)
    fleet.move_to_evse(transaction_id, 2, "ab-12")

    found = await find(pool, transaction_id)

    assert found is not None
    assert (found.evse_id, found.connector_id, found.ocpp_transaction_id) == (2, 1, "ab-12")
    assert found.meter_start is None


async def test_one_that_is_unknown(pool: SqliteReaderPool) -> None:
    assert await find(pool, 1) is None
    assert await list_samples(pool, 1, PageQuery()) is None


async def test_the_cursor_of_another_list_is_refused_before_anything_is_read(
    fleet: Database, pool: SqliteReaderPool
) -> None:
    fleet.stop(fleet.start())
    other = "WyJDUC0xIl0"  # a charge point's

    with pytest.raises(BadCursor):
        stream(pool, TransactionQuery(cursor=other), None)
    with pytest.raises(BadCursor):
        await list_page(pool, TransactionQuery(cursor=other))
