"""A scrape as text, made in pieces so that chargers have their turn between them.

The registry's families go through prometheus-client's encoders, some samples at a time. Families with a series for
each charge point bring their lines as finished text, since a sample costs the library 5 µs and there are 200,000.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import closing
from copy import copy
from time import perf_counter
from typing import Final, NamedTuple, TypeAlias

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

TURN_SECONDS: Final = 0.0005
"""How long a piece may take to make: what a message may have to wait for a scrape, at each of its steps."""

PAUSE_SECONDS: Final = 0.001
"""Between two pieces. A message needs several turns of the loop, and the writer's thread the interpreter; both would
starve beside a scrape that comes back at once."""

_SAMPLES_AT_ONCE: Final = 50
"""How many samples are encoded between two looks at the clock; a quarter of a millisecond."""

_OPENMETRICS: Final = "application/openmetrics-text"

_NUMBERS_AT_ONCE: Final = 1000

_UNITS: Final = ("seconds", "bytes", "watts", "watt_hours", "volts", "amperes")

_Encode: TypeAlias = Callable[[Collector], bytes]


class Family(NamedTuple):
    """A metric family that makes its lines itself, some at a time."""

    metric: Metric
    """Its name, help text, type and unit; without samples."""
    lines: Iterator[bytes]
    """Finished lines in the syntax that both formats share: no timestamps, no exemplars."""


Families: TypeAlias = Callable[[], Iterable[Family]]


def unit_of(name: str) -> str:
    """The base unit that a metric's name ends in, as OpenMetrics' `# UNIT` says it; empty where there is none."""
    base = name.removesuffix("_total")
    return next((unit for unit in _UNITS if base.endswith(f"_{unit}")), "")


def family(name: str, text: str, lines: Iterator[bytes]) -> Family:
    """A counter where the name ends in `_total`, else a gauge."""
    kind = "counter" if name.endswith("_total") else "gauge"
    return Family(Metric(name.removesuffix("_total"), text, kind, unit_of(name)), lines)


def sum_family(name: str, text: str, numbers: Iterable[int]) -> Family:
    """A gauge: the sum of numbers that may be too many to add up at once."""

    def lines() -> Iterator[bytes]:
        total = 0
        for count, number in enumerate(numbers, 1):
            total += number
            if count % _NUMBERS_AT_ONCE == 0:
                yield b""
        yield f"{name} {total}\n".encode()

    return family(name, text, lines())


class Exposition:
    """Renders a registry and what was added to it. Scrapes may overlap: each has its own state."""

    def __init__(self, registry: CollectorRegistry, slow: Collector) -> None:
        """`slow` waits for the operating system, and is collected in a thread; it isn't part of the registry."""
        self._registry = registry
        self._slow = slow
        self._more: list[Families] = []

    def add(self, families: Families) -> None:
        """Have these families in every scrape, behind the registry's."""
        self._more.append(families)

    def render(self, accept: str) -> tuple[str, AsyncIterator[bytes]]:
        """Content type and pieces of a scrape: OpenMetrics where the Accept header names it, else Prometheus text."""
        names = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
        # Only the type is passed on: the library stumbles over versions that it doesn't know.
        encode, content_type = choose_encoder(_OPENMETRICS if _OPENMETRICS in names else "")
        return content_type, self._pieces(encode)

    async def _pieces(self, encode: _Encode) -> AsyncIterator[bytes]:
        slow = await asyncio.to_thread(lambda: list(self._slow.collect()))
        gathered: list[bytes] = []
        due = perf_counter() + TURN_SECONDS
        with closing(self._texts(encode, slow)) as texts:
            for text in texts:
                gathered.append(text)
                if perf_counter() >= due:
                    yield b"".join(gathered)
                    gathered.clear()
                    await asyncio.sleep(PAUSE_SECONDS)
                    due = perf_counter() + TURN_SECONDS
        yield b"".join(gathered)

    def _texts(self, encode: _Encode, slow: Iterable[Metric]) -> Generator[bytes, None, None]:
        end = encode(_Only())
        for metrics in (slow, self._registry.collect()):
            for metric in metrics:
                yield from _encoded(metric, encode, end)
        for families in self._more:
            for metric, lines in families():
                yield encode(_Only(metric)).removesuffix(end)
                yield from lines
        yield end


class _Only(Collector):
    """What the encoders take: a source of nothing but these."""

    def __init__(self, *metrics: Metric) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _encoded(metric: Metric, encode: _Encode, end: bytes) -> Iterator[bytes]:
    """The family's head, then its lines, some at a time."""
    part = copy(metric)
    part.samples = []
    head = encode(_Only(part)).removesuffix(end)
    yield head
    for start in range(0, len(metric.samples), _SAMPLES_AT_ONCE):
        part.samples = metric.samples[start : start + _SAMPLES_AT_ONCE]
        yield encode(_Only(part)).removesuffix(end).removeprefix(head)
