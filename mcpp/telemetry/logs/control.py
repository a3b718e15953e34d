"""What is written can be changed while the server runs: by a person over the API, or by a signal."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from mcpp.ocppj.flow import active_correlation_id
from mcpp.telemetry.logs.lines import Line, LineWriter, LogLevel, timestamp

_LADDER: Final = tuple(LogLevel)
"""From the most talkative level on."""


class LogControl:
    """Changes what a writer writes; each change is logged by a line that is written at every level."""

    def __init__(self, lines: LineWriter) -> None:
        self._lines = lines

    @property
    def level(self) -> LogLevel:
        """Lines of this level and of the graver ones are written."""
        return self._lines.level

    @property
    def payloads(self) -> bool:
        """Whether message lines hold the whole payload."""
        return self._lines.log_payloads

    def change(self, *, level: str | None = None, payloads: bool | None = None, by: str = "api") -> None:
        """Change what is given, and log who did it. Raises ValueError for a level that there is not."""
        before = (self.level, self.payloads)
        if level is not None:
            self._lines.level = LogLevel(level)
        if payloads is not None:
            self._lines.log_payloads = payloads
        if before != (self.level, self.payloads):
            self._log_change(*before, by)

    def step(self, steps: int, *, by: str) -> None:
        """Go so many levels up the ladder, to graver ones only, or down where negative; at its end stay."""
        wanted = _LADDER.index(self.level) + steps
        self.change(level=_LADDER[max(0, min(wanted, len(_LADDER) - 1))], by=by)

    def _log_change(self, previous_level: LogLevel, previous_payloads: bool, by: str) -> None:
        line: Line = {
            "timestamp": timestamp(),
            # Grave enough to be seen by those who look after a server, and no error.
            "level": LogLevel.WARNING.value,
            "event": "log_level_changed",
            "category": "system",
            "correlation_id": active_correlation_id(),
            "log_level": self.level.value,
            "previous_log_level": previous_level.value,
            "log_payloads": self.payloads,
            "previous_log_payloads": previous_payloads,
            "changed_by": by,
        }
        self._lines.write(line)


def follow_signals(control: LogControl, loop: asyncio.AbstractEventLoop) -> None:
    """From now on SIGUSR1 makes the log one level more talkative and SIGUSR2 one level less."""
    for number, steps in ((signal.SIGUSR1, -1), (signal.SIGUSR2, 1)):
        loop.add_signal_handler(number, _step, control, steps, number.name)


def _step(control: LogControl, steps: int, by: str) -> None:
    control.step(steps, by=by)
