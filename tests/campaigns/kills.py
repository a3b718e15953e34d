"""`kill -9` at random moments under mixed load; what was answered must be in the books, and once.

Usage: python -m tests.campaigns.kills [--kills 200] [--chargers 200] [--seed 1]. Exits with 1 at the first fault.
The seed decides what chargers do and when the server is killed; what runs beside decides how far they come until then.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.campaigns.books import judge
from tests.campaigns.crowd import Charger
from tests.campaigns.served import Served
from tests.campaigns.speakers import speaker

SHORTEST_LIFE, LONGEST_LIFE = 0.2, 2.0
"""Seconds from the start of the server to its end."""
WHILE_STARTING: Final = 0.15
"""How many of the kills come before the server is up."""
STARTING: Final = 0.25
"""Seconds in which a server that is forked from a loaded program comes up."""
SETTLE_TIMEOUT: Final = 120.0


@dataclass
class Killed:
    """What came of a campaign."""

    kills: int = 0
    while_starting: int = 0
    answered: int = 0
    sessions: int = 0
    values: int = 0
    energy_wh: int = 0
    faults: tuple[str, ...] = ()


async def campaign(
    folder: Path,
    *,
    kills: int,
    chargers: int,
    seed: int,
    longest_life: float = LONGEST_LIFE,
    wanted: float = 1000,
    tell: Callable[[str], None] = lambda _: None,
) -> Killed:
    """Ends at the first fault, or once all is told and the last look at the books is taken.

    About so many messages a second are `wanted` of the server; it gets what it can take.
    """
    served = Served(folder)
    random = Random(seed)
    pace = chargers / wanted
    crowd = [
        speaker(number)(f"CP-{number:03}", lambda: served.ocpp_port, Random(f"{seed}-{number}"), pace=pace)
        for number in range(chargers)
    ]
    killed = Killed()
    living: list[asyncio.Task[None]] = []
    try:
        await asyncio.to_thread(served.start)
        living += [asyncio.create_task(charger.live()) for charger in crowd]
        while killed.kills < kills and not killed.faults:
            await _run_and_kill(served, random, longest_life, killed)
            killed.faults = _look(served, crowd)
            if killed.kills % 10 == 0:
                tell(f"{killed.kills} kills, {sum(charger.answered for charger in crowd)} messages answered")
        if not killed.faults:
            await asyncio.to_thread(served.start)
            await _settle(crowd, living)
            assert served.terminate() == 0
            killed.faults = _look(served, crowd, is_settled=True)
    finally:
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        served.end()
    sessions = [session for charger in crowd for session in charger.sessions]
    killed.answered = sum(charger.answered for charger in crowd)
    killed.sessions = len(sessions)
    killed.values = sum(len(session.values) for session in sessions)
    killed.energy_wh = sum(session.wh for session in sessions if session.is_stop_answered)
    return killed


async def _run_and_kill(served: Served, random: Random, longest_life: float, killed: Killed) -> None:
    early = random.random() < WHILE_STARTING
    life = random.uniform(0, STARTING) if early else random.uniform(SHORTEST_LIFE, longest_life)
    if not served.is_alive:
        served.launch()
        if not early:
            await asyncio.to_thread(served.await_start)
    await asyncio.sleep(life)
    served.kill()
    killed.kills += 1
    killed.while_starting += early


def _look(served: Served, crowd: list[Charger], *, is_settled: bool = False) -> tuple[str, ...]:
    refused = [text for charger in crowd for text in charger.refused]
    return (*refused, *served.defects(), *judge(served.database, crowd, is_settled=is_settled))


async def _settle(crowd: list[Charger], living: list[asyncio.Task[None]]) -> None:
    for charger in crowd:
        charger.leave()
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_TIMEOUT):
            await asyncio.gather(*living)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--chargers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _print(f"seed {given.seed}, {given.chargers} chargers")
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        killed = asyncio.run(
            campaign(Path(folder), kills=given.kills, chargers=given.chargers, seed=given.seed, tell=_print)
        )
    _print(
        f"{killed.kills} kills, {killed.while_starting} of them meant for its start",
        f"{killed.answered} messages answered, {killed.values} meter values and {killed.sessions} sessions among them",
        f"{killed.energy_wh / 1000:.3f} kWh by the chargers' account",
        f"faults: {len(killed.faults)}",
        *killed.faults[:20],
    )
    return 1 if killed.faults else 0


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
