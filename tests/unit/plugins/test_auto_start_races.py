"""Auto-start: cars that leave, and news that comes, while a try is under way or waits for its time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.unit.plugins.auto_start_world import HOUR, World


async def test_a_car_that_leaves_takes_the_next_try_with_it(world: World) -> None:
    world.site.answers = [False]
    await world.report("Preparing")
    assert world.site.pending == 1
    await world.report("Available")
    assert world.site.pending == 0
    await world.site.let_pass(HOUR)

    assert world.site.asked == [(0, 1)]
    assert world.given_up == []


async def test_a_car_that_leaves_while_the_books_are_read_is_not_started(world: World) -> None:
    world.site.books_open.clear()
    await world.report("Preparing")
    await world.report("Available")
    world.site.books_open.set()
    await world.site.finish()
    await world.site.let_pass(HOUR)

    assert world.site.asked == []


async def test_two_looks_at_the_books_make_one_try(world: World) -> None:
    world.site.books_open.clear()
    await world.report("Preparing")
    await world.report("Preparing", info="again")
    world.site.books_open.set()
    await world.site.finish()
    await world.site.let_pass(1)

    assert world.site.asked == [(0, 1)]


async def test_news_while_the_books_are_read_is_not_missed(world: World) -> None:
    await world.start(ago=600)
    world.site.books_open.clear()
    await world.report("Preparing")
    world.site.books_open.set()
    await world.stop()
    await world.site.finish()
    await world.site.let_pass(1)

    assert world.site.asked == [(0, 1)]


async def test_a_missed_status_does_not_leave_the_next_car_without_a_start(world: World) -> None:
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing")
    await world.stop()
    world.book(1, status="Available")
    await world.report("Preparing")

    assert len(world.site.asked) == 2


async def test_one_that_rejects_because_the_driver_was_faster_is_not_given_up(world: World) -> None:
    async def reject_but_start() -> bool:
        await world.start()
        return False

    world.site.answers = [False, False, reject_but_start]
    await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5, 15]
    assert world.given_up == []


async def test_a_start_takes_back_the_next_try(world: World) -> None:
    await world.report("Preparing")
    assert world.site.pending == 1
    await world.start()
    assert world.site.pending == 0


async def test_a_loose_plug_never_makes_two_commands_at_once(world: World) -> None:
    answered = asyncio.Event()

    async def slow() -> bool:
        world.site.waits.set()
        await answered.wait()
        world.site.waits.clear()
        return False

    world.site.answers = [slow, world.accept_and_start]
    for _ in range(20):
        await world.report("Preparing")
        await world.report("Available")
    await world.report("Preparing")
    assert len(world.site.asked) == 1

    answered.set()
    await world.site.finish()
    await world.site.let_pass(HOUR)
    assert world.site.asked == [(0, 1), (0, 1)]
    assert [line["outcome"] for line in world.site.named("auto_start_tried")] == ["rejected", "accepted"]


async def test_a_command_that_is_cut_short_is_a_try_that_failed(world: World) -> None:
    async def cut_short() -> bool:
        raise asyncio.CancelledError

    world.site.answers = [cut_short, world.accept_and_start]
    with pytest.raises(asyncio.CancelledError):
        await world.report("Preparing")
    await world.site.let_pass(HOUR)

    assert world.seconds_asked == [0, 5]


async def test_where_no_start_is_wanted_the_books_are_not_read() -> None:
    world = World(by_default=False)
    await world.report("Preparing")
    await world.start()
    await world.stop()
    await world.report("Preparing", info="again")
    assert world.site.looks == 0


async def test_a_start_that_is_wanted_later_comes_with_the_next_news() -> None:
    world = World(by_default=False)
    await world.report("Preparing")
    world.site.states["CP-1"] = replace(world.state, auto_start=True)
    await world.site.let_pass(HOUR)
    assert world.site.asked == []

    await world.report("Preparing", info="again")
    assert [connector for _, connector in world.site.asked] == [1]


async def test_a_car_that_leaves_before_it_is_known_whether_it_is_wanted_is_not_started() -> None:
    world = World(by_default=False, auto_start=True)
    world.site.books_open.clear()
    await world.report("Preparing")
    await world.report("Available")
    await world.report("Preparing")
    await world.report("Available")
    world.site.books_open.set()
    await world.site.let_pass(HOUR)

    assert (world.site.asked, world.site.looks) == ([], 0)


async def test_news_before_it_is_known_whether_a_start_is_wanted_makes_one_try() -> None:
    world = World(by_default=False, auto_start=True)
    world.site.answers = [world.accept_and_start]
    world.site.books_open.clear()
    for number in range(5):
        await world.report("Preparing", info=f"repeat {number}")
    world.site.books_open.set()
    await world.site.let_pass(HOUR)

    assert (world.site.asked, world.site.looks) == ([(0, 1)], 1)


async def test_where_the_books_cannot_say_whether_it_is_wanted_it_is_tried() -> None:
    world = World(by_default=False, auto_start=True)
    world.site.unreadable = True
    world.site.answers = [world.accept_and_start]
    await world.report("Preparing")

    assert world.site.asked == [(0, 1)]
