"""People who look at the overview, in a process of their own: each does what `mcpp/web/static/live.js` does.

Usage: python -m tests.campaigns.watchers URL. For each line on standard input, which is how many look from now on, it
prints one line of JSON: what they were given since the last one. It ends with its standard input. It gives way to every
other process (`nice`), since in the world those browsers run on machines of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx

PAUSE: Final = 0.3
"""Seconds between two fetches of a viewer."""
STREAM: Final = "/api/v1/events?gather=400"

_TAG: Final = re.compile(r"<[a-z]+ [^>]*\bdata-live=[^>]*>")
_ATTRIBUTE: Final = re.compile(r'\b(id|data-live|data-live-events|data-live-pause)="([^"]*)"')
_ROOT: Final = Path(__file__).parents[2]
_MOST_FAILURES: Final = 20


@dataclass
class Given:
    """What they were given."""

    answers: int = 0
    fetched: int = 0
    """Bytes as they were transferred."""
    failures: list[str] = field(default_factory=list)


class Watchers:
    """The process, as a campaign sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def look(self, viewers: int) -> Given:
        """That many look from now on; gives what they were given since the last call. Their first page is loaded."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(viewers, file=self._process.stdin, flush=True)
        return Given(**json.loads(self._process.stdout.readline()))


@contextmanager
def watchers(http_url: str) -> Iterator[Watchers]:
    """Nobody looks yet."""
    command = [sys.executable, "-m", "tests.campaigns.watchers", http_url]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Watchers(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)
        finally:
            process.kill()


@dataclass(frozen=True)
class _Region:
    """A part of the page, and what concerns it."""

    id: str
    charger: str
    events: frozenset[str]
    pause: float


@dataclass
class _Viewer:
    """One open page."""

    http: httpx.AsyncClient
    given: Given
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _regions: Sequence[_Region] = ()
    _dirty: set[str] = field(default_factory=set)
    _asked: dict[str, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Until it's cancelled."""
        try:
            async with self.http:
                await self._follow()
                self._failed("its stream of events ended")
        except httpx.HTTPError as error:
            self._failed(repr(error))
        finally:
            self.loaded.set()

    async def _follow(self) -> None:
        page = await self._get("/")
        self._regions = [
            _Region(
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
                self.loaded.set()
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
            self._failed(f"{answer.status_code} for {answer.url}")
        self.given.answers += 1
        self.given.fetched += answer.num_bytes_downloaded
        return answer.text

    def _failed(self, how: str) -> None:
        if len(self.given.failures) < _MOST_FAILURES:
            self.given.failures.append(how)


class _Crowd:
    def __init__(self, http_url: str) -> None:
        self._http_url = http_url
        self._given = Given()
        self._looking: list[asyncio.Task[None]] = []

    async def look(self, viewers: int) -> Given:
        """Comes back when each of them has its page, and its stream."""
        while len(self._looking) > viewers:
            task = self._looking.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        loading = []
        while len(self._looking) < viewers:
            http = httpx.AsyncClient(
                base_url=self._http_url, timeout=30, trust_env=False, headers={"Cookie": "timezone=Europe/Berlin"}
            )
            viewer = _Viewer(http, self._given)
            self._looking.append(asyncio.create_task(viewer.watch()))
            loading.append(viewer.loaded)
        for loaded in loading:
            await loaded.wait()
        return self._take()

    def _take(self) -> Given:
        given = self._given
        taken = Given(given.answers, given.fetched, list(given.failures))
        given.answers, given.fetched = 0, 0
        given.failures.clear()
        return taken


async def _main(http_url: str) -> None:
    crowd = _Crowd(http_url)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(await crowd.look(int(line)))), flush=True)  # noqa: T201  to the campaign
    await crowd.look(0)


if __name__ == "__main__":
    os.nice(10)
    asyncio.run(_main(sys.argv[1]))
