"""Servers by turns: each plays a workload for a moment, then the next one does, so that all see the machine's moods."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from tools.bench.child import Child, Cpus, child
from tools.bench.generator import Order, Window
from tools.bench.messages import Workload
from tools.bench.servers import Server, Subject, running

_WARM_UP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How a measurement is made."""

    turns: int
    seconds: float
    """Of a window."""
    connections: int
    rate: float | None = None
    """CALLs a second; None for a closed loop."""
    quiet_seconds: float = 0.6
    """At least, after a window, until what its messages have left to do is done. It is part of their cost."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one server did in one window."""

    number: int
    workload: Workload
    server: str
    messages: int
    seconds: float
    cpu: float
    """Seconds that the server spent."""
    generator_cpu: float
    p50: float
    """Milliseconds from a CALL to its answer."""
    p99: float
    lines: int
    """About frames, in its log."""

    @property
    def microseconds(self) -> float:
        """CPU of the server for a message."""
        return self.cpu / max(1, self.messages) * 1e6


@dataclass(frozen=True, slots=True)
class Measured:
    """All turns, and what the servers were like at the end."""

    turns: list[Turn]
    spans: dict[str, dict[str, int]]
    """By server and outcome."""
    resident_bytes: dict[str, int]
    """By server."""


class WrongAnswers(Exception):
    """A server answered otherwise than with CALLRESULTs, so its figures mean nothing."""


@contextmanager
def fleet(server: Server, cpus: Cpus) -> Iterator[Fleet]:
    """A generator for this server."""
    arguments = (str(server.ocpp_port), "--version", server.version)
    with child("tools.bench.generator", *arguments, cpus=cpus.generator) as generator:
        yield Fleet(generator, server)


class Fleet:
    """The chargers of one server."""

    def __init__(self, generator: Child, server: Server) -> None:
        self._generator = generator
        self._server = server

    def connect(self, count: int) -> Window:
        """Until there are so many, each with an accepted boot."""
        return self._checked(self._generator.request({"order": Order.CONNECT, "count": count}))

    def run(self, workload: Workload, seconds: float, rate: float | None = None) -> Window:
        """Play a workload, in a closed loop or with so many CALLs a second."""
        self.begin(workload, seconds, rate)
        return self.wait()

    def begin(self, workload: Workload, seconds: float, rate: float | None = None) -> None:
        """As `run`, whose end is then to be waited for."""
        self._generator.send({"order": Order.RUN, "workload": workload, "seconds": seconds, "rate": rate})

    def wait(self) -> Window:
        return self._checked(self._generator.receive())

    def _checked(self, answer: bytes) -> Window:
        window = Window(**orjson.loads(answer))
        if window.errors:
            raise WrongAnswers(f"{self._server.name}: {window.errors} errors, the first: {window.first_error}")
        return window


def measure(
    subjects: Sequence[Subject], workloads: Iterable[Workload], plan: Plan, progress: Callable[[str], None]
) -> Measured:
    """All servers run all the time; takes turns × workloads × subjects × (seconds + quiet seconds), at least.

    Raises WrongAnswers.
    """
    cpus = Cpus.of_this_machine()
    turns: list[Turn] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpp-bench-")))
        fleets: list[tuple[Server, Fleet]] = []
        for place, subject in enumerate(subjects):
            own = folder / str(place)
            own.mkdir()
            server = stack.enter_context(running(subject, own, cpus))
            chargers = stack.enter_context(fleet(server, cpus))
            chargers.connect(plan.connections)
            fleets.append((server, chargers))
        for workload in workloads:
            for _, chargers in fleets:
                chargers.run(workload, min(_WARM_UP_SECONDS, plan.seconds), plan.rate)
            for number in range(plan.turns):
                # Whoever comes first in one turn comes last in the next.
                for server, chargers in _rotated(fleets, number):
                    turn = _turn(number, workload, server, chargers, plan)
                    progress(f"{workload} {number + 1}/{plan.turns} {server.name}: {turn.microseconds:.1f} µs")
                    turns.append(turn)
        servers = [server for server, _ in fleets]
        return Measured(
            turns,
            {server.name: spans for server in servers if (spans := server.spans())},
            {server.name: server.resident_bytes() for server in servers},
        )


def _turn(number: int, workload: Workload, server: Server, chargers: Fleet, plan: Plan) -> Turn:
    server.take_lines(0)
    cpu = server.cpu()
    window = chargers.run(workload, plan.seconds, plan.rate)
    server.settle(plan.quiet_seconds)
    lines = server.take_lines(window.messages)
    cpu = server.cpu() - cpu
    return Turn(
        number=number,
        workload=workload,
        server=server.name,
        messages=window.messages,
        seconds=window.seconds,
        cpu=cpu,
        generator_cpu=window.generator_cpu,
        p50=window.p50,
        p99=window.p99,
        lines=lines,
    )


def _rotated(fleets: Sequence[tuple[Server, Fleet]], number: int) -> Iterator[tuple[Server, Fleet]]:
    first = number % len(fleets)
    yield from fleets[first:]
    yield from fleets[:first]
