"""What a scrape costs the server, and what its chargers notice: windows with scrapes and without take turns."""

from __future__ import annotations

import http.client
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from tools.bench.child import Cpus
from tools.bench.generator import Sent
from tools.bench.messages import Workload
from tools.bench.servers import Mcpp, Server, running
from tools.bench.turns import Fleet, fleet

_FOREVER = 3600.0
"""Seconds; for a workload that ends by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    chargers: int
    """That the server knows."""
    connected: int
    limit: int
    """How many have series of their own."""
    rate: float
    """Messages a second, of all chargers."""
    seconds: float
    """Of a window."""
    interval: float
    """Seconds from scrape to scrape."""
    windows: int
    """With scrapes, and as many without."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """One GET of /metrics."""

    began: float
    seconds: float
    size: int
    """Bytes."""
    series: int
    cpu: float
    """Seconds that the server spent meanwhile, messages included."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How long chargers waited, in milliseconds."""

    what: str
    messages: int
    p50: float
    p99: float
    slowest: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured."""

    plan: Plan
    answers: list[Answers]
    scrapes: int
    series: int
    size: int
    """Bytes of a scrape."""
    seconds: float
    """Of a scrape, the median."""
    cpu: float
    """Seconds for a scrape on average, its share of the messages taken off."""
    busy: float
    """Share of a CPU that the messages take without scrapes."""


def measure(plan: Plan) -> Found:
    """Run a server and its chargers for it; takes the windows' time and that of connecting."""
    cpus = Cpus.of_this_machine()
    flags = ("--durability", "normal", "--per-charger-metrics-limit", str(plan.limit))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpp-bench-")))
        server = stack.enter_context(running(Mcpp("MCPP", flags), folder, cpus))
        chargers = stack.enter_context(fleet(server, cpus))
        _arrive(chargers, plan)
        _scrape(server)
        calm, scraped = list[Sent](), list[Sent]()
        scrapes = list[Scrape]()
        seconds = cpu = 0.0
        for _ in range(plan.windows):
            began, spent = time.monotonic(), server.cpu()
            calm += chargers.run(Workload.THREE_PHASE, plan.seconds, plan.rate).sent
            seconds += time.monotonic() - began
            cpu += server.cpu() - spent
            scrapes += _scraped_window(chargers, plan, server, scraped)
    return _found(plan, cpu / seconds, calm, scrapes, scraped)


def _arrive(chargers: Fleet, plan: Plan) -> None:
    """All come with the statuses of their connectors; those that stay send meter values of both."""
    chargers.connect(plan.chargers)
    chargers.run(Workload.ARRIVAL, _FOREVER)
    chargers.connect(plan.connected)
    chargers.run(Workload.THREE_PHASE, 1 + plan.connected / 500)


def _scraped_window(chargers: Fleet, plan: Plan, server: Server, scraped: list[Sent]) -> list[Scrape]:
    chargers.begin(Workload.THREE_PHASE, plan.seconds, plan.rate)
    began = time.monotonic()
    scrapes = []
    due = began + plan.interval / 2
    while due < began + plan.seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        scrapes.append(_scrape(server))
        due += plan.interval
    scraped += chargers.wait().sent
    return scrapes


def _scrape(server: Server) -> Scrape:
    """As Prometheus does it."""
    cpu, began = server.cpu(), time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)) as connection:
        connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        response = connection.getresponse()
        text = response.read()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"/metrics answered {response.status}")
    seconds = time.monotonic() - began
    lines = text.count(b"\n") - text.count(b"\n#") - text.startswith(b"#")
    return Scrape(began, seconds, len(text), lines, server.cpu() - cpu)


def _found(plan: Plan, busy: float, calm: list[Sent], scrapes: list[Scrape], scraped: list[Sent]) -> Found:
    during = [
        (sent, seconds)
        for sent, seconds in scraped
        if any(sent < scrape.began + scrape.seconds and scrape.began < sent + seconds for scrape in scrapes)
    ]
    answers = [
        _answers("without scrapes", calm),
        _answers(f"a scrape every {plan.interval:g} s", scraped),
        _answers("of these, during a scrape", during),
    ]
    return Found(
        plan=plan,
        answers=answers,
        scrapes=len(scrapes),
        series=scrapes[-1].series,
        size=scrapes[-1].size,
        seconds=median(scrape.seconds for scrape in scrapes),
        cpu=mean(scrape.cpu - busy * scrape.seconds for scrape in scrapes),
        busy=busy,
    )


def _answers(what: str, sent: Sequence[Sent]) -> Answers:
    waits = sorted(seconds * 1000 for _, seconds in sent) or [0.0]
    return Answers(what, len(sent), _percentile(waits, 50), _percentile(waits, 99), waits[-1])


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[(len(ordered) - 1) * percent // 100]


def report(found: Found) -> Iterator[str]:
    """For people."""
    plan = found.plan
    yield (
        f"{plan.chargers:,} chargers known, {plan.connected:,} connected, at most {plan.limit:,} with series; "
        f"{plan.rate:g} messages/s, which take {found.busy:.0%} of a CPU"
    )
    yield (
        f"a scrape: {found.series:,} series, {found.size / 1e6:.1f} MB, {found.seconds * 1000:.0f} ms, "
        f"{found.cpu * 1000:.0f} ms CPU ({found.scrapes} scrapes)"
    )
    yield f"{'answers':<28}{'messages':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
    for row in found.answers:
        yield f"{row.what:<28}{row.messages:>10}{row.p50:>9.2f}{row.p99:>9.2f}{row.slowest:>9.2f}"
