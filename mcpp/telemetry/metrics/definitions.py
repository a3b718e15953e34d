"""What the system counts and measures, in a registry of its own; names and labels are an interface to scrapers."""

from __future__ import annotations

import platform
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from mcpp.reads.server_state import database_sizes
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.metrics.exposition import Exposition, Families, sum_family, unit_of
from mcpp.telemetry.metrics.live_state import LiveState
from mcpp.telemetry.metrics.loop_metrics import LoopCounter, LoopFamily, LoopHistogram
from mcpp_generated.db.enums import Implausible

Child = TypeVar("Child")


class Children(dict[str, Child]):
    """The children of a metric by one label's value, made when first needed; unknown values share one."""

    def __init__(self, known: Collection[str] | Mapping[str, str], make: Callable[[str], Child]) -> None:
        """`known` is the label's closed set; a mapping has other spellings in it, too, each with what it counts as."""
        super().__init__()
        self._labels = {**_spellings(known), OTHER: OTHER}
        self._make = make

    def __missing__(self, value: str) -> Child:
        label = self._labels.get(value)
        if label is None:  # isn't kept: there is no end to such values
            return self[OTHER]
        child = self[value] = self._make(label) if label == value else self[label]
        return child


class Metrics:
    """Every metric of one server.

    `actions`, `error_codes`, `stop_reasons` and `connection_outcomes` are the closed sets of their labels; anything
    else counts as `_OTHER`. Error codes may be a mapping of spellings to the one that each counts as.
    What belongs to other parts is read from them at scrape time, once they are handed to the `watch_…` methods.
    """

    def __init__(
        self,
        *,
        version: str,
        actions: Collection[str],
        error_codes: Collection[str] | Mapping[str, str],
        stop_reasons: Collection[str],
        connection_outcomes: Collection[str] = (),
    ) -> None:
        # The library's only switch for its `…_created` series, which double the size of a scrape, is a global one.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks a `-> None`
        self.registry = registry = CollectorRegistry()
        self.actions = frozenset(actions)
        self.error_codes = _spellings(error_codes)
        self.stop_reasons = frozenset(stop_reasons)
        # Counting open files takes 2 µs for each.
        self._exposition = Exposition(registry, slow=ProcessCollector(registry=None))
        _gauge(registry, "build_info", "Always 1; the labels say what runs.", ("version", "python_version")).labels(
            version, platform.python_version()
        ).set(1)
        _gauge(registry, "start_time_seconds", "When this server started, in Unix time.").set(time.time())
        self._connected = _gauge(registry, "charge_points_connected", "Charge points that are connected now.")
        self._database_queue_depth = _gauge(
            registry, "database_queue_depth", "Units of work that wait for their write transaction to begin."
        )
        self._database_size = _gauge(
            registry, "database_size_bytes", "Size of the database file and its write-ahead log."
        )
        self.connections = _counter(
            registry, "connections_total", "Connections of charge points, by how they began or ended.", ("outcome",)
        )
        self.messages = _counter(
            registry,
            "ocpp_messages_total",
            "OCPP frames; direction is seen from the server.",
            ("action", "direction", "message_type"),
        )
        self.message_duration = _histogram(
            registry,
            "ocpp_message_duration_seconds",
            "From a CALL to its answer; direction is the CALL's. A command's time in the queue counts.",
            _MESSAGE_SECONDS,
            ("action", "direction"),
        )
        self.errors = _counter(
            registry, "ocpp_errors_total", "CALLERROR frames, by their error code.", ("direction", "code")
        )
        self.deviations = _counter(
            registry,
            "contract_deviations_total",
            "Departures from the OCPP contract that were tolerated, by the rule that repaired them.",
            ("action", "rule"),
        )
        self.call_timeouts = _counter(registry, "call_timeouts_total", "Commands that got no answer in time.").labels()
        self.database_write_duration = _histogram(
            registry,
            "database_write_duration_seconds",
            "One write transaction, from its begin to its commit.",
            _WRITE_SECONDS,
        ).labels()
        self.database_wait = _histogram(
            registry,
            "database_wait_seconds",
            "From the first submission of a unit of work to the begin of its write transaction.",
            _WRITE_SECONDS,
        ).labels()
        self.database_batch_size = _histogram(
            registry, "database_batch_size", "Units of work that share one commit.", _BATCH_SIZES
        ).labels()
        self.database_errors = _counter(registry, "database_errors_total", "Writes that failed.").labels()
        self._clock_wrong = _gauge(
            registry, "clock_wrong", "1 while the machine's clock is behind what was told already, else 0."
        )
        self.chore_failures = _counter(
            registry, "chore_failures_total", "Failures of what the server does by the clock.", ("chore",)
        )
        self.stalls = _shared_counter(
            registry, "stalls_total", "How often the event loop or the writer of the database stood still.", ("part",)
        )
        self.event_loop_lag = _histogram(
            registry, "event_loop_lag_seconds", "How late the event loop runs what is due, sampled.", _LAG_SECONDS
        ).labels()
        self._unhandled = _gauge(
            registry, "unhandled_bytes", "Held of handshakes, frames and CALLs of chargers that aren't handled yet."
        )
        self._tasks = _gauge(registry, "asyncio_tasks", "Tasks of the event loop that aren't over.")
        self.http_request_duration = _histogram(
            registry,
            "http_request_duration_seconds",
            "From an HTTP request to the end of its answer; a stream of events lasts as long as its reader stays.",
            _REQUEST_SECONDS,
            ("method", "route", "status"),
        )
        self.transactions_active = _gauge(
            registry, "transactions_active", "Transactions that are open in the database."
        )
        self.transactions = _counter(
            registry,
            "transactions_total",
            "Transactions that started, stopped, or were closed in the charger's stead; the reason is a stop's.",
            ("event", "reason"),
        )
        self.transaction_duration = _histogram(
            registry, "transaction_duration_seconds", "From start to stop, by the charger's clock.", _SESSION_SECONDS
        ).labels()
        self.transaction_energy = _histogram(
            registry, "transaction_energy_watt_hours", "Energy of a transaction, where plausible.", _SESSION_WATT_HOURS
        ).labels()
        self.transactions_implausible = _counter(
            registry,
            "transactions_implausible_total",
            "Ends whose energy can't be true, and which sums leave out.",
            ("reason",),
        )

        # Any thread may add to these.
        plugin_labels = ("plugin", "hook")
        self.plugin_duration = _shared_histogram(
            registry,
            "plugin_duration_seconds",
            "One call of a plugin's hook or job, until it has returned, failed or run out of time.",
            _PLUGIN_SECONDS,
            plugin_labels,
        )
        self.plugin_errors = _shared_counter(
            registry, "plugin_errors_total", "Calls of a plugin that raised or ran out of time.", plugin_labels
        )
        self.plugin_events_dropped = _shared_counter(
            registry,
            "plugin_events_dropped_total",
            "Events that never reached a plugin, since too many waited for it.",
            plugin_labels,
        )

        # A series that begins with its first event hides that event from `increase`.
        for outcome in connection_outcomes:
            self.connections.labels(outcome)
        for direction in ("in", "out"):
            for code in {*self.error_codes.values(), OTHER}:
                self.errors.labels(direction, code)
        self.transactions.labels("started", "")
        for why in Implausible:
            self.transactions_implausible.labels(why.value)
        for reason in {*stop_reasons, OTHER}:
            self.transactions.labels("stopped", reason)
            self.transactions.labels("recovered", reason)

    def watch_connections(self, connected: Callable[[], int]) -> None:
        """Read how many charge points are connected."""
        self._connected.set_function(connected)

    def watch_fleet(self, families: Families) -> None:
        """Read the series of charge points and connectors."""
        self._exposition.add(families)

    def watch_call_queues(self, depths: Callable[[], Iterable[int]]) -> None:
        """Read how many commands wait, for each charge point."""
        text = "Commands that wait for their turn, of all charge points."
        self._exposition.add(lambda: [sum_family("mcpp_call_queue_depth", text, depths())])

    def watch_incoming_calls(self, depths: Callable[[], Iterable[int]]) -> None:
        """Read how many of its CALLs wait, for each charge point."""
        text = "CALLs of charge points that wait for their turn."
        self._exposition.add(lambda: [sum_family("mcpp_incoming_call_queue_depth", text, depths())])

    def watch_unhandled(self, size: Callable[[], int]) -> None:
        """Read how many bytes are held of what isn't handled."""
        self._unhandled.set_function(size)

    def watch_database(self, path: Path) -> None:
        """Read the size of the database's files."""
        self._database_size.set_function(lambda: sum(database_sizes(path)))

    def watch_tasks(self, count: Callable[[], int]) -> None:
        """Read how many tasks there are."""
        self._tasks.set_function(count)

    def watch_writer(self, depth: Callable[[], int]) -> None:
        """Read how many units of work wait."""
        self._database_queue_depth.set_function(depth)

    def watch_clock(self, is_wrong: Callable[[], bool]) -> None:
        """Read whether the machine's clock is wrong."""
        self._clock_wrong.set_function(is_wrong)

    def watch_log(self, dropped: Callable[[], int]) -> None:
        """Read how many log lines were lost."""
        text = "Log lines that were lost, since their reader stalled."
        family = partial(CounterMetricFamily, "mcpp_log_lines_dropped", text, labels=())
        self.registry.register(LiveState(family, lambda: {(): dropped()}))

    def watch_plugins(self, queued: Callable[[], Mapping[str, int]]) -> None:
        """Read how many events wait, by plugin."""
        text = "Events that wait for their plugin."
        family = partial(GaugeMetricFamily, "mcpp_plugin_queue_depth", text, labels=("plugin",))
        self.registry.register(LiveState(family, lambda: {(plugin,): depth for plugin, depth in queued().items()}))

    def watch_spans(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Read what became of the spans, by `exported`, `failed` and `dropped`."""
        text = "Spans by what became of them: exported, failed at the collector, or dropped since too many waited."
        family = partial(CounterMetricFamily, "mcpp_spans", text, labels=("outcome",))
        self.registry.register(LiveState(family, lambda: {(outcome,): count for outcome, count in counts().items()}))

    def render(self, accept: str = "") -> tuple[str, AsyncIterator[bytes]]:
        """Content type and pieces of a scrape: OpenMetrics where the Accept header asks for it, else Prometheus."""
        return self._exposition.render(accept)


def _spellings(known: Collection[str] | Mapping[str, str]) -> Mapping[str, str]:
    return known if isinstance(known, Mapping) else {value: value for value in known}


def _gauge(registry: CollectorRegistry, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
    return Gauge(name, text, labels, namespace="mcpp", unit=unit_of(name), registry=registry)


def _counter(registry: CollectorRegistry, name: str, text: str, labels: Iterable[str] = ()) -> LoopFamily[LoopCounter]:
    return LoopFamily(registry, "counter", LoopCounter, f"mcpp_{name}", text, labels)


def _histogram(
    registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float], labels: Iterable[str] = ()
) -> LoopFamily[LoopHistogram]:
    return LoopFamily(registry, "histogram", partial(LoopHistogram, buckets), f"mcpp_{name}", text, labels)


def _shared_counter(registry: CollectorRegistry, name: str, text: str, labels: Iterable[str]) -> Counter:
    return Counter(name, text, labels, namespace="mcpp", unit=unit_of(name), registry=registry)


def _shared_histogram(
    registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float], labels: Iterable[str]
) -> Histogram:
    return Histogram(name, text, labels, namespace="mcpp", unit=unit_of(name), registry=registry, buckets=buckets)


_MESSAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WRITE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_PLUGIN_SECONDS = (0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600)
_MINUTE, _HOUR = 60, 3600
_SESSION_SECONDS = (
    *(minutes * _MINUTE for minutes in (1, 5, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48)),
)
_SESSION_WATT_HOURS = (100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 40_000, 60_000, 80_000, 100_000, 200_000)
