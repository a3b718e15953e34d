"""What a message costs with each part of telemetry: variants of the server take turns, each in its own process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import orjson

from tools.bench.child import Child, child, collector
from tools.bench.messages import Workload
from tools.bench.variants import Variant, tracing_variables
from tools.bench.worker import Block

_ROUNDS_IN_A_CYCLE: Final = {Workload.METER_VALUES: 1, Workload.MIXED: 5}


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the table."""

    workload: Workload
    variant: Variant
    microseconds: float
    """CPU of all threads for a message: the median of the blocks."""
    quartiles: tuple[float, float]
    """Between them lies half of the blocks: the noise."""
    ratio: float
    """To the first variant's block of the same turn, the median."""
    spans: float
    """For a message, on average."""
    lost_spans: int

    @property
    def messages_per_second(self) -> float:
        """Of CPU."""
        return 1e6 / self.microseconds


def measure(*, blocks: int, messages: int, chargers: int) -> list[Cost]:
    """Each variant handles so many blocks of about so many messages; all variants by turns, block by block."""
    measured: dict[tuple[Workload, Variant], list[Block]] = {(w, v): [] for w in Workload for v in Variant}
    with _workers(chargers) as workers:
        for number in range(-1, blocks):
            for (workload, variant), taken in measured.items():
                rounds = max(1, messages // chargers // _ROUNDS_IN_A_CYCLE[workload])
                answer = workers[variant].ask({"workload": workload, "rounds": rounds})
                # The first one fills caches.
                if number >= 0:
                    taken.append(Block(**orjson.loads(answer)))
    return [cost for workload in Workload for cost in _costs(workload, {v: measured[workload, v] for v in Variant})]


@contextmanager
def _workers(chargers: int) -> Iterator[dict[Variant, Child]]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="mcpp-bench-")))
        url = running.enter_context(collector())
        workers = {}
        for variant in Variant:
            own = folder / variant.name
            own.mkdir()
            variables = tracing_variables(variant, url)
            arguments = (variant.value, str(own), str(chargers))
            workers[variant] = running.enter_context(child("tools.bench.worker", *arguments, variables=variables))
        for worker in workers.values():
            worker.hear()
        yield workers


def _costs(workload: Workload, blocks: dict[Variant, list[Block]]) -> Iterator[Cost]:
    base = _microseconds(blocks[Variant.OFF])
    for variant, taken in blocks.items():
        own = _microseconds(taken)
        low, _, high = quantiles(own, n=4) if len(own) > 1 else own * 3
        yield Cost(
            workload,
            variant,
            median(own),
            (low, high),
            median(one / other for one, other in zip(own, base, strict=True)),
            sum(block.spans for block in taken) / sum(block.messages for block in taken),
            sum(block.lost_spans for block in taken),
        )


def _microseconds(blocks: Sequence[Block]) -> list[float]:
    return [block.seconds / block.messages * 1e6 for block in blocks]


def table(costs: Sequence[Cost]) -> Iterator[str]:
    """For people."""
    yield f"{'':26}{'µs CPU a message':>18}{'(half of the blocks)':>23}{'messages/CPU s':>16}{'ratio':>8}{'spans':>8}"
    for cost in costs:
        low, high = cost.quartiles
        lost = f"  {cost.lost_spans} spans lost" if cost.lost_spans else ""
        yield (
            f"{cost.workload:14}{cost.variant:12}{cost.microseconds:>18.1f}{f'({low:.1f} to {high:.1f})':>23}"
            f"{cost.messages_per_second:>16,.0f}{cost.ratio:>8.2f}{cost.spans:>8.2f}{lost}"
        )
