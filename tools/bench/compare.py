"""MCPP with everything on, beside the `ocpp` package in memory and a bare echo, in one run (docs/performance.md)."""

from __future__ import annotations

import platform
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tools.bench import memory, turns
from tools.bench.child import Cpus
from tools.bench.figures import Figures, Spread, figures
from tools.bench.markdown import table
from tools.bench.memory import Memory
from tools.bench.messages import Workload
from tools.bench.servers import Mcpp, Peer, Subject, collector, tracing_variables
from tools.bench.turns import Plan, Turn

WORKLOADS: Final = (Workload.HEARTBEAT, Workload.METER_VALUES, Workload.MIXED)
IDLE_CONNECTIONS: Final = (1000, 5000)

MCPP: Final = "MCPP"
FULL: Final = "MCPP, durability full"
BEFORE: Final = "before"
OCPP: Final = Peer("ocpp")
ECHO: Final = Peer("echo")

_TITLES: Final = {
    OCPP.name: "`ocpp` in memory",
    ECHO.name: "bare `websockets` echo",
    BEFORE: "MCPP before",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was measured."""

    machine: str
    plan: Plan
    turns: list[Turn]
    figures: list[Figures]
    """Multiples of `ocpp`."""
    memory: list[Memory]
    spans: dict[str, dict[str, int]]
    """By server and outcome, over the whole run."""


def subjects(collector_url: str, sampled: float, against: Path | None) -> list[Subject]:
    """Each MCPP logs a line per frame to a file, counts, samples traces and runs the default plugins."""
    tracing = tracing_variables(collector_url, sampled)
    normal = ("--durability", "normal")
    before = [] if against is None else [Mcpp(BEFORE, normal, tracing, against)]
    return [Mcpp(MCPP, normal, tracing), Mcpp(FULL, ("--durability", "full"), tracing), *before, OCPP, ECHO]


def measure(plan: Plan, *, against: Path | None, progress: Callable[[str], None]) -> Comparison:
    """Everything by turns, then the memory of each server but the one that differs in its durability only."""
    at_rest = (MCPP, BEFORE, OCPP.name, ECHO.name)
    return _measure(plan, against, progress, sampled=0.01, idle=IDLE_CONNECTIONS, at_rest=at_rest)


def measure_quickly(against: Path | None, progress: Callable[[str], None]) -> Comparison:
    """The same in seconds, to show that it works: every trace is recorded, and the figures mean nothing."""
    plan = Plan(turns=1, seconds=0.1, connections=10, quiet_seconds=0.1)
    return _measure(plan, against, progress, sampled=1, idle=(10, 20), at_rest=(MCPP,))


def _measure(
    plan: Plan,
    against: Path | None,
    progress: Callable[[str], None],
    *,
    sampled: float,
    idle: Sequence[int],
    at_rest: Container[str],
) -> Comparison:
    cpus = Cpus.of_this_machine()
    with collector(cpus) as url:
        compared = subjects(url, sampled, against)
        measured = turns.measure(compared, WORKLOADS, plan, progress)
        resting = memory.measure([subject for subject in compared if subject.name in at_rest], idle)
    return Comparison(
        _machine(cpus),
        plan,
        measured.turns,
        list(figures(measured.turns, OCPP.name)),
        resting,
        measured.spans,
    )


def _machine(cpus: Cpus) -> str:
    count = len(cpus.server | cpus.generator)
    packages = ", ".join(f"{name} {version(name)}" for name in ("ocpp", "websockets", "uvloop", "pydantic"))
    apart = "server and generator on one each" if count > 1 else "shared by server and generator"
    return f"{_cpu_model()}, {apart}; Python {platform.python_version()}, {packages}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def report(found: Comparison) -> Iterator[str]:
    """As Markdown."""
    plan = found.plan
    yield f"{found.machine}."
    yield ""
    yield (
        f"{plan.connections} connections, closed loop, {plan.turns} turns of {plan.seconds:g} s for each server; "
        "medians, in brackets the least and the greatest."
    )
    for workload in WORKLOADS:
        yield ""
        yield from table(
            (workload, "messages per CPU second", "µs of CPU", "", "× `ocpp`", "", "p50 ms", "p99 ms"),
            "lrrlrlrr",
            [_row(each) for each in found.figures if each.workload is workload],
        )
    yield ""
    yield "Resident memory of a server that nobody has connected to, and what each idle connection adds to it."
    yield ""
    counts = list(found.memory[0].connection_bytes)
    yield from table(
        ("", "empty, MiB", *(f"KiB each of {count:,}" for count in counts)),
        "lr" + "r" * len(counts),
        [
            (
                _TITLES.get(each.server, each.server),
                f"{each.empty_bytes / 2**20:.0f}",
                *(f"{each.connection_bytes[count] / 1024:.1f}" for count in counts),
            )
            for each in found.memory
        ],
    )


def _row(each: Figures) -> Sequence[str]:
    return (
        _TITLES.get(each.server, each.server),
        f"{each.per_cpu_second.median:,.0f}",
        f"{each.microseconds.median:.0f}",
        _between(each.microseconds, ".0f"),
        f"{each.multiple.median:.2f}",
        _between(each.multiple, ".2f"),
        f"{each.p50:.1f}",
        f"{each.p99:.1f}",
    )


def _between(spread: Spread, form: str) -> str:
    return f"({spread.least:{form}} to {spread.greatest:{form}})"
