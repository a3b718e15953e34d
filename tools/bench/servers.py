"""The servers that are measured, each a process of its own, seen only from outside."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.request import Request, urlopen

import orjson
import psutil

from tools.bench.child import HERE, ChildFailed, Cpus, child, process

_START_SECONDS: Final = 60

_LINES_SECONDS: Final = 5
"""Longer than lines wait to be written together."""

_SETTLE_SECONDS: Final = 10
_AT_REST: Final = 0.05
"""The share of a CPU that a server may use and still count as being at rest."""

_SPANS: Final = re.compile(rb'^mcpp_spans_total\{outcome="(\w+)"\} (\S+)$', re.MULTILINE)
_LINE: Final = b'"event":"ocpp_message"'


@dataclass(frozen=True, slots=True)
class Mcpp:
    """`mcpp serve` of this checkout or another, with the defaults but for what is said here."""

    name: str
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    checkout: Path = HERE
    """Run by its own .venv where it has one, else by this Python."""
    log_level: str = "info"
    """Set once the server runs, since the line that says its ports must be written."""
    version: str = "1.6"
    """Of OCPP that its chargers speak."""

    def command(self, database: Path) -> tuple[str, ...]:
        own = self.checkout / ".venv" / "bin" / "python"
        python = str(own) if self.checkout != HERE and own.exists() else sys.executable
        return (
            *(python, "-m", "mcpp", "serve", "--database", str(database), "--log-format", "json"),
            *("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0", *self.flags),
        )

    def environment(self) -> Mapping[str, str]:
        """With the checkout's own packages before those that are installed."""
        return {"PYTHONPATH": f"{self.checkout}:{self.checkout / 'generated'}", **self.variables}


@dataclass(frozen=True, slots=True)
class Peer:
    """One of `tools.bench.peers`, by name."""

    name: str


Subject: TypeAlias = Mcpp | Peer


class Server:
    """A running server."""

    def __init__(
        self,
        name: str,
        pid: int,
        ocpp_port: int,
        http_port: int | None = None,
        log: Path | None = None,
        lines_of_message: int = 0,
        version: str = "1.6",
    ) -> None:
        self.name = name
        self.version = version
        """Of OCPP that its chargers speak."""
        self.ocpp_port = ocpp_port
        self.http_port = http_port
        self._process = psutil.Process(pid)
        self._log = log
        self._lines_of_message = lines_of_message

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu(self) -> float:
        """Seconds so far, of all threads, those that have ended included."""
        return time.clock_gettime(_cpu_clock(self._process.pid))

    def settle(self, seconds: float) -> None:
        """Wait so long, and then on until it is at rest: plugins may work through their events for a while."""
        time.sleep(seconds)
        deadline = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(0.1)
            if self.cpu() - before < 0.1 * _AT_REST:
                return

    def resident_bytes(self) -> int:
        """Of memory."""
        return int(self._process.memory_info().rss)

    def take_lines(self, messages: int) -> int:
        """How many lines about frames it has logged, once those of so many messages are there; the log is emptied."""
        if self._log is None:
            return 0
        deadline = time.monotonic() + _LINES_SECONDS
        while (lines := self._log.read_bytes().count(_LINE)) < messages * self._lines_of_message:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        with self._log.open("r+b") as log:
            log.truncate(0)
        return lines

    def spans(self) -> dict[str, int]:
        """How many have had which outcome, by its own metrics."""
        if self.http_port is None:
            return {}
        # The scheme stands here: nobody can have it read a file.
        with urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=60) as response:  # nosec B310
            text: bytes = response.read()
        return {outcome.decode(): int(float(number)) for outcome, number in _SPANS.findall(text)}


def _cpu_clock(pid: int) -> int:
    """The clock that counts a process's CPU time to the nanosecond (clock_getcpuclockid(3)); psutil has hundredths."""
    return (~pid << 3) | 2


@contextmanager
def running(subject: Subject, folder: Path, cpus: Cpus) -> Iterator[Server]:
    """A server on free ports with what it stores in the folder."""
    if isinstance(subject, Peer):
        with child("tools.bench.peers", subject.name, cpus=cpus.server) as peer:
            yield Server(subject.name, peer.process.pid, int(peer.receive()))
        return
    log = folder / "log"
    # Appending, so that the log can be emptied while it is written.
    with log.open("ab") as output:
        command, variables = subject.command(folder / "mcpp.db"), subject.environment()
        with process(*command, cpus=cpus.server, folder=subject.checkout, variables=variables, output=output) as server:
            ports = _ports(log, server)
            if subject.log_level != "info":
                _set_log_level(ports["http_port"], subject.log_level)
            lines = 2 if subject.log_level in {"debug", "info"} else 0
            yield Server(subject.name, server.pid, ports["ocpp_port"], ports["http_port"], log, lines, subject.version)


def _ports(log: Path, server: subprocess.Popen[bytes]) -> dict[str, int]:
    """Once it listens."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        for text in log.read_bytes().splitlines(keepends=True):
            if text.endswith(b"\n") and (line := orjson.loads(text))["event"] == "server_started":
                return {name: line[name] for name in ("ocpp_port", "http_port")}
        time.sleep(0.05)
    raise ChildFailed("the server did not start")


def _set_log_level(http_port: int, level: str) -> None:
    request = Request(
        f"http://127.0.0.1:{http_port}/api/v1/logging",
        data=orjson.dumps({"level": level}),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    # As above.
    with urlopen(request, timeout=_START_SECONDS):  # nosec B310
        """It answers once the level has changed."""


@contextmanager
def collector(cpus: Cpus, *, delay: float = 0.0) -> Iterator[str]:
    """A collector that takes whatever comes, after so many seconds; its URL."""
    with child("tools.bench.sink", "--delay", str(delay), cpus=cpus.generator) as sink:
        yield f"http://127.0.0.1:{int(sink.receive())}"


def tracing_variables(collector_url: str, ratio: float) -> Mapping[str, str]:
    """What makes a server send its spans to the collector; soon, so that they fall into the window that made them."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{ratio:g}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
