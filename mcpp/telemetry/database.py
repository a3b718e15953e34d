"""What the storage writer reports of its work."""

from __future__ import annotations

from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.metrics.definitions import Metrics


class DatabaseTelemetry:
    """Implements `mcpp.storage.writer.WriterObserver`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = get_logger()

    def on_batch(self, size: int, seconds: float, waited: float) -> None:
        self._metrics.database_batch_size.observe(size)
        self._metrics.database_wait.observe(waited)
        self._metrics.database_write_duration.observe(seconds)

    def on_error(self, error: BaseException) -> None:
        self._metrics.database_errors.inc()
        self._log.error("database_error", exc_info=error)
