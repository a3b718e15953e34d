"""A scrape in pieces says what the library would say in one, and lets others have their turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from time import perf_counter

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from mcpp.telemetry.metrics import exposition
from mcpp.telemetry.metrics.exposition import TURN_SECONDS, Exposition, Family, family, sum_family
from tests.unit.telemetry.scrapes import OPENMETRICS, joined


class Nothing(Collector):
    def collect(self) -> Iterable[Metric]:
        return []


@pytest.fixture
def registry() -> CollectorRegistry:
    """Families of every kind, some of them far longer than one slice."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # as the server does
    registry = CollectorRegistry()
    Counter("a_seconds_total", 'Of a "\\" kind.', unit="seconds", registry=registry).inc(1e17)
    many = Gauge("b", "With hard values.", ["name"], registry=registry)
    for number in range(130):
        many.labels(f'{number} "\\\n{{}} ü').set(number / 7)
    many.labels("none").set(float("nan"))
    many.labels("most").set(float("inf"))
    seconds = Histogram("c_seconds", "With exemplars.", ["name"], unit="seconds", registry=registry)
    for number in range(20):
        seconds.labels(str(number)).observe(number, {"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    Gauge("d", "Without series.", ["name"], registry=registry)
    return registry


@pytest.mark.parametrize("accept", ["", "text/plain; version=0.0.4", "*/*", "text/html"])
async def test_prometheus_text_is_the_librarys(registry: CollectorRegistry, accept: str) -> None:
    content_type, pieces = Exposition(registry, Nothing()).render(accept)

    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert await joined(pieces) == choose_encoder("")[0](registry).decode()


@pytest.mark.parametrize(
    "accept",
    [
        OPENMETRICS,
        "application/openmetrics-text",
        "text/plain;q=0.5, Application/OpenMetrics-Text; version=1.0.0;q=0.9",
        "application/openmetrics-text; version=none; escaping=dots",
    ],
)
async def test_openmetrics_is_the_librarys(registry: CollectorRegistry, accept: str) -> None:
    content_type, pieces = Exposition(registry, Nothing()).render(accept)

    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert await joined(pieces) == choose_encoder(OPENMETRICS)[0](registry).decode()


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "# HELP b_bytes_total Bytes.\n# TYPE b_bytes_total counter\nb_bytes_total 1\n"),
        (OPENMETRICS, "# HELP b_bytes Bytes.\n# TYPE b_bytes counter\n# UNIT b_bytes bytes\nb_bytes_total 1\n# EOF\n"),
    ],
)
async def test_a_family_that_makes_its_own_lines_has_its_formats_head(accept: str, expected: str) -> None:
    scrapes = Exposition(CollectorRegistry(), Nothing())
    scrapes.add(lambda: [family("b_bytes_total", "Bytes.", iter([b"b_bytes_total ", b"1\n"]))])

    assert await joined(scrapes.render(accept)[1]) == expected


async def test_a_sum_of_very_many_numbers() -> None:
    scrapes = Exposition(CollectorRegistry(), Nothing())
    scrapes.add(lambda: [sum_family("depth", "Depth.", (number % 3 for number in range(5000)))])

    assert "\ndepth 4999\n" in await joined(scrapes.render("")[1])


def slow_lines(count: int) -> Iterator[bytes]:
    """Lines that take a piece's whole time each."""
    for number in range(count):
        due = perf_counter() + TURN_SECONDS
        while perf_counter() < due:
            pass
        yield f'slow{{number="{number}"}} 1\n'.encode()


async def test_others_have_their_turn_between_the_pieces() -> None:
    scrapes = Exposition(CollectorRegistry(), Nothing())
    scrapes.add(lambda: [family("slow", "Slow.", slow_lines(20))])
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await joined(scrapes.render("")[1])
    counting.cancel()

    assert turns >= 20


async def test_what_waits_for_the_system_is_read_beside_the_loop() -> None:
    loop_runs_on = threading.Event()

    class Waits(Collector):
        def collect(self) -> Iterable[Metric]:
            return [GaugeMetricFamily("waited", "Whether the loop ran on.", value=loop_runs_on.wait(10))]

    asyncio.get_running_loop().call_later(0.01, loop_runs_on.set)

    assert "waited 1.0\n" in await joined(Exposition(CollectorRegistry(), Waits()).render("")[1])


async def test_scrapes_at_the_same_time_are_all_whole(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposition, "TURN_SECONDS", 0)
    scrapes = Exposition(registry, Nothing())

    def families() -> list[Family]:
        return [family("e", "Numbered.", (f'e{{number="{number}"}} 1\n'.encode() for number in range(50)))]

    scrapes.add(families)
    alone = await joined(scrapes.render("")[1])

    assert await asyncio.gather(*(joined(scrapes.render("")[1]) for _ in range(3))) == [alone] * 3
