"""Chargers come and go for an hour; what the process takes, and how fast that grows.

Usage: python -m tests.campaigns.soak [--seconds 3600] [--chargers 500] [--seed 1]. After a warm-up, lines through what
was measured give slopes an hour. Exits with 1 where something wasn't given back once all chargers had left, or where
the books aren't what the chargers say.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import linear_regression
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.campaigns.books import judge
from tests.campaigns.hostile import MOST_RSS_MIB
from tests.campaigns.served import Served
from tests.campaigns.speakers import speaker

WARM_UP: Final = 0.2
"""The part of the time in which caches fill; it isn't in the slopes."""
PATIENCE: Final = 120.0
"""Seconds for all to be delivered, and for what is over to be given back."""
MOST_WAL_MIB: Final = 64.0

_COUNTED: Final = ("mcpp_asyncio_tasks", "mcpp_charge_points_connected")


@dataclass(frozen=True)
class Reading:
    """What there is at one moment."""

    seconds: float
    rss_mib: float
    handles: int
    tasks: int
    connected: int
    wal_mib: float
    database_mib: float
    log_mib: float


SHOWN: Final = ("rss_mib", "handles", "tasks", "connected", "wal_mib", "database_mib", "log_mib")


@dataclass(frozen=True)
class Soaked:
    """What came of it."""

    before: Reading
    readings: Sequence[Reading]
    after: Reading
    """Once all chargers had left."""
    answered: int
    faults: Sequence[str]

    def slope(self, name: str) -> float:
        """How much it grows an hour, after the warm-up."""
        warm = self.readings[int(len(self.readings) * WARM_UP) :]
        if len(warm) < 2:
            return 0.0
        hours = [reading.seconds / 3600 for reading in warm]
        return linear_regression(hours, [float(getattr(reading, name)) for reading in warm]).slope


async def read(served: Served, began: float) -> Reading:
    figures = served.figures()
    async with httpx.AsyncClient(base_url=served.http_url, timeout=60, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    counted = {
        sample.name: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in _COUNTED
    }
    return Reading(
        seconds=time.monotonic() - began,
        rss_mib=figures.rss_mib,
        handles=figures.handles,
        tasks=counted["mcpp_asyncio_tasks"],
        connected=counted["mcpp_charge_points_connected"],
        wal_mib=figures.wal_mib,
        database_mib=figures.database_mib,
        log_mib=figures.log_mib,
    )


async def soak(
    folder: Path,
    *,
    seconds: float,
    chargers: int,
    seed: int,
    pace: float = 2.0,
    visit: float = 60.0,
    every: float = 10.0,
    tell: Callable[[Reading], None] = lambda _: None,
) -> Soaked:
    """`pace` and `visit` are the chargers' (see Charger); figures are read `every` so many seconds."""
    served = Served(folder, warm=False)
    served.start()
    living: list[asyncio.Task[None]] = []
    try:
        began = time.monotonic()
        await read(served, began)  # the first scrape makes what later ones use
        before = await read(served, began)
        crowd = [
            speaker(number)(
                f"CP-{number:03}", lambda: served.ocpp_port, Random(f"{seed}-{number}"), pace=pace, visit=visit
            )
            for number in range(chargers)
        ]
        living += [asyncio.create_task(charger.live()) for charger in crowd]
        readings = []
        while time.monotonic() < began + seconds:
            await asyncio.sleep(every)
            readings.append(await read(served, began))
            tell(readings[-1])
        for charger in crowd:
            charger.leave()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*living)
        after, faults = await _given_back(served, before, began)
        tell(after)
        faults += [text for charger in crowd for text in charger.refused] + served.defects()
        if served.terminate() != 0:
            faults.append("it didn't stop cleanly")
        faults += judge(served.database, crowd, is_settled=True)
    finally:
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        served.end()
    faults += [f"RSS {reading.rss_mib:.0f} MiB" for reading in readings if reading.rss_mib >= MOST_RSS_MIB][:1]
    faults += [f"WAL {reading.wal_mib:.0f} MiB" for reading in readings if reading.wal_mib >= MOST_WAL_MIB][:1]
    return Soaked(before, readings, after, sum(charger.answered for charger in crowd), faults)


async def _given_back(served: Served, before: Reading, began: float) -> tuple[Reading, list[str]]:
    """Wait until connections, handles and tasks are as before."""
    deadline = time.monotonic() + PATIENCE
    while True:
        after = await read(served, began)
        kept = [name for name in ("connected", "handles", "tasks") if getattr(after, name) > getattr(before, name)]
        if not kept or time.monotonic() > deadline:
            return after, [f"{name}: {getattr(before, name)} before, {getattr(after, name)} after" for name in kept]
        await asyncio.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--chargers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _print(
        f"seed {given.seed}, {given.chargers} chargers, {given.seconds:g} s",
        "seconds " + " ".join(f"{n:>12}" for n in SHOWN),
    )
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soaked = asyncio.run(
            soak(
                Path(folder),
                seconds=given.seconds,
                chargers=given.chargers,
                seed=given.seed,
                tell=lambda reading: _print(_row(reading)),
            )
        )
    _print(
        f"{soaked.answered} messages answered; slopes an hour, without the first {WARM_UP:.0%}:",
        *(f"{name:>14} {soaked.slope(name):+.2f}" for name in SHOWN),
        f"faults: {len(soaked.faults)}",
        *soaked.faults[:20],
    )
    return 1 if soaked.faults else 0


def _row(reading: Reading) -> str:
    return f"{reading.seconds:>7.0f} " + " ".join(f"{getattr(reading, name):>12.1f}" for name in SHOWN)


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
