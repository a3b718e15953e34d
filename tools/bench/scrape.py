"""What a scrape costs the server, and what its chargers notice: windows with scrapes and without take turns."""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Final

import orjson
import psutil

from mcpp.domain import charge_points
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from mcpp.ocppj.flow import new_correlation_id
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tools.bench.chargers import CONNECTORS, Sent, identity
from tools.bench.child import Child, child

_START_SECONDS: Final = 60


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


@dataclass(frozen=True, slots=True)
class _Server:
    """A running `mcpp serve`."""

    process: psutil.Process
    ocpp_port: int
    http_port: int

    def cpu(self) -> float:
        """Seconds so far, of all threads."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def scrape(self) -> Scrape:
        """As Prometheus does it."""
        cpu, began = self.cpu(), time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)) as connection:
            connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
            response = connection.getresponse()
            text = response.read()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"/metrics answered {response.status}")
        seconds = time.monotonic() - began
        lines = text.count(b"\n") - text.count(b"\n#") - text.startswith(b"#")
        return Scrape(began, seconds, len(text), lines, self.cpu() - cpu)


@dataclass(slots=True)
class _Windows:
    """What was seen in the windows of one kind."""

    seconds: float = 0.0
    cpu: float = 0.0


def measure(plan: Plan) -> Found:
    """Run a server and its chargers for it; takes the windows' time and that of connecting."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="mcpp-bench-")))
        _register(folder / "bench.db", plan.chargers)
        server = running.enter_context(_serving(folder, plan.limit))
        url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp"
        chargers = running.enter_context(child("tools.bench.chargers", url, str(plan.connected)))
        chargers.hear()
        server.scrape()
        quiet, calm = _Windows(), list[Sent]()
        scrapes, scraped = list[Scrape](), list[Sent]()
        for _ in range(plan.windows):
            began, cpu = time.monotonic(), server.cpu()
            calm += _window(chargers, plan)
            quiet.seconds += time.monotonic() - began
            quiet.cpu += server.cpu() - cpu
            new, answers = _scraped_window(chargers, plan, server)
            scrapes += new
            scraped += answers
    return _found(plan, quiet.cpu / quiet.seconds, calm, scrapes, scraped)


def _window(chargers: Child, plan: Plan) -> list[Sent]:
    return _sent(chargers.ask({"seconds": plan.seconds, "rate": plan.rate}))


def _scraped_window(chargers: Child, plan: Plan, server: _Server) -> tuple[list[Scrape], list[Sent]]:
    chargers.tell({"seconds": plan.seconds, "rate": plan.rate})
    began = time.monotonic()
    scrapes = []
    due = began + plan.interval / 2
    while due < began + plan.seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        scrapes.append(server.scrape())
        due += plan.interval
    return scrapes, _sent(chargers.hear())


def _sent(line: bytes) -> list[Sent]:
    return [(sent, seconds) for sent, seconds in orjson.loads(line)]


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


def _register(database: Path, chargers: int) -> None:
    """Have the books know these chargers and the state of their connectors."""
    now = datetime.now(UTC)
    with closing(open_writer(database)) as connection:
        migrate(connection)
        queries = SqliteQueries(connection)
        connection.execute("BEGIN")
        for number in range(chargers):
            connected = charge_points.connect(queries, identity(number), "1.6", now, register_unknown=True)
            assert isinstance(connected, charge_points.Connected)
            occasion = Occasion(connected.key, identity(number), new_correlation_id(), now, new_correlation_id)
            for connector in CONNECTORS:
                report = ReportStatus(connector, ConnectorStatus.AVAILABLE, NO_ERROR, None, None, None, now)
                report_status(queries, occasion, report, Memory())
        connection.execute("COMMIT")


@contextmanager
def _serving(folder: Path, limit: int) -> Iterator[_Server]:
    log = folder / "log"
    command = (
        *(sys.executable, "-m", "mcpp", "serve", "--database", str(folder / "bench.db"), "--durability", "normal"),
        *("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0"),
        *("--per-charger-metrics-limit", str(limit)),
    )
    with log.open("wb") as output, subprocess.Popen(command, stdout=output) as process:
        try:
            started = _started(log, process)
            yield _Server(psutil.Process(process.pid), started["ocpp_port"], started["http_port"])
        finally:
            process.terminate()


def _started(log: Path, process: subprocess.Popen[bytes]) -> dict[str, int]:
    """The ports, once it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for text in log.read_bytes().splitlines(keepends=True):
            if text.endswith(b"\n") and (line := orjson.loads(text))["event"] == "server_started":
                return {name: line[name] for name in ("ocpp_port", "http_port")}
        time.sleep(0.05)
    raise RuntimeError("the server did not start; its message stands above")


def table(found: Found) -> Iterator[str]:
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
