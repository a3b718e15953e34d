"""Many people watch a fleet that charges: what that costs the server, and whether a charger waits for it.

Usage: python -m tests.campaigns.viewers [--viewers 20] [--chargers 50] [--seconds 60] [--seed 1]. Each viewer is a
client that does what `mcpp/web/static/live.js` does: it holds the stream of events, and asks for the regions that an
event concerns, by what the page itself says of them. A charger in a process of its own tells how long it waits, by
turns with nobody who looks and with all. Then Chromium, where it is installed, shows how long it takes until what a
charger says is on the screen. Exits with 1 where its median doubles, or where something failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import psutil

from tests.browser.chargers import charger
from tests.campaigns.neighbour import Neighbour, Seen, neighbour
from tests.campaigns.screen import find_chromium, screen
from tests.campaigns.served import Served
from tests.campaigns.watchers import Watchers, watchers

MOST_RATIO: Final = 2.0
PERCENTS: Final = (50, 90, 99)
ROUNDS: Final = 6
"""Each with nobody who looks, and with all; what else the machine does is less in the best of them."""
METER_EVERY: Final = 10.0
"""Seconds between two meter values of a charger, as most are set."""


@dataclass
class Phase:
    """What was measured with so many viewers, in all rounds."""

    viewers: int
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of the server's."""
    answers: int = 0
    fetched: int = 0
    waits: list[Seen] = field(default_factory=list)
    """What the charger waited, one for each round."""
    lost: int = 0
    on_screen: list[float] = field(default_factory=list)
    """Milliseconds from a charger's message to the change in a browser; with nobody who looks, that's the only one."""

    def wait(self, percent: float) -> float:
        """So many percent of the charger's messages were answered within these milliseconds, in the best round."""
        return min(each.percentile(percent) for each in self.waits)

    @property
    def cores(self) -> float:
        """The part of a core that the server took."""
        return self.cpu / self.seconds


@dataclass(frozen=True)
class Watched:
    """What came of it."""

    alone: Phase
    watched: Phase
    faults: Sequence[str]

    def ratio(self, percent: float) -> float:
        """What the charger waited with all who look, to what it waited with nobody."""
        return self.watched.wait(percent) / self.alone.wait(percent)

    @property
    def cpu_per_viewer_minute(self) -> float:
        """Seconds of the server's CPU."""
        return 60 * (self.watched.cores - self.alone.cores) / self.watched.viewers


@asynccontextmanager
async def fleet(port: int, chargers: int, seed: int) -> AsyncIterator[None]:
    """Chargers that charge, each with a meter value every ten seconds, now and then another state."""
    living: list[asyncio.Task[None]] = []
    begun = [asyncio.Event() for _ in range(chargers)]
    for number, event in enumerate(begun):
        living.append(asyncio.create_task(_charge(port, f"CP-{number:03}", Random(f"{seed}-{number}"), event)))
    try:
        async with asyncio.timeout(60):
            for event in begun:
                await event.wait()
        yield
        for task in living:
            if task.done():
                task.result()
    finally:
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)


async def _charge(port: int, identity: str, random: Random, begun: asyncio.Event) -> None:
    url = f"ws://127.0.0.1:{port}/ocpp"
    async with charger(url, identity) as one:
        transaction, energy = await one.begin(f"CARD-{identity}"), 0
        begun.set()
        await asyncio.sleep(random.uniform(0, METER_EVERY))
        while True:
            energy += 30
            await one.measure(transaction, power_w=random.randrange(10_000, 11_000), energy_wh=energy)
            if random.random() < 0.02:
                await one.end(transaction, energy_wh=energy)
                transaction, energy = await one.begin(f"CARD-{identity}"), 0
            await asyncio.sleep(METER_EVERY)


