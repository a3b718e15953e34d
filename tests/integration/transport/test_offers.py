"""A CALL that carries a password goes out once that is kept, and is taken back where it never goes out."""

from __future__ import annotations

import asyncio

import pytest

from mcpp.ocppj.errors import ConnectionLost, NotStored, QueueFull
from mcpp.transport.limits import Limits
from tests.integration.transport.conftest import StartCentralSystem
from tests.integration.transport.support import ECHO, CentralSystem, Text, receive, result, soon


class Offer:
    """Kept when the test says so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.may_be_kept = asyncio.Event()
        self.asked = asyncio.Event()
        self.taken_back = asyncio.Event()
        self._error = error

    async def keep(self) -> None:
        self.asked.set()
        await self.may_be_kept.wait()
        if self._error is not None:
            raise self._error

    def take_back(self) -> None:
        self.taken_back.set()

    async def answered(self, *, accepted: bool) -> None: ...


async def test_it_goes_out_once_it_is_kept(system: CentralSystem) -> None:
    offer = Offer()
    system.dialect.offers.append(offer)
    async with system.dial() as client:
        changing = asyncio.create_task(system.live().call(ECHO, Text(text="key")))
        await soon(offer.asked.wait())
        other = asyncio.create_task(system.live().call(ECHO, Text(text="other")))
        first = await receive(client)
        await client.send(result(first.split('"')[1], "other"))
        assert (await soon(other)).text == "other"

        offer.may_be_kept.set()
        second = await receive(client)
        await client.send(result(second.split('"')[1], "done"))
        assert (await soon(changing)).text == "done"
    assert '"text":"other"' in first
    assert '"text":"key"' in second
    assert not offer.taken_back.is_set()


async def test_one_that_can_not_be_kept_never_goes_out(system: CentralSystem) -> None:
    offer = Offer(NotStored("disk full"))
    offer.may_be_kept.set()
    system.dialect.offers.append(offer)
    async with system.dial():
        with pytest.raises(NotStored, match="disk full"):
            await soon(system.live().call(ECHO, Text(text="key")))
    assert "out Echo" not in system.recorder.frames


async def test_one_that_never_goes_out_is_taken_back(start: StartCentralSystem) -> None:
    system = await start(Limits(call_queue_limit=1, close_timeout=0.5, drain_timeout=0.5))
    offers = [Offer(), Offer(), Offer()]
    async with system.dial() as client:
        live = system.live()
        outstanding = asyncio.create_task(live.call(ECHO, Text(text="outstanding")))
        await receive(client)

        for offer in offers:
            offer.may_be_kept.set()
        system.dialect.offers += offers
        waiting = asyncio.create_task(live.call(ECHO, Text(text="waits")))
        await soon(offers[0].asked.wait())
        while not live.queued_calls:
            await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await soon(live.call(ECHO, Text(text="one too many")))
        assert offers[1].taken_back.is_set()
        waiting.cancel()
        await soon(offers[0].taken_back.wait())

        offers[2].may_be_kept.clear()
        changing = asyncio.create_task(live.call(ECHO, Text(text="key")))
        await soon(offers[2].asked.wait())
    offers[2].may_be_kept.set()
    for task in (outstanding, changing):
        with pytest.raises(ConnectionLost):
            await soon(task)
    assert offers[2].taken_back.is_set()
