"""What plugins take, and what goes wrong with them."""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import Final

from opentelemetry.util.types import AttributeValue
from prometheus_client import Histogram

from mcpp.ocppj.flow import TraceContext
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.tracing.spans import Span, Spans, new_span_id

_LINE_SECONDS: Final = 1.0
"""Least time between two lines on one hook: one that always fails would fill the log."""


class PluginTelemetry:
    """Implements `mcpp.plugins.observer.Observer`; its metrics, logger and spans may be used from any thread."""

    def __init__(self, metrics: Metrics, spans: Spans | None = None) -> None:
        """`spans` is None where tracing is off."""
        self._metrics = metrics
        self._spans = spans
        self._log = get_logger()
        self._told_at: dict[tuple[str, str], float] = {}

    def begin(self, plugin: str, hook: str, by: TraceContext | None) -> _HookCall:
        return _HookCall(self._metrics.plugin_duration.labels(plugin, hook), self._spans, plugin, hook, by)

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        self._metrics.plugin_errors.labels(plugin, hook).inc()
        now = monotonic()
        if now - self._told_at.get((plugin, hook), -_LINE_SECONDS) >= _LINE_SECONDS:
            self._told_at[plugin, hook] = now
            self._log.error("plugin_failed", plugin=plugin, hook=hook, exc_info=error)

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        self._metrics.plugin_events_dropped.labels(plugin, hook).inc()
        if first:
            self._log.warning("plugin_events_dropped", plugin=plugin, hook=hook)


class _HookCall:
    """Implements `mcpp.plugins.observer.HookCall`."""

    __slots__ = ("_began", "_by", "_duration", "_hook", "_plugin", "_spans", "cause")

    def __init__(
        self, duration: Histogram, spans: Spans | None, plugin: str, hook: str, by: TraceContext | None
    ) -> None:
        self._duration = duration
        self._spans = spans
        self._plugin = plugin
        self._hook = hook
        self._by = by
        self.cause = by if spans is None or by is None else by._replace(span_id=_span_id(spans, by))
        self._began = perf_counter()

    def end(self, *, failed: bool) -> None:
        seconds = perf_counter() - self._began
        self._duration.observe(seconds)
        if self._spans is not None and self.cause is not None and self.cause.span_id:
            self._write_span(self._spans, self.cause, self.cause.span_id, seconds, failed=failed)

    def _write_span(self, spans: Spans, cause: TraceContext, span_id: int, seconds: float, *, failed: bool) -> None:
        attributes: dict[str, AttributeValue] = {"mcpp.plugin": self._plugin, "mcpp.hook": self._hook}
        if cause.session_correlation_id is not None:
            attributes["session_correlation_id"] = cause.session_correlation_id
        spans.write(
            Span(
                name=f"plugin {self._plugin}",
                correlation_id=cause.correlation_id,
                span_id=span_id,
                parent_span_id=(self._by and self._by.span_id) or 0,
                began=self._began,
                seconds=seconds,
                attributes=attributes,
                error="the hook failed; the log says why" if failed else None,
            )
        )


def _span_id(spans: Spans, by: TraceContext) -> int:
    """For a span of what is set off: recorded as its cause is, else as the sampler says."""
    is_recorded = bool(by.span_id) if by.span_id is not None else spans.records(by.correlation_id)
    return new_span_id() if is_recorded else 0
