"""Turns of connections that flood: in their order, and no more of them in a round than fit."""

from __future__ import annotations

import asyncio

from mcpp.transport.turns import Turns


async def rounds() -> None:
    """What is due now has run, and what that arranged hasn't."""
    await asyncio.sleep(0)


async def test_each_round_has_one_turn_where_no_more_fit() -> None:
    loop, turns = asyncio.get_running_loop(), Turns(seconds=0.0)
    had: list[int] = []
    for number in range(3):
        turns.take(loop, lambda number=number: had.append(number))  # type: ignore[misc]  # bound early
    seen = []
    while len(had) < 3:
        await rounds()
        seen.append(list(had))
    assert seen == [[0], [0, 1], [0, 1, 2]]


async def test_who_comes_again_waits_for_the_others_and_for_the_next_round() -> None:
    loop, turns = asyncio.get_running_loop(), Turns(seconds=60.0)
    had: list[str] = []

    def greedy() -> None:
        had.append("greedy")
        if had.count("greedy") < 3:
            turns.take(loop, greedy)

    turns.take(loop, greedy)
    turns.take(loop, lambda: had.append("other"))
    loop.call_soon(had.append, "fresh")
    while had.count("greedy") < 3:
        await rounds()
    assert had == ["greedy", "other", "fresh", "greedy", "greedy"]
