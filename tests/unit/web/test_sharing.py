"""Work that several ask for in the same moment."""

from __future__ import annotations

import asyncio

import pytest

from mcpp.web.sharing import SharedWork


class Kitchen:
    """Makes what is asked for, and remembers how often and of what."""

    def __init__(self) -> None:
        self.stock = 0
        self.made: list[frozenset[str]] = []

    async def make(self, wanted: frozenset[str]) -> tuple[int, frozenset[str]]:
        self.made.append(wanted)
        stock = self.stock
        await asyncio.sleep(0)
        return stock, wanted


async def test_who_asks_for_the_same_at_once_shares_it() -> None:
    kitchen, shared = Kitchen(), SharedWork[tuple[int, frozenset[str]]](rest=0.01)
    asked = [shared.ask("page", [f"part-{number % 3}"], kitchen.make) for number in range(20)]
    other = shared.ask("other page", ["part-0"], kitchen.make)
    *found, _ = await asyncio.gather(*asked, other)

    assert kitchen.made == [{"part-0", "part-1", "part-2"}, {"part-0"}]
    assert found == [(0, kitchen.made[0])] * 20


async def test_nobody_is_given_what_began_before_they_asked() -> None:
    kitchen, shared = Kitchen(), SharedWork[tuple[int, frozenset[str]]](rest=0.01)
    first = asyncio.create_task(shared.ask("page", ["part"], kitchen.make))
    while not kitchen.made:
        await asyncio.sleep(0)
    kitchen.stock = 1
    second = asyncio.create_task(shared.ask("page", ["part"], kitchen.make))

    assert (await first)[0] == 0
    assert (await second)[0] == 1


async def test_one_who_leaves_takes_it_from_nobody_and_a_failure_is_everybodys() -> None:
    shared = SharedWork[None](rest=0.01)

    async def fail(_: frozenset[str]) -> None:
        raise ValueError("burnt")

    leaving, staying = (asyncio.create_task(shared.ask("page", [], fail)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(ValueError, match="burnt"):
        await staying
