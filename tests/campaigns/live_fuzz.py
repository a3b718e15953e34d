"""Spoiled frames and bytes against a real server, with payloads in its log, readers at its API, and a neighbour."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from random import Random
from typing import Final

import httpx
from pydantic import JsonValue
from websockets.frames import Opcode

from mcpp.csms.version import KnownVersion
from mcpp.server.versions import VERSIONS
from tests.campaigns.line import Line, NotLetIn, charger, dialled, text
from tests.campaigns.mutants import WORDS_16, Words, anything, frame
from tests.campaigns.mutants2 import words_of
from tests.campaigns.neighbour import Neighbour, neighbour
from tests.campaigns.served import Served
from tests.integration.transport.support import frame as websocket_frame
from tests.integration.transport.support import handshake

CHARGERS: Final = 6
SLOWEST_P99_MS: Final = 250.0

_READ: Final = (
    *(
        "/metrics",
        "/api/v1/charge-points/FUZZ-1",
        "/api/v1/charge-points/FUZZ-1/variables",
        "/readyz",
        "/api/v1/charge-points?limit=1000",
        "/api/v1/transactions?limit=1000",
        "/api/v1/unmatched",
    ),
    *("/api/v1/conformance", "/api/v1/id-tags", "/api/v1/reservations", "/api/v1/reports/energy?by=charger&period=day"),
    *("/api/v1/charge-points/FUZZ-0", "/api/v1/charge-points/FUZZ-0/conformance", "/openapi.json"),
)
"""What people and machines read meanwhile."""

_ASKED: Final[tuple[tuple[str, JsonValue], ...]] = (
    ("GetConfiguration", {}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
    ("Reset", {"type": "Soft"}),
    ("GetLocalListVersion", {}),
)


def _version(number: int) -> KnownVersion:
    """That a charger speaks, by its number."""
    return VERSIONS[number % len(VERSIONS)]


def _words(number: int) -> Words:
    version = _version(number)
    return WORDS_16 if version is VERSIONS[0] else words_of(version.name)


@dataclass(frozen=True)
class Live:
    """What came of it."""

    summary: str
    faults: Sequence[str]


class _Fuzzer:
    def __init__(self, served: Served, random: Random) -> None:
        self.served = served
        self.random = random
        self.frames = 0
        self.requests = 0
        self.faults: list[str] = []
        self._ends = 0.0

    async def run(self, seconds: float) -> None:
        self._ends = asyncio.get_running_loop().time() + seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for number in range(CHARGERS):
                    group.create_task(self._charger(number))
                for _ in range(2):
                    group.create_task(self._bytes())
                group.create_task(self._reader())
                group.create_task(self._listener())
                group.create_task(self._operator())

    def _goes_on(self) -> bool:
        """A cancellation can get lost where it meets a time limit: the clock ends it all the same."""
        return asyncio.get_running_loop().time() < self._ends

    async def _charger(self, number: int) -> None:
        """Spoiled text, and now and then a frame that isn't one or a connection that is cut."""
        while self._goes_on():
            with suppress(OSError, NotLetIn, TimeoutError):
                headers = {"Sec-WebSocket-Protocol": _version(number).subprotocol}
                async with charger(self.served.ocpp_port, f"FUZZ-{number}", headers) as line:
                    for _ in range(self.random.randrange(1, 2000)):
                        await line.send(self._frame(_words(number)))
                        self.frames += 1
                        if not self._goes_on():
                            return
                    if self.random.random() < 0.5:
                        await self._cut(line)
            await asyncio.sleep(0.01)

    def _frame(self, words: Words) -> bytes:
        random = self.random
        content = frame(random, words)
        match random.randrange(40):
            case 0:
                return websocket_frame(Opcode.BINARY, content)
            case 1:
                return websocket_frame(random.choice((Opcode.PING, Opcode.PONG)), content[:125])
            case 2:
                at = random.randrange(len(content) + 1)
                first = websocket_frame(Opcode.TEXT, content[:at], fin=False)
                return first + websocket_frame(Opcode.PING, b"") + websocket_frame(Opcode.CONT, content[at:])
            case _:
                return text(content)

    async def _cut(self, line: Line) -> None:
        random = self.random
        whole = text(frame(random))
        match random.randrange(4):
            case 0:
                await line.send(whole[: random.randrange(len(whole))])
            case 1:
                await line.send(random.randbytes(random.randrange(1, 100)))
            case 2:
                await line.send(websocket_frame(Opcode.CLOSE, random.randbytes(random.randrange(10))))
            case _:
                await line.send(bytes([whole[0] ^ random.choice((0x10, 0x40, 0x08))]) + whole[1:])
        if random.random() < 0.5:
            line.reset()

    async def _bytes(self) -> None:
        """Handshakes that are nearly right, and bytes that are nothing."""
        random = self.random
        for number in takewhile(lambda _: self._goes_on(), count()):
            with suppress(OSError, TimeoutError):
                async with dialled(self.served.ocpp_port) as line:
                    data = bytearray(
                        handshake(f"/ocpp/{anything(random, 0)}".encode(errors="replace").decode("latin-1"))
                    )
                    for _ in range(random.randrange(4)):
                        data[random.randrange(len(data))] = random.randrange(256)
                    await line.send(bytes(data) if number % 4 else random.randbytes(random.randrange(1, 500)))
                    async with asyncio.timeout(0.2):
                        await line.reader.read(100)
                    line.reset()
            await asyncio.sleep(0.02)

    async def _reader(self) -> None:
        async with httpx.AsyncClient(base_url=self.served.http_url, timeout=60, trust_env=False) as http:
            while self._goes_on():
                path = self.random.choice(_READ)
                response = await http.get(path)
                self.requests += 1
                if response.status_code >= 500 and path != "/readyz":
                    self.faults.append(f"GET {path} was answered by {response.status_code}: {response.text[:500]}")
                elif path.startswith("/api") and response.is_success:
                    response.json()
                await asyncio.sleep(0.05)

    async def _listener(self) -> None:
        """Somebody who wants every event made and encoded."""
        async with (
            httpx.AsyncClient(base_url=self.served.http_url, timeout=None, trust_env=False) as http,
            http.stream("GET", "/api/v1/events") as response,
        ):
            async for _ in response.aiter_bytes():
                pass

    async def _operator(self) -> None:
        """Commands, whose answers are spoiled like everything."""
        async with httpx.AsyncClient(base_url=self.served.http_url, timeout=60, trust_env=False) as http:
            while self._goes_on():
                number = self.random.randrange(CHARGERS)
                words, identity = _words(number), f"FUZZ-{number}"
                action, payload = self.random.choice(_ASKED if words is WORDS_16 else list(words.commands.items()))
                response = await http.post(f"/api/v1/charge-points/{identity}/commands/{action}", json=payload)
                self.requests += 1
                if response.status_code == 500:
                    self.faults.append(f"{action} was answered by {response.text[:500]}")
                await asyncio.sleep(0.02)


