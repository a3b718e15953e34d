"""Metrics whose value is read from its owner at scrape time, instead of being updated on a message's way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

_Family: TypeAlias = GaugeMetricFamily | CounterMetricFamily


class LiveState(Collector):
    """One family and where its values come from, by the values of its labels."""

    def __init__(self, make: Callable[[], _Family], read: Callable[[], Mapping[Sequence[str], float]]) -> None:
        self._make = make
        self._read = read

    def collect(self) -> Iterable[Metric]:
        family = self._make()
        for labels, value in self._read().items():
            family.add_metric(labels, value)
        return [family]

    def describe(self) -> Iterable[Metric]:
        """The name only: registering must not read the state yet."""
        return [self._make()]
