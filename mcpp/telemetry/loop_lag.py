"""How late the event loop runs what is due: the first sign of something that blocks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter


class LoopLag:
    """Asks to be called every `interval` seconds and observes by how much it came too late, in seconds."""

    def __init__(self, observe: Callable[[float], None], interval: float = 0.5) -> None:
        self._observe = observe
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.interval = interval
        self.ticked_at = 0.0
        """When it was last called, by the performance counter; any thread may ask."""

    def start(self) -> None:
        """Begin, on the running loop."""
        # Not the loop's own clock: uvloop's counts whole milliseconds and stands still within one turn.
        self.ticked_at = perf_counter()
        self._due = self.ticked_at + self.interval
        self._timer = asyncio.get_running_loop().call_later(self.interval, self._tick)

    def stop(self) -> None:
        """End; nothing stays scheduled."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._observe(max(0.0, perf_counter() - self._due))
        self.start()
