"""What plugins take, and what goes wrong with them."""

from __future__ import annotations

from mcpp.telemetry.logs import get_logger
from mcpp.telemetry.metrics import Metrics


class PluginTelemetry:
    """Implements `mcpp.plugins.observer.Observer`; its metrics and its logger may be used from any thread."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = get_logger()

    def on_call(self, plugin: str, hook: str, seconds: float) -> None:
        self._metrics.plugin_duration.labels(plugin, hook).observe(seconds)

    def on_failure(self, plugin: str, hook: str, error: BaseException) -> None:
        self._metrics.plugin_errors.labels(plugin, hook).inc()
        self._log.error("plugin_failed", plugin=plugin, hook=hook, exc_info=error)

    def on_dropped(self, plugin: str, hook: str, *, first: bool) -> None:
        self._metrics.plugin_events_dropped.labels(plugin, hook).inc()
        if first:
            self._log.warning("plugin_events_dropped", plugin=plugin, hook=hook)