async def watch(
    folder: Path, *, viewers: int, chargers: int, seconds: float, seed: int, with_screen: bool = False
) -> Watched:
    """By turns with nobody who looks and with all, so many seconds each in all."""
    served = Served(folder, warm=False)
    cpus = _cpus()
    # The server has one CPU of its own and all who talk to it have the others, as where they are machines of their own.
    with _on(cpus[:1]):
        served.start()
    alone, watched, faults = Phase(0), Phase(viewers), list[str]()
    try:
        with _on(cpus[1:]):
            async with fleet(served.ocpp_port, chargers, seed):
                with watchers(served.http_url) as crowd, neighbour(served.ocpp_port) as beside:
                    for _ in range(ROUNDS):
                        for phase in (alone, watched):
                            await asyncio.to_thread(crowd.look, phase.viewers)
                            await _measure(phase, psutil.Process(served.pid), beside, crowd, seconds / ROUNDS, faults)
                if with_screen:
                    with watchers(served.http_url) as crowd:
                        async with screen(served.http_url, served.ocpp_port) as measure:
                            for phase in (alone, watched):
                                await asyncio.to_thread(crowd.look, phase.viewers)
                                phase.on_screen += await measure(seconds / 2)
        faults += [f"{phase.lost} connections of the neighbour's were lost" for phase in (alone, watched) if phase.lost]
        faults += served.defects()
    finally:
        served.end()
    return Watched(alone, watched, faults)


@contextmanager
def _on(cpus: Sequence[int]) -> Iterator[None]:
    """What this process starts runs there, and so does itself; where there's one CPU only, on that."""
    if not cpus:
        yield
        return
    ours = psutil.Process()
    before = ours.cpu_affinity() or []
    ours.cpu_affinity(list(cpus))
    try:
        yield
    finally:
        ours.cpu_affinity(before)


def _cpus() -> Sequence[int]:
    """Where a process may be bound to one; else none."""
    return (psutil.Process().cpu_affinity() or []) if psutil.LINUX else []


async def _measure(
    phase: Phase, server: psutil.Process, beside: Neighbour, crowd: Watchers, seconds: float, faults: list[str]
) -> None:
    await asyncio.sleep(min(2.0, seconds / 4))  # what loading the pages left to do is done
    await asyncio.to_thread(crowd.look, phase.viewers)
    await asyncio.to_thread(beside.seen)
    cpu, began = _cpu(server), time.monotonic()
    await asyncio.sleep(seconds)
    seen = await asyncio.to_thread(beside.seen)
    phase.seconds += time.monotonic() - began
    phase.cpu += _cpu(server) - cpu
    given = await asyncio.to_thread(crowd.look, phase.viewers)
    phase.answers += given.answers
    phase.fetched += given.fetched
    faults += given.failures
    phase.waits.append(seen)
    phase.lost += seen.lost


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make viewers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--chargers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mcpp-viewers-") as folder:
        watched = asyncio.run(
            watch(
                Path(folder),
                viewers=args.viewers,
                chargers=args.chargers,
                seconds=args.seconds,
                seed=args.seed,
                with_screen=find_chromium() is not None,
            )
        )
    _print("| viewers | server's CPU | charger's wait: 50 % | 90 % | 99 % | answers | transferred |")
    _print("| --- | --- | --- | --- | --- | --- | --- |")
    for it in (watched.alone, watched.watched):
        waits = " | ".join(f"{it.wait(percent):.2f} ms" for percent in PERCENTS)
        _print(f"| {it.viewers} | {100 * it.cores:.1f} % | {waits} | {it.answers} | {it.fetched / 1024:.0f} KiB |")
    ratios = ", ".join(f"{percent} %: {watched.ratio(percent):.2f}" for percent in PERCENTS)
    _print(
        f"{watched.cpu_per_viewer_minute:.2f} s of CPU per viewer and minute with {args.chargers} live chargers; the "
        f"charger's wait in ratio to that with nobody who looks, {ratios}"
    )
    for it in (watched.alone, watched.watched):
        if times := sorted(it.on_screen):
            shares = ", ".join(f"{percent} % {times[len(times) * percent // 100]:.0f}" for percent in (50, 90, 99))
            _print(
                f"from a message to the screen of Chromium beside {it.viewers} viewers, {len(times)} messages, in ms: "
                f"{shares}, longest {times[-1]:.0f}"
            )
    for fault in watched.faults[:20]:
        _print(fault)
    return 1 if watched.faults or watched.ratio(50) > MOST_RATIO else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
