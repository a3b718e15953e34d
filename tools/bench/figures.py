"""What turns come to: medians, their spread, and multiples of another server in the same turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Self

from tools.bench.messages import Workload
from tools.bench.turns import Turn


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of all turns, the least and the greatest."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Figures:
    """One server at one workload."""

    workload: Workload
    server: str
    microseconds: Spread
    """CPU of the server for a message."""
    per_cpu_second: Spread
    """Messages."""
    multiple: Spread
    """Messages per CPU second, divided by those of the base in the same turn."""
    p50: float
    """Milliseconds; the median of the turns, as `p99`."""
    p99: float
    busy: float
    """Share of a CPU that the server used, the median."""


def figures(turns: Sequence[Turn], base: str) -> Iterator[Figures]:
    """One for each workload and server, in the order of the first turn."""
    for workload in dict.fromkeys(turn.workload for turn in turns):
        own = [turn for turn in turns if turn.workload is workload]
        bases = {turn.number: turn.microseconds for turn in own if turn.server == base}
        for server in dict.fromkeys(turn.server for turn in own):
            taken = [turn for turn in own if turn.server == server]
            yield Figures(
                workload,
                server,
                microseconds=Spread.of([turn.microseconds for turn in taken]),
                per_cpu_second=Spread.of([1e6 / turn.microseconds for turn in taken]),
                multiple=Spread.of([bases[turn.number] / turn.microseconds for turn in taken]),
                p50=median(turn.p50 for turn in taken),
                p99=median(turn.p99 for turn in taken),
                busy=median(turn.cpu / turn.seconds for turn in taken),
            )
