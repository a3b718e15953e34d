"""What telemetry costs: the same server with less and more of it, by settings alone (docs/telemetry-cost.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tools.bench import turns
from tools.bench.child import Cpus
from tools.bench.figures import Figures, Spread, figures
from tools.bench.markdown import table
from tools.bench.messages import Workload
from tools.bench.servers import Mcpp, collector, tracing_variables
from tools.bench.turns import Plan, Turn

WORKLOADS: Final = (Workload.METER_VALUES, Workload.MIXED)

_NORMAL: Final = ("--durability", "normal")

QUIET: Final = "lines of errors only"
DEFAULT: Final = "default: lines and metrics"
EVERY_SPAN: Final = "spans of 100 %"

_NEVER_SECONDS: Final = 3600.0
_LATE_SECONDS: Final = 2.0
_NOBODY: Final = "http://127.0.0.1:9"
"""The port of the discard service, which nobody runs."""


@dataclass(frozen=True, slots=True)
class Costs:
    """All that was measured."""

    plan: Plan
    turns: list[Turn]
    figures: list[Figures]
    """Multiples of the default."""
    spans: dict[str, dict[str, int]]
    """By server and outcome, over the whole run."""
    resident_bytes: dict[str, int]
    """By server, at the end."""


def measure(plan: Plan, *, ill_collectors: bool, progress: Callable[[str], None]) -> Costs:
    """All variants by turns; with `ill_collectors`, those too whose spans nobody takes."""
    cpus = Cpus.of_this_machine()
    with ExitStack() as stack:
        well = stack.enter_context(collector(cpus))
        variants = [
            Mcpp(QUIET, _NORMAL, log_level="error"),
            _variant(DEFAULT, {}),
            _variant("no figures per charger", {}, "--per-charger-metrics", "false"),
            _variant("spans of 1 %", tracing_variables(well, 0.01)),
            _variant(EVERY_SPAN, tracing_variables(well, 1)),
        ]
        if ill_collectors:
            never = stack.enter_context(collector(cpus, delay=_NEVER_SECONDS))
            late = stack.enter_context(collector(cpus, delay=_LATE_SECONDS))
            variants += [
                _variant("100 %, nobody listens at the collector's port", tracing_variables(_NOBODY, 1)),
                _variant("100 %, collector accepts and never answers", tracing_variables(never, 1)),
                _variant("100 %, collector takes 2 s for an answer", tracing_variables(late, 1)),
            ]
        measured = turns.measure(variants, WORKLOADS, plan, progress)
    return Costs(plan, measured.turns, list(figures(measured.turns, DEFAULT)), measured.spans, measured.resident_bytes)


def _variant(name: str, variables: Mapping[str, str], *flags: str) -> Mcpp:
    return Mcpp(name, (*_NORMAL, *flags), variables)


def report(found: Costs) -> Iterator[str]:
    """As Markdown."""
    plan = found.plan
    pace = "closed loop" if plan.rate is None else f"{plan.rate:g} messages a second in all"
    yield (
        f"{plan.connections} connections, {pace}, {plan.turns} turns of {plan.seconds:g} s for each variant; medians, "
        "in brackets the least and the greatest. A CPU ratio is to the default of the same turn."
    )
    for workload in WORKLOADS:
        own = [each for each in found.figures if each.workload is workload]
        yield ""
        yield from table(
            (workload, "messages per CPU second", "µs of CPU", "CPU ratio", "", "p50 ms", "p99 ms"),
            "lrrrlrr",
            [
                (
                    each.server,
                    f"{each.per_cpu_second.median:,.0f}",
                    f"{each.microseconds.median:.0f}",
                    *_ratio(each.multiple),
                    f"{each.p50:.1f}",
                    f"{each.p99:.1f}",
                )
                for each in own
            ],
        )
    yield ""
    yield "Spans by what became of them, over all turns, and resident memory at the end:"
    yield ""
    outcomes = ("exported", "failed", "dropped")
    yield from table(
        ("", *outcomes, "RSS, MiB"),
        "lrrrr",
        [
            (name, *(f"{found.spans.get(name, {}).get(each, 0):,}" for each in outcomes), f"{resident / 2**20:.0f}")
            for name, resident in found.resident_bytes.items()
        ],
    )


def _ratio(multiple: Spread) -> tuple[str, str]:
    """Of CPU, where the multiple is of messages."""
    return f"{1 / multiple.median:.2f}", f"({1 / multiple.greatest:.2f} to {1 / multiple.least:.2f})"
