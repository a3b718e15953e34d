"""The writer, case by case; what holds in every order of events is in test_writer_properties."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcpp.storage.pending import WriteFailed, WriterClosed
from mcpp.storage.sqlite.database import WriterConnection, open_writer
from mcpp.storage.writer import Writer
from tests.unit.storage.pairs import Pairs, add_pair, open_pairs, stored_pairs


class Values(list[float]):
    """Every value that was observed, in order."""

    def observe(self, value: float) -> None:
        self.append(value)


class Records:
    """Notes what the writer reports."""

    def __init__(self) -> None:
        self.batch_size = Values()
        self.batch_seconds = Values()
        self.wait_seconds = Values()
        self.errors: list[BaseException] = []
        self.recoveries = 0

    def on_error(self, error: BaseException) -> None:
        self.errors.append(error)

    def on_usable_again(self) -> None:
        self.recoveries += 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mcpp.db"


@asynccontextmanager
async def writing(
    path: Path, observer: Records | None = None, connection: WriterConnection | None = None
) -> AsyncIterator[Writer[Pairs]]:
    connection = connection or open_pairs(path)
    writer = Writer(connection, Pairs(connection), observer)
    try:
        async with asyncio.timeout(20):
            yield writer
    finally:
        async with asyncio.timeout(20):
            await writer.close()


async def settle(*units: Awaitable[int]) -> list[int | BaseException]:
    return await asyncio.gather(*units, return_exceptions=True)


def add_half_then_raise(q: Pairs, pair: int, error: BaseException) -> int:
    q.add_half(pair, "", "left")
    raise error


def add_half_then_break_rule(q: Pairs, pair: int) -> int:
    q.add_half(pair, "", "left")
    q.add_half(pair, "", "middle")
    return pair


def add_pair_on_broken_promise(q: Pairs, pair: int) -> int:
    q.break_promise()
    return add_pair(q, pair)


def add_half_then_lose_transaction(q: Pairs, pair: int) -> int:
    q.add_half(pair, "", "left")
    q.lose_transaction()
    return pair


def lose_transaction_quietly(q: Pairs, pair: int) -> int:
    try:
        q.lose_transaction()
    except sqlite3.IntegrityError:
        return pair
    raise AssertionError


async def test_an_answer_comes_after_the_commit(path: Path) -> None:
    async with writing(path) as writer:
        assert await writer.submit(add_pair, 1, ballast=10) == 1
        assert stored_pairs(path) == [1]


async def test_what_is_submitted_in_one_turn_of_the_loop_is_one_batch(path: Path) -> None:
    records = Records()
    async with writing(path, records) as writer:
        assert await settle(*(writer.submit(add_pair, pair) for pair in range(50))) == list(range(50))
        assert records.batch_size == [50]


async def test_what_comes_while_a_batch_is_written_is_the_next_batch(path: Path) -> None:
    records = Records()
    async with writing(path, records) as writer:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # the first batch waits for this lock
        first = writer.submit(add_pair, 1)
        await asyncio.sleep(0)
        second, third = writer.submit(add_pair, 2), writer.submit(add_pair, 3)
        await asyncio.sleep(0)
        other.execute("ROLLBACK")
        other.close()
        assert await settle(first, second, third) == [1, 2, 3]
        assert records.batch_size == [1, 2]


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), sqlite3.OperationalError("no such thing")])
async def test_a_unit_that_raises_is_undone_alone(path: Path, error: Exception) -> None:
    async with writing(path) as writer:
        first, failing, last = await settle(
            writer.submit(add_pair, 1), writer.submit(add_half_then_raise, 2, error), writer.submit(add_pair, 3)
        )
        assert (first, last) == (1, 3)
        assert isinstance(failing, Exception)
        assert error in (failing, failing.__cause__)
        assert stored_pairs(path) == [1, 3]


async def test_a_broken_constraint_reaches_the_caller_as_write_failed(path: Path) -> None:
    records = Records()
    async with writing(path, records) as writer:
        first, failing = await settle(writer.submit(add_pair, 1), writer.submit(add_half_then_break_rule, 2))
        assert first == 1
        assert isinstance(failing, WriteFailed)
        assert isinstance(failing.__cause__, sqlite3.IntegrityError)
        assert stored_pairs(path) == [1]
        assert records.batch_size == [2]
        assert records.errors == [failing.__cause__]


async def test_the_rules_of_the_caller_are_no_errors_of_the_database(path: Path) -> None:
    records = Records()
    async with writing(path, records) as writer:
        with pytest.raises(LookupError):
            await writer.submit(add_half_then_raise, 1, LookupError())
        assert records.errors == []


@pytest.mark.parametrize("unit", [add_pair_on_broken_promise, add_half_then_lose_transaction, lose_transaction_quietly])
async def test_a_batch_that_cannot_be_committed_stores_nothing_and_the_next_one_works(path: Path, unit: object) -> None:
    assert callable(unit)
    records = Records()
    async with writing(path, records) as writer:
        outcomes = await settle(writer.submit(add_pair, 1), writer.submit(unit, 2), writer.submit(add_pair, 3))
        assert [type(outcome) for outcome in outcomes] == [WriteFailed] * 3
        assert len({id(outcome) for outcome in outcomes}) == 3
        assert stored_pairs(path) == []
        assert (len(records.errors), records.recoveries) == (1, 0)

        assert await writer.submit(add_pair, 4) == 4
        assert stored_pairs(path) == [4]
        assert await writer.submit(add_pair, 5) == 5
    assert records.recoveries == 1


async def test_even_a_unit_that_exits_leaves_the_thread_alive(path: Path) -> None:
    async with writing(path) as writer:
        with pytest.raises(WriteFailed):
            await writer.submit(add_half_then_raise, 1, SystemExit())
        assert await writer.submit(add_pair, 2) == 2
        assert stored_pairs(path) == [2]


async def test_a_full_disk_fails_the_write_until_there_is_space(path: Path) -> None:
    async with writing(path) as writer:
        await writer.submit(lambda q: q.connection.execute("PRAGMA max_page_count = 1").fetchone())
        with pytest.raises(WriteFailed, match="full"):
            await writer.submit(add_pair, 1, ballast=1_000_000)
        await writer.submit(lambda q: q.connection.execute("PRAGMA max_page_count = 100000").fetchone())
        assert await writer.submit(add_pair, 2, ballast=1_000_000) == 2
        assert stored_pairs(path) == [2]


async def test_another_programs_lock_fails_the_write_until_it_is_gone(path: Path) -> None:
    async with writing(path) as writer:
        await writer.submit(lambda q: q.connection.execute("PRAGMA busy_timeout = 1").fetchone())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WriteFailed, match="locked"):
            await writer.submit(add_pair, 1)
        other.close()
        assert await writer.submit(add_pair, 2) == 2
        assert stored_pairs(path) == [2]


class FailingDisk(WriterConnection):
    """Has an I/O error at the next commit, which no real disk here will give."""

    fails = True

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if sql == "COMMIT" and self.fails:
            self.fails = False
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *parameters)  # type: ignore[arg-type]  # passed on as they came


async def test_an_io_error_at_the_commit_fails_its_batch_only(path: Path) -> None:
    open_pairs(path).close()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingDisk)
    async with writing(path, connection=connection) as writer:
        outcomes = await settle(writer.submit(add_pair, 1), writer.submit(add_pair, 2))
        assert [str(outcome) for outcome in outcomes] == ["not stored: disk I/O error"] * 2
        assert await writer.submit(add_pair, 3) == 3
        assert stored_pairs(path) == [3]


async def test_what_a_cancelled_waiter_submitted_is_stored(path: Path) -> None:
    async with writing(path) as writer:
        cancelled = asyncio.ensure_future(writer.submit(add_pair, 1))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert await writer.submit(add_pair, 2) == 2
        assert stored_pairs(path) == [1, 2]


async def test_close_stores_what_was_submitted_and_refuses_the_rest(path: Path) -> None:
    async with writing(path) as writer:
        waiting = [writer.submit(add_pair, pair) for pair in range(3)]
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        with pytest.raises(WriterClosed):
            writer.submit(add_pair, 3)
        await closing
        assert await settle(*waiting) == [0, 1, 2]
        assert stored_pairs(path) == [0, 1, 2]


async def test_close_leaves_one_file_that_can_be_copied_and_opened_again(path: Path) -> None:
    async with writing(path) as writer:
        await writer.submit(add_pair, 1)
    assert sorted(file.name for file in path.parent.iterdir()) == ["mcpp.db", "mcpp.db.lock"]
    open_writer(path).close()


async def test_an_observer_that_raises_takes_no_answer_away(path: Path) -> None:
    class Broken(Values):
        def observe(self, value: float) -> None:
            raise ValueError("telemetry is broken")

    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context.get("exception")))
    records = Records()
    records.batch_size = Broken()
    async with writing(path, records) as writer:
        assert await settle(writer.submit(add_pair, 1), writer.submit(add_pair, 2)) == [1, 2]
        assert await writer.submit(add_pair, 3) == 3
    assert [str(error) for error in reported] == ["telemetry is broken"] * 2
