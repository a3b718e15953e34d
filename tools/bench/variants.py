"""How much telemetry a server has, from none to all of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from time import perf_counter
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from mcpp.csms.observer import MessageObserver
from mcpp.ocppj.flow import Direction, Flow, Peer, Subject, active_trace_context, new_correlation_id
from mcpp.ocppj.frames import Call, CallError, CallResult, FrameError
from mcpp.server.parts import CoreParts
from mcpp.server.telemetry import TelemetryParts
from mcpp.settings import Settings
from mcpp.telemetry.metrics.definitions import Metrics


class Variant(StrEnum):
    """Each has what the ones before it have."""

    OFF = "off"
    """Neither lines nor metrics nor spans: a server that nobody could ship."""
    LINES = "lines"
    METRICS = "metrics"
    """The figures of each charger included."""
    SPANS_1 = "spans-1%"
    SPANS_100 = "spans-100%"


_RATIOS: Final = {Variant.SPANS_1: "0.01", Variant.SPANS_100: "1"}


def tracing_variables(variant: Variant, collector: str) -> Mapping[str, str]:
    """What makes a server of this variant send its spans to the collector."""
    if variant not in _RATIOS:
        return {}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": _RATIOS[variant],
        # Every span is to be paid for: at full speed more come than the exporter's thread gets time for.
        "OTEL_BSP_MAX_QUEUE_SIZE": "1000000",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }


def settings_of(variant: Variant) -> Mapping[str, str]:
    """The settings that differ from the defaults."""
    return {"per_charger_metrics": "false"} if variant in {Variant.OFF, Variant.LINES} else {}


def reduce_metrics(variant: Variant, metrics: Metrics) -> None:
    """Take the metrics' work away where the variant has none; before anything takes hold of them."""
    if variant not in {Variant.OFF, Variant.LINES}:
        return
    for name, metric in list(vars(metrics).items()):
        if isinstance(metric, MetricWrapperBase) and not name.startswith("_"):
            setattr(metrics, name, _MUTE)


def observer_of(variant: Variant, telemetry: TelemetryParts, settings: Settings) -> MessageObserver:
    """The server's own, or one that sees nothing."""
    return Unobserved() if variant is Variant.OFF else telemetry.observer(settings)


def reduce_subscribers(variant: Variant, core: CoreParts) -> None:
    """Leave the domain's events to those that aren't telemetry where the variant has none."""
    if variant is Variant.OFF:
        core.events.unsubscribe_all()


class _Mute:
    """Stands in for a metric and for each of its children."""

    def labels(self, *_: str) -> _Mute:
        return self

    def inc(self, amount: float = 1) -> None: ...
    def dec(self, amount: float = 1) -> None: ...
    def set(self, value: float) -> None: ...
    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None: ...


_MUTE: Final = _Mute()


class Unobserved:
    """The observer that makes the flows, which the domain needs, and does nothing else."""

    def call_received(self, peer: Peer, call: Call, size: int) -> Flow:
        return Flow(peer, Direction.IN, call.action, call.message_id, new_correlation_id(), perf_counter(), size)

    def call_queued(self, peer: Peer, call: Call, about: Subject) -> Flow:  # noqa: ARG002  the seam has it
        cause = active_trace_context()
        correlation_id = cause.correlation_id if cause else new_correlation_id()
        return Flow(peer, Direction.OUT, call.action, call.message_id, correlation_id, perf_counter())

    def answer_sent(self, flow: Flow, answer: CallResult | CallError, size: int) -> None: ...
    def unanswered(self, flow: Flow, error: BaseException) -> None: ...
    def call_failed(self, flow: Flow, error: BaseException) -> None: ...
    def call_withdrawn(self, flow: Flow) -> None: ...
    def call_sent(self, flow: Flow, size: int) -> None: ...
    def answer_received(self, flow: Flow, answer: CallResult | CallError, size: int) -> None: ...
    def call_expired(self, flow: Flow, error: Exception) -> None: ...
    def stray_answer(self, peer: Peer, answer: CallResult | CallError, size: int, *, late: bool) -> None: ...
    def frame_refused(self, peer: Peer, error: FrameError, size: int) -> None: ...
    def refusal_sent(self, peer: Peer, answer: CallError, size: int) -> None: ...
    def connection(self, outcome: str, *, identity: str = "", remote: str = "", detail: str = "") -> None: ...
