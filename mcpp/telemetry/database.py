"""What the storage writer reports of its work."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from mcpp.telemetry.logs.pipeline import get_logger
from mcpp.telemetry.metrics.definitions import Metrics

_QUIET_SECONDS: Final = 60.0
"""Between two lines of failures: while a disk is full, each batch fails."""


class DatabaseTelemetry:
    """Implements `mcpp.storage.observer.WriterObserver`."""

    def __init__(self, metrics: Metrics, now: Callable[[], float] = monotonic) -> None:
        """`now` is in seconds, from any beginning."""
        self.batch_size = metrics.database_batch_size
        self.batch_seconds = metrics.database_write_duration
        self.wait_seconds = metrics.database_wait
        self._errors = metrics.database_errors
        self._log = get_logger()
        self._now = now
        self._said_at: float | None = None
        self._unsaid = 0
        """Failures since the last line of one."""
        self._is_said = False
        """Whether the log's last word is that it fails."""

    def on_error(self, error: BaseException) -> None:
        self._errors.inc()
        self._unsaid += 1
        now = self._now()
        if self._said_at is None or now - self._said_at >= _QUIET_SECONDS:
            self._log.error("database_error", failures=self._unsaid, exc_info=error)
            self._said_at, self._unsaid, self._is_said = now, 0, True

    def on_usable_again(self) -> None:
        if self._is_said:
            self._log.info("database_usable_again", failures=self._unsaid)
            self._unsaid, self._is_said = 0, False
