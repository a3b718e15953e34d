"""Whatever fails, in whatever order: answered is stored, refused is not, nobody waits for ever, the writer lives."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mcpp.storage.pending import WriteFailed, WriterClosed
from mcpp.storage.writer import Writer
from tests.examples import examples
from tests.unit.storage.pairs import Pairs, add_pair, open_pairs, stored_halves, stored_pairs

UnitOfWork = Callable[[Pairs, int, str], int]


class Refused(Exception):
    """A rule of the domain."""


def whole(q: Pairs, pair: int, submitter: str) -> int:
    return add_pair(q, pair, submitter)


def large(q: Pairs, pair: int, submitter: str) -> int:
    return add_pair(q, pair, submitter, ballast=20_000)


def raising(q: Pairs, pair: int, submitter: str) -> int:
    q.add_half(pair, submitter, "left")
    raise Refused


def breaking_a_rule(q: Pairs, pair: int, submitter: str) -> int:
    q.add_half(pair, submitter, "left")
    q.add_half(pair, submitter, "left")
    return pair


def failing_the_commit(q: Pairs, pair: int, submitter: str) -> int:
    q.break_promise()
    return add_pair(q, pair, submitter)


def losing_the_transaction(q: Pairs, pair: int, submitter: str) -> int:
    q.add_half(pair, submitter, "left")
    q.lose_transaction()
    return pair


def losing_it_quietly(q: Pairs, pair: int, submitter: str) -> int:
    add_pair(q, pair, submitter)
    try:
        q.lose_transaction()
    except sqlite3.IntegrityError:
        return pair
    raise AssertionError


UNITS: tuple[UnitOfWork, ...] = (
    whole,
    large,
    raising,
    breaking_a_rule,
    failing_the_commit,
    losing_the_transaction,
    losing_it_quietly,
)


@dataclass
class World:
    """One database, its writer, and everything that was asked of it."""

    path: Path
    writer: Writer[Pairs]
    futures: list[asyncio.Future[int]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    housekeeping: list[asyncio.Future[object]] = field(default_factory=list)
    closing: asyncio.Task[None] | None = None

    def limit_pages(self, spare: int) -> None:
        def set_limit(q: Pairs) -> object:
            (pages,) = q.connection.execute("PRAGMA page_count").fetchone()
            return q.connection.execute(f"PRAGMA max_page_count = {pages + spare}").fetchone()

        self.housekeeping.append(asyncio.ensure_future(self.writer.submit(set_limit)))


Step = Callable[[World], None]


def submit(unit: UnitOfWork, submitter: str, world: World) -> None:
    pair = len(world.futures)
    try:
        future: asyncio.Future[int] = asyncio.ensure_future(world.writer.submit(unit, pair, submitter))
    except WriterClosed:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        world.refused.add(pair)
        assert world.closing is not None
    world.futures.append(future)


def cancel(which: int, world: World) -> None:
    if world.futures:
        world.futures[which % len(world.futures)].cancel()


def fill_disk(world: World) -> None:
    if world.closing is None:
        world.limit_pages(2)


def free_disk(world: World) -> None:
    if world.closing is None:
        world.limit_pages(100_000)


async def free_disk_at_last(world: World) -> None:
    """Once what is left of cancelled waiters' units is through: one of these may fail the commit they share."""
    for _ in world.futures:
        free_disk(world)
        with suppress(WriteFailed):
            await world.housekeeping[-1]
            return
    free_disk(world)
    await world.housekeeping[-1]


def close(world: World) -> None:
    if world.closing is None:
        world.closing = asyncio.create_task(world.writer.close())


submissions = st.builds(partial, st.just(submit), st.sampled_from(UNITS), st.sampled_from("ABC"))
good_submissions = st.builds(partial, st.just(submit), st.just(whole), st.sampled_from("ABC"))
cancellations = st.builds(partial, st.just(cancel), st.integers(0, 100))
faults = st.sampled_from([fill_disk, free_disk])
turns = st.lists(st.one_of(good_submissions, submissions, cancellations, faults), max_size=6)
"""What happens within one turn of the event loop."""


async def run(path: Path, before: list[list[Step]], after_close: list[list[Step]]) -> World:
    connection = open_pairs(path)
    world = World(path, Writer(connection, Pairs(connection)))
    for turn in before:
        for step in turn:
            step(world)
        await asyncio.sleep(0)
    if after_close:
        close(world)
        for turn in after_close:
            for step in turn:
                step(world)
            await asyncio.sleep(0)
    else:
        await asyncio.gather(*world.futures, return_exceptions=True)
        await free_disk_at_last(world)
        submit(whole, "A", world)  # the thread lives, and works
        assert await world.futures[-1] == len(world.futures) - 1
        close(world)
    assert world.closing is not None
    await world.closing
    await asyncio.gather(*world.housekeeping, return_exceptions=True)
    return world


def check(world: World) -> None:
    stored = stored_pairs(world.path)
    for pair, future in enumerate(world.futures):
        assert future.done(), f"{pair} was left hanging by a writer that is closed"
        if pair in world.refused:
            assert pair not in stored, "refused by a closed writer, but stored"
        elif not future.cancelled():
            error = future.exception()
            assert (pair in stored) == (error is None), f"{pair} answered with {error!r}, stored: {pair in stored}"
            assert error is None or isinstance(error, WriteFailed | Refused)
    for submitter in "ABC":
        pairs = [pair for pair, by, _ in stored_halves(world.path) if by == submitter]
        assert pairs == sorted(pairs), "a submitter's units were stored in another order"


@examples(times=1.5)
@given(before=st.lists(turns, max_size=8), after_close=st.lists(turns, max_size=3))
def test_answered_is_stored_and_nothing_hangs(before: list[list[Step]], after_close: list[list[Step]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.db"
        check(asyncio.run(asyncio.wait_for(run(path, before, after_close), timeout=30)))


@examples(times=0.3)
@given(before=st.lists(st.lists(good_submissions, min_size=1, max_size=6), min_size=1, max_size=8))
def test_when_nothing_fails_everything_is_stored_in_the_order_of_submission(before: list[list[Step]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.db"
        world = asyncio.run(asyncio.wait_for(run(path, before, [[]]), timeout=30))
        assert stored_pairs(path) == [future.result() for future in world.futures] == list(range(len(world.futures)))
