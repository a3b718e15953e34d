"""One variant of the server in a process of its own; `tools.bench.telemetry` starts it and tells it what to do.

Frames go through the real message path, from a whole frame to its answer and the database's file; only the sockets and
the WebSocket protocol are left out. An order is a line `{"workload": …, "rounds": …}`, its answer a line that is a
`Block`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import orjson
import uvloop
from websockets.frames import CloseCode

from mcpp.server.parts import build_core, open_storage
from mcpp.server.telemetry import build_telemetry
from mcpp.settings import Settings
from mcpp.telemetry.logs.lines import LineWriter
from mcpp.telemetry.logs.pipeline import logging_to
from mcpp.telemetry.logs.sink import LogSink
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.transport.admission import Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.connection import Hold
from mcpp.transport.limits import Limits
from mcpp.transport.outcomes import ConnectionOutcome
from tools.bench.messages import TRANSACTION, Charger, Workload, transaction_id, yesterday
from tools.bench.variants import Variant, observer_of, reduce_metrics, reduce_subscribers, settings_of

_CHARGING: Final = 1
"""The connector whose transaction runs all the time."""
_CYCLING: Final = 2
"""The connector whose transactions start and stop."""

_QUIET_SECONDS: Final = 0.25
"""Longer than lines and spans gather before they are written."""

_PLACE: Final = str(TRANSACTION).encode()


@dataclass(frozen=True, slots=True)
class Block:
    """What a number of messages has cost."""

    messages: int
    seconds: float
    """CPU of all threads."""
    spans: int
    """Taken by the collector."""
    lost_spans: int
    """Failed or dropped: they cost less than they should."""


class _Round:
    """Waits until every charger has its answer."""

    def __init__(self) -> None:
        self._left = 0
        self._done = asyncio.Event()

    def begin(self, answers: int) -> None:
        self._left = answers
        self._done.clear()

    def answered(self) -> None:
        self._left -= 1
        if not self._left:
            self._done.set()

    async def over(self) -> None:
        await self._done.wait()


class _Wire:
    """Implements `mcpp.transport.charge_point.Link`: where the socket would be."""

    remote = "127.0.0.1"

    def __init__(self, answered: Callable[[], None]) -> None:
        self._answered = answered
        self.answer = b""

    def send(self, text: bytes) -> bool:
        self.answer = text
        self._answered()
        return True

    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None: ...
    def hold_reading(self, reason: Hold) -> None: ...
    def release_reading(self, reason: Hold) -> None: ...
    def wake_by(self, when: float) -> None: ...


class Site:
    """A server without sockets, and its chargers."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._spans = metrics.registry.restricted_registry(["mcpp_spans_total"])
        self._round = _Round()
        self._chargers: list[Charger] = []
        self._wires: list[_Wire] = []
        self._points: list[LiveChargePoint] = []
        self._running: list[int] = []
        self._works: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, variant: Variant, database: Path, chargers: int, sink: LogSink, lines: LineWriter
    ) -> AsyncIterator[Self]:
        """Built as `mcpp serve` builds it, reduced to what the variant has."""
        settings = Settings.load({"database": str(database), "durability": "normal", **settings_of(variant)})
        async with AsyncExitStack() as running:
            telemetry = build_telemetry(settings, sink, lines, running)
            reduce_metrics(variant, telemetry.metrics)
            storage = await open_storage(settings, telemetry, running)
            core = await build_core(settings, telemetry, storage, running)
            reduce_subscribers(variant, core)
            observer = observer_of(variant, telemetry, settings)
            site = cls(telemetry.metrics)
            for number in range(chargers):
                identity = f"CP{number:04}"
                wire = _Wire(site._round.answered)
                admitted = await core.presence.admit(ConnectRequest(identity, wire.remote, "1.6"))
                assert isinstance(admitted, Admitted)
                point = LiveChargePoint(admitted.peer, core.versions[0], observer, wire, Limits(), lambda *_: None)
                core.presence.connected(point)
                site._chargers.append(Charger(identity, yesterday()))
                site._wires.append(wire)
                site._points.append(point)
            site._running = await site._start(_CHARGING)
            _tune_garbage_collection()
            yield site
            await asyncio.gather(*site._works)

    async def block(self, workload: Workload, rounds: int) -> Block:
        """Send so many rounds of messages, a message of each charger at a time, and see what they cost."""
        cycle = self._cycle if workload is Workload.MIXED else self._meter_values
        prepared = [cycle() for _ in range(rounds)]
        spans, lost = self._counts()
        began = time.process_time()
        for frames in prepared:
            await self._play(frames)
        await self._calm_down()
        seconds = time.process_time() - began
        now_spans, now_lost = self._counts()
        messages = sum(len(frames) for cycle_frames in prepared for frames in cycle_frames)
        return Block(messages, seconds, now_spans - spans, now_lost - lost)

    def _meter_values(self) -> list[list[bytes]]:
        pairs = zip(self._chargers, self._running, strict=True)
        return [[charger.meter_values(_CHARGING, transaction) for charger, transaction in pairs]]

    def _cycle(self) -> list[list[bytes]]:
        return [
            [charger.status(_CYCLING, "Preparing") for charger in self._chargers],
            [charger.start(_CYCLING) for charger in self._chargers],
            [charger.meter_values(_CYCLING) for charger in self._chargers],
            [charger.stop() for charger in self._chargers],
            [charger.status(_CYCLING, "Available") for charger in self._chargers],
        ]

    async def _play(self, steps: Sequence[Sequence[bytes]]) -> None:
        """The second of several steps starts a transaction, which the later ones belong to."""
        transactions: list[bytes] = []
        for number, frames in enumerate(steps):
            if transactions:
                pairs = zip(frames, transactions, strict=True)
                await self._send([frame.replace(_PLACE, transaction) for frame, transaction in pairs])
            else:
                await self._send(frames)
            if number == 1:
                transactions = [str(transaction_id(wire.answer)).encode() for wire in self._wires]

    async def _start(self, connector: int) -> list[int]:
        await self._send([charger.start(connector) for charger in self._chargers])
        return [transaction_id(wire.answer) for wire in self._wires]

    async def _send(self, frames: Sequence[bytes]) -> None:
        self._round.begin(len(frames))
        for point, frame in zip(self._points, frames, strict=True):
            point.message_received(frame, binary=False)
        await self._round.over()

    async def _calm_down(self) -> None:
        """Until the threads have written the lines and the spans of what was sent: they are part of its cost."""
        counts = None
        while counts != self._counts():
            counts = self._counts()
            await asyncio.sleep(_QUIET_SECONDS)

    def _counts(self) -> tuple[int, int]:
        """Spans that the collector took, and those that never got there."""
        values = {
            sample.labels["outcome"]: int(sample.value) for family in self._spans.collect() for sample in family.samples
        }
        return values.get("exported", 0), values.get("failed", 0) + values.get("dropped", 0)


def _tune_garbage_collection() -> None:
    """As the server does (decision record 5)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


async def _work(variant: Variant, folder: Path, chargers: int, sink: LogSink, lines: LineWriter) -> None:
    async with Site.open(variant, folder / "bench.db", chargers, sink, lines) as site:
        _say(b"{}")
        while order := await asyncio.to_thread(sys.stdin.readline):
            wanted = orjson.loads(order)
            _say(orjson.dumps(await site.block(Workload(wanted["workload"]), wanted["rounds"])))


def _say(answer: bytes) -> None:
    print(answer.decode(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("variant", type=Variant)
    parser.add_argument("folder", type=Path)
    parser.add_argument("chargers", type=int)
    options = parser.parse_args()
    log = os.open(options.folder / "log", os.O_WRONLY | os.O_CREAT)
    sink = LogSink(log)
    settings = Settings.load({})
    with logging_to(sink, level=settings.log_level, log_format=settings.log_format) as lines:
        uvloop.run(_work(options.variant, options.folder, options.chargers, sink, lines))


if __name__ == "__main__":
    main()
