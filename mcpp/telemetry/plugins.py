"""What plugins take, and what goes wrong with them."""

from __future__ import annotations

from time import monotonic
from typing import Final

from mcpp.telemetry.logs import get_logger
from mcpp.telemetry.metrics import Metrics

_LINE_SECONDS: Final = 1.0
"""Least time between two lines on one hook: one that always fails would fill the log."""


class PluginTelemetry:
    """Implements `mcpp.plugins.observer.Observer`; its metrics and its logger may be used from any thread."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = get_logger()
        self._told_at: dict[tuple[str, str], float] = {}

    def on_call(self, plugin: str, hook: str, seconds: float) -> None:
        self._metrics.plugin_duration.labels(plugin, hook).observe(seconds)

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
