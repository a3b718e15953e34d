"""Chores go on whatever happens to them, and say so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcpp.server.chore import Chore


class Flaky(Chore):
    """Fails so many times, then works."""

    def __init__(self, failures: int, interval: float = 0.001) -> None:
        super().__init__(interval)
        self.left = failures
        self.worked = asyncio.Event()
        self.tries = 0
        self.fails_at_the_end = False

    async def work(self) -> None:
        self.tries += 1
        if self.left:
            self.left -= 1
            raise RuntimeError("no luck")
        self.worked.set()

    async def finish(self) -> None:
        if self.fails_at_the_end:
            raise RuntimeError("no luck at the end")


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as captured:
        yield captured


def of(lines: list[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


async def test_one_that_raises_once_is_said_and_goes_on(lines: list[Any]) -> None:
    counted: list[str] = []
    chore = Flaky(1)
    chore.start(counted.append)
    await asyncio.wait_for(chore.worked.wait(), 10)
    await chore.stop()
    (failed,) = of(lines, "chore_failed")
    (again,) = of(lines, "chore_works_again")

    assert counted == ["flaky"]
    assert (failed["chore"], failed["log_level"], str(failed["exc_info"])) == ("flaky", "error", "no luck")
    assert (again["chore"], again["failures"]) == ("flaky", 1)


async def test_one_that_always_raises_is_tried_ever_less_often_and_said_each_time(lines: list[Any]) -> None:
    counted = asyncio.Semaphore(0)
    chore = Flaky(1_000_000)
    chore.start(lambda _: counted.release())
    for _ in range(5):
        await asyncio.wait_for(counted.acquire(), 10)
    await chore.stop()
    retries = [line["retry_in_seconds"] for line in of(lines, "chore_failed")]

    assert retries[:5] == pytest.approx([0.002, 0.004, 0.008, 0.016, 0.032])


async def test_the_longest_pause_is_a_minute_unless_it_comes_less_often_anyway(lines: list[Any]) -> None:
    often, seldom = Flaky(40, interval=1), Flaky(40, interval=3600)

    assert [await often._try() for _ in range(40)][-1] == 60
    assert [await seldom._try() for _ in range(40)] == [3600] * 40


async def test_one_that_fails_at_the_end_holds_nobody_up(lines: list[Any]) -> None:
    chore = Flaky(0)
    chore.fails_at_the_end = True
    chore.start()
    await chore.stop()

    (failed,) = of(lines, "chore_failed")
    assert "retry_in_seconds" not in failed
