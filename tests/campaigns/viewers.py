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
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import httpx
import psutil

from tests.browser.chargers import charger
from tests.campaigns.neighbour import Neighbour, neighbour
from tests.campaigns.screen import find_chromium, screen
from tests.campaigns.served import Served

MOST_RATIO: Final = 2.0
ROUNDS: Final = 6
"""Each with nobody who looks, and with all; what else the machine does is less in the best of them."""
PAUSE: Final = 0.3
"""Seconds between two fetches of a viewer."""
STREAM: Final = "/api/v1/events?gather=400"
METER_EVERY: Final = 10.0
"""Seconds between two meter values of a charger, as most are set."""

_TAG: Final = re.compile(r"<[a-z]+ [^>]*\bdata-live=[^>]*>")
_ATTRIBUTE: Final = re.compile(r'\b(id|data-live|data-live-events|data-live-pause)="([^"]*)"')


@dataclass(frozen=True)
class Region:
    """A part of the page, and what concerns it."""

    id: str
    charger: str
    events: frozenset[str]
    pause: float


@dataclass
class Viewer:
    """One open page."""

    http: httpx.AsyncClient
    answers: int = 0
    fetched: int = 0
    """Bytes as they were transferred."""
    failures: list[str] = field(default_factory=list)
    _regions: Sequence[Region] = ()
    _dirty: set[str] = field(default_factory=set)
    _asked: dict[str, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Until it's cancelled."""
        page = await self._get("/")
        self._regions = [
            Region(
                found["id"],
                found["data-live"],
                frozenset(found.get("data-live-events", "").split()),
                float(found.get("data-live-pause", "0")) / 1000,
            )
            for tag in _TAG.findall(page)
            if "id" in (found := dict(_ATTRIBUTE.findall(tag)))
        ]
        fetching = asyncio.create_task(self._fetch())
        try:
            async with self.http.stream("GET", STREAM, timeout=None) as stream:
                name = ""
                async for line in stream.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        self._take(name, json.loads(line.removeprefix("data: "))["charge_point_id"])
        finally:
            fetching.cancel()

    def _take(self, name: str, charger: str) -> None:
        if name == "heartbeat_received":
            return
        for region in self._regions:
            if region.charger in {"*", charger} and (not region.events or name in region.events):
                self._dirty.add(region.id)
                self._news.set()

    async def _fetch(self) -> None:
        pauses = {region.id: region.pause for region in self._regions}
        due: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
                    await self._news.wait()
            self._news.clear()
            await asyncio.sleep(PAUSE - (time.monotonic() - max(self._asked.values(), default=0.0)))
            now = time.monotonic()
            free_at = {part: self._asked.get(part, 0.0) + pauses[part] for part in self._dirty}
            parts = [part for part, when in free_at.items() if when <= now]
            due = min((when for when in free_at.values() if when > now), default=None)
            if parts:
                self._dirty.difference_update(parts)
                self._asked.update(dict.fromkeys(parts, now))
                await self._get("/", [("part", part) for part in parts])

    async def _get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> str:
        answer = await self.http.get(path, params=list(parameters))
        if answer.status_code != 200:
            self.failures.append(f"{answer.status_code} for {answer.url}")
        self.answers += 1
        self.fetched += answer.num_bytes_downloaded
        return answer.text


@dataclass
class Phase:
    """What was measured with so many viewers, in all rounds."""

    viewers: int
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of the server's."""
    answers: int = 0
    fetched: int = 0
    medians: list[float] = field(default_factory=list)
    """Of the charger's waits, in milliseconds, one for each round."""
    lost: int = 0
    on_screen: list[float] = field(default_factory=list)
    """Milliseconds from a charger's message to the change in a browser; with nobody who looks, that's the only one."""

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

    @property
    def ratio(self) -> float:
        """Of the charger's medians, the best of each."""
        return min(self.watched.medians) / min(self.alone.medians)

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
    served.start()
    alone, watched, faults = Phase(0), Phase(viewers), list[str]()
    try:
        async with fleet(served.ocpp_port, chargers, seed):
            with neighbour(served.ocpp_port) as beside:
                for _ in range(ROUNDS):
                    for phase in (alone, watched):
                        async with _watching(served.http_url, phase.viewers, faults) as those:
                            await _measure(phase, psutil.Process(served.pid), beside, those, seconds / ROUNDS)
            if with_screen:
                async with screen(served.http_url, served.ocpp_port) as measure:
                    for phase in (alone, watched):
                        async with _watching(served.http_url, phase.viewers, faults):
                            phase.on_screen += await measure(seconds / 2)
        faults += [f"{phase.lost} connections of the neighbour's were lost" for phase in (alone, watched) if phase.lost]
        faults += served.defects()
    finally:
        served.end()
    return Watched(alone, watched, faults)


async def _measure(
    phase: Phase, server: psutil.Process, beside: Neighbour, those: Sequence[Viewer], seconds: float
) -> None:
    await asyncio.sleep(min(3.0, seconds / 4))  # pages load
    phase.answers -= sum(each.answers for each in those)
    phase.fetched -= sum(each.fetched for each in those)
    await asyncio.to_thread(beside.seen)
    cpu, began = _cpu(server), time.monotonic()
    await asyncio.sleep(seconds)
    seen = await asyncio.to_thread(beside.seen)
    phase.seconds += time.monotonic() - began
    phase.cpu += _cpu(server) - cpu
    phase.answers += sum(each.answers for each in those)
    phase.fetched += sum(each.fetched for each in those)
    phase.medians.append(seen.percentile(50))
    phase.lost += seen.lost


@asynccontextmanager
async def _watching(url: str, viewers: int, faults: list[str]) -> AsyncIterator[Sequence[Viewer]]:
    those = [
        Viewer(
            httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, headers={"Cookie": "timezone=Europe/Berlin"})
        )
        for _ in range(viewers)
    ]
    watching = [asyncio.create_task(each.watch()) for each in those]
    try:
        yield those
        for each, task in zip(those, watching, strict=True):
            if task.done():
                faults.append(f"a stream ended: {task.exception()}")
            faults += each.failures
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        for each in those:
            await each.http.aclose()


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
    _print("| viewers | server's CPU | charger's median | answers | transferred |\n| --- | --- | --- | --- | --- |")
    for it in (watched.alone, watched.watched):
        _print(
            f"| {it.viewers} | {100 * it.cores:.1f} % | {min(it.medians):.1f} ms | {it.answers} "
            f"| {it.fetched / 1024:.0f} KiB |"
        )
    _print(
        f"{watched.cpu_per_viewer_minute:.2f} s of CPU per viewer and minute with {args.chargers} live chargers; the "
        f"charger's median is {watched.ratio:.2f} times that with nobody who looks"
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
    return 1 if watched.faults or watched.ratio > MOST_RATIO else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
