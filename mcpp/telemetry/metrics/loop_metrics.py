"""Counters and histograms that the event loop alone adds to: plain numbers, which a scrape reads where they stand.

The library's own take a lock for every number, since any thread may add to them: 0.4 µs for a counter and 2 µs for a
histogram; these take a tenth of it. What a scraper reads is the same.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import Exemplar
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from mcpp.telemetry.metrics.exposition import unit_of

_NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


class SeriesSample(NamedTuple):
    """One line of a series in a scrape."""

    suffix: str
    """Of its name."""
    value: float
    labels: Mapping[str, str] = _NO_LABELS
    """Beside those of the series."""
    exemplar: Exemplar | None = None


class LoopCounter:
    """One series of a counter; who is in a hurry adds to `value`."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def inc(self, amount: float = 1) -> None:
        self.value += amount

    def samples(self) -> Iterator[SeriesSample]:
        """As of now."""
        yield SeriesSample("_total", self.value)


class LoopHistogram:
    """One series of a histogram."""

    __slots__ = ("_bounds", "_counts", "_examples", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds` are the upper bounds of its buckets in rising order; infinity, the last one, goes without saying."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._examples: list[tuple[str, float, float] | None] = [None] * len(self._counts)
        """The last one of each bucket: trace id, value and Unix time."""
        self._sum: float = 0

    def observe(self, value: float, trace_id: str | None = None) -> None:
        """Count a value; `trace_id` makes it an example of its bucket."""
        bucket = bisect_left(self._bounds, value)
        self._counts[bucket] += 1
        self._sum += value
        if trace_id is not None:
            self._examples[bucket] = trace_id, value, time.time()

    def samples(self) -> Iterator[SeriesSample]:
        """As of now."""
        counts = list(accumulate(self._counts))
        for bound, count, example in zip((*self._bounds, float("inf")), counts, self._examples, strict=True):
            exemplar = None if example is None else Exemplar({"trace_id": example[0]}, *example[1:])
            yield SeriesSample("_bucket", count, {"le": _go_text(bound)}, exemplar)
        yield SeriesSample("_count", counts[-1])
        yield SeriesSample("_sum", self._sum)


def _go_text(number: float) -> str:
    text: str = floatToGoString(number)  # type: ignore[no-untyped-call]  # the library has no types there
    return text


class _HasSamples(Protocol):
    def samples(self) -> Iterable[SeriesSample]: ...


Series = TypeVar("Series", bound=_HasSamples)


class LoopFamily(Collector, Generic[Series]):
    """A metric with its series by the values of its labels, in order of first use."""

    def __init__(
        self,
        registry: CollectorRegistry,
        kind: Literal["counter", "histogram"],
        make: Callable[[], Series],
        name: str,
        text: str,
        labels: Iterable[str] = (),
    ) -> None:
        """`make` makes a series; a counter's name ends in `_total`."""
        self._kind = kind
        self._make = make
        self._name = name.removesuffix("_total")
        self._text = text
        self._unit = unit_of(name)
        self._labels = tuple(labels)
        self._series: dict[tuple[str, ...], Series] = {}
        registry.register(self)

    def labels(self, *values: str) -> Series:
        """The series with these values of the labels, in their order."""
        series = self._series.get(values)
        if series is None:
            if len(values) != len(self._labels):
                raise ValueError(f"{self._name} has {len(self._labels)} labels")
            series = self._series[values] = self._make()
        return series

    def collect(self) -> Iterable[Metric]:
        metric = self._metric()
        for values, series in self._series.items():
            labels = dict(zip(self._labels, values, strict=True))
            for sample in series.samples():
                metric.add_sample(
                    f"{self._name}{sample.suffix}", labels | dict(sample.labels), sample.value, exemplar=sample.exemplar
                )
        return [metric]

    def describe(self) -> Iterable[Metric]:
        """The name, for the registry."""
        return [self._metric()]

    def _metric(self) -> Metric:
        return Metric(self._name, self._text, self._kind, self._unit)
