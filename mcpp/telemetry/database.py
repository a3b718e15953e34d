"""What the storage writer reports of its work."""

from __future__ import annotations

from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.metrics.definitions import Metrics


class DatabaseTelemetry:
    """Implements `mcpp.storage.observer.WriterObserver`."""

    def __init__(self, metrics: Metrics) -> None:
        self.batch_size = metrics.database_batch_size
        self.batch_seconds = metrics.database_write_duration
        self.wait_seconds = metrics.database_wait
        self._errors = metrics.database_errors
        self._log = get_logger()

    def on_error(self, error: BaseException) -> None:
        self._errors.inc()
        self._log.error("database_error", exc_info=error)
