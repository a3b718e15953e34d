"""What plugins take, and what goes wrong with them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from threading import Lock
from time import monotonic, perf_counter
from typing import Final, NamedTuple

from opentelemetry.util.types import AttributeValue
from prometheus_client import Histogram

from mcpp.clock import Clock
from mcpp.ocppj.flow import TraceContext
from mcpp.phrases import quoted
from mcpp.phrases.causes import explained
from mcpp.redaction import redact_text
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.tracing.spans import Span, Spans, new_span_id

_LINE_SECONDS: Final = 1.0
"""Least time between two lines on one hook: one that always fails would fill the log."""

_LONGEST_ERROR: Final = 500
"""Characters of an error that are kept to be shown."""


class PluginFailure(NamedTuple):
    """What a plugin failed with last."""

    hook: str
    error: str
    """Its class and text, without secrets; a Phrase."""
    at: datetime


class PluginCounts:
    """What happened at one plugin since the server started."""

    __slots__ = ("calls", "dropped", "failures", "last_failure")

    def __init__(self) -> None:
        self.calls = 0
        """Of its hooks and jobs, those included that go on."""
        self.failures = 0
        self.dropped = 0
        """Events that never reached it."""
        self.last_failure: PluginFailure | None = None


class PluginTelemetry:
    """Implements `mcpp.plugins.observer.PluginObserver`; its metrics, logger and spans may be used from any thread."""

    def __init__(self, metrics: Metrics, spans: Spans | None = None, clock: Clock | None = None) -> None:
        """`spans` is None where tracing is off."""
        self._clock = clock or Clock()
        self._counts: defaultdict[str, PluginCounts] = defaultdict(PluginCounts)
        self._failing = Lock()
        self._metrics = metrics
        self._spans = spans
        self._log = get_logger()
        self._logged_at: dict[tuple[str, str], float] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}

    def counts(self, plugin: str) -> PluginCounts:
        """What happened at this plugin so far."""
        return self._counts[plugin]

    def begin(self, plugin: str, hook: str, by: TraceContext | None) -> _HookCall:
        self._counts[plugin].calls += 1  # always in the plugin's own thread
        duration = self._durations.get((plugin, hook))
        if duration is None:
            duration = self._durations[plugin, hook] = self._metrics.plugin_duration.labels(plugin, hook)
        spans = self._spans
        if spans is None or by is None or by.span_id == 0:
            return _HookCall(duration, by)
        cause = TraceContext(by.correlation_id, _span_id(spans, by), by.session_correlation_id)
        if not cause.span_id:
            return _HookCall(duration, cause)
        return _RecordedHookCall(duration, cause, spans, plugin, hook, by)

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        self._metrics.plugin_errors.labels(plugin, hook).inc()
        failure = PluginFailure(hook, _told(error), self._clock.now())
        with self._failing:
            counts = self._counts[plugin]
            counts.failures += 1
            counts.last_failure = failure
        now = monotonic()
        if now - self._logged_at.get((plugin, hook), -_LINE_SECONDS) >= _LINE_SECONDS:
            self._logged_at[plugin, hook] = now
            self._log.error("plugin_failed", plugin=plugin, hook=hook, exc_info=error)

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        self._metrics.plugin_events_dropped.labels(plugin, hook).inc()
        self._counts[plugin].dropped += 1  # always in the server's thread
        if first:
            self._log.warning("plugin_events_dropped", plugin=plugin, hook=hook)


def _told(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    shown = redact_text(text[:_LONGEST_ERROR])
    return explained(error, text) if shown == text else quoted(shown)


class _HookCall:
    """Implements `mcpp.plugins.observer.HookCall`, for one whose trace isn't recorded."""

    __slots__ = ("_began", "_duration", "cause")

    def __init__(self, duration: Histogram, cause: TraceContext | None) -> None:
        self._duration = duration
        self.cause = cause
        self._began = perf_counter()

    def end(self, *, failed: bool) -> None:  # noqa: ARG002  the span of one that is recorded says so
        self._duration.observe(perf_counter() - self._began)


class _RecordedHookCall(_HookCall):
    """One with a span."""

    __slots__ = ("_by", "_hook", "_plugin", "_spans")

    def __init__(
        self, duration: Histogram, cause: TraceContext, spans: Spans, plugin: str, hook: str, by: TraceContext
    ) -> None:
        self._spans = spans
        self._plugin = plugin
        self._hook = hook
        self._by = by
        super().__init__(duration, cause)

    def end(self, *, failed: bool) -> None:
        seconds = perf_counter() - self._began
        self._duration.observe(seconds)
        self._write_span(seconds, failed=failed)

    def _write_span(self, seconds: float, *, failed: bool) -> None:
        cause = self.cause
        assert cause is not None
        attributes: dict[str, AttributeValue] = {"mcpp.plugin": self._plugin, "mcpp.hook": self._hook}
        if cause.session_correlation_id is not None:
            attributes["session_correlation_id"] = cause.session_correlation_id
        self._spans.write(
            Span(
                name=f"plugin {self._plugin}",
                correlation_id=cause.correlation_id,
                span_id=cause.span_id or 0,
                parent_span_id=self._by.span_id or 0,
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
