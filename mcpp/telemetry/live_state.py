"""Metrics read from live state at scrape time, instead of being kept up to date on the way of every message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class ChargePointState(NamedTuple):
    """Whether a charge point that the server has met is connected."""

    identity: str
    connected_since: float | None
    """Unix time in seconds; None when it isn't connected."""


class ChargePointStates(Collector):
    """Series per charge point, for the first `limit` of them; the rest is a number."""

    def __init__(self, states: Callable[[], Collection[ChargePointState]], limit: int) -> None:
        self._states = states
        self._limit = limit

    def collect(self) -> Iterable[Metric]:
        states = self._states()
        connected = _gauge("mcpp_charge_point_connected", "1 while the charge point is connected, else 0.")
        since = _gauge("mcpp_charge_point_connected_since_seconds", "When its connection began, in Unix time.")
        for state in islice(states, self._limit):
            connected.add_metric((state.identity,), state.connected_since is not None)
            if state.connected_since is not None:
                since.add_metric((state.identity,), state.connected_since)
        yield connected
        yield since
        yield GaugeMetricFamily(
            "mcpp_charge_points_not_exported",
            "Charge points without series of their own, since the limit is reached.",
            value=max(0, len(states) - self._limit) if self._limit else 0,
        )

    def describe(self) -> Iterable[Metric]:
        """Names only: registering must not read the state yet."""
        yield _gauge("mcpp_charge_point_connected", "")
        yield _gauge("mcpp_charge_point_connected_since_seconds", "")
        yield GaugeMetricFamily("mcpp_charge_points_not_exported", "")


class DroppedLines(Collector):
    """The log sink's own count."""

    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(
            "mcpp_log_lines_dropped", "Log lines that were lost, since their reader stalled.", value=self._dropped()
        )


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("charge_point",))
