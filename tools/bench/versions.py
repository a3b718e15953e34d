"""What a message costs by the OCPP version that chargers speak: the same samples by either message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tools.bench import turns
from tools.bench.figures import Figures, figures
from tools.bench.markdown import table
from tools.bench.messages import Workload
from tools.bench.servers import Mcpp
from tools.bench.turns import Plan, Turn

WORKLOADS: Final = (Workload.HEARTBEAT, Workload.STATUS, Workload.METER_VALUES, Workload.IN_TRANSACTION)

BASE: Final = "1.6"


@dataclass(frozen=True, slots=True)
class Compared:
    """All that was measured."""

    plan: Plan
    turns: list[Turn]
    figures: list[Figures]
    """Multiples of 1.6."""


def measure(plan: Plan, versions: Sequence[str], progress: Callable[[str], None]) -> Compared:
    """1.6 and these by turns, each with a server of its own."""
    servers = [
        Mcpp(version, ("--durability", "normal"), version=version) for version in dict.fromkeys((BASE, *versions))
    ]
    measured = turns.measure(servers, WORKLOADS, plan, progress)
    return Compared(plan, measured.turns, list(figures(measured.turns, BASE)))


def report(found: Compared) -> Iterator[str]:
    """As Markdown."""
    plan = found.plan
    yield (
        f"{plan.connections} connections, closed loop, {plan.turns} turns of {plan.seconds:g} s for each version; "
        "medians, in brackets the least and the greatest. A ratio is of messages per CPU second, to 1.6 in that turn."
    )
    for workload in WORKLOADS:
        yield ""
        yield from table(
            (workload, "messages per CPU second", "µs of CPU", "ratio", "", "p50 ms", "p99 ms"),
            "lrrrlrr",
            [
                (
                    each.server,
                    f"{each.per_cpu_second.median:,.0f}",
                    f"{each.microseconds.median:.0f}",
                    f"{each.multiple.median:.2f}",
                    f"({each.multiple.least:.2f} to {each.multiple.greatest:.2f})",
                    f"{each.p50:.1f}",
                    f"{each.p99:.1f}",
                )
                for each in found.figures
                if each.workload is workload
            ],
        )