def fuzz_live(folder: Path, seconds: float, random: Random, *, timed: bool = True) -> Live:
    """So long, on a server of its own; `timed` has the neighbour's p99 judged as well."""
    served = Served(folder, "--log-payloads", "on", "--log-level", "debug", "--call-timeout", "0.5")
    served.start()
    try:
        with neighbour(served.ocpp_port) as beside:
            return _fuzzed(served, beside, seconds, random, timed=timed)
    finally:
        served.end()


def _fuzzed(served: Served, beside: Neighbour, seconds: float, random: Random, *, timed: bool) -> Live:
    fuzzer = _Fuzzer(served, random)
    beside.seen()
    began = time.monotonic()
    asyncio.run(fuzzer.run(seconds))
    seen = beside.seen()
    took = time.monotonic() - began
    faults = [*fuzzer.faults, *served.defects()]
    if not served.is_alive:
        faults.append("the server ended")
    if seen.lost or not seen.answers:
        faults.append(f"the neighbour got {seen.answers} answers and lost {seen.lost}")
    if timed and seen.percentile(99) >= SLOWEST_P99_MS:
        faults.append(f"the neighbour's p99 is {seen.percentile(99):.0f} ms")
    return Live(
        f"live: {fuzzer.frames} frames, {fuzzer.requests} requests in {took:.0f} s; the neighbour's p99 "
        f"{seen.percentile(99):.1f} ms of {seen.answers} answers; {len(faults)} faults",
        faults,
    )
