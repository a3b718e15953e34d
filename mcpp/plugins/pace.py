"""How fast a plugin may ask things of the server."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """So many turns per second, `burst` of them at once (the generic cell rate algorithm)."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._tolerance = burst * self._interval
        self._due = 0.0

    def allows(self) -> bool:
        """Take a turn if there is one now."""
        now = time.monotonic()
        due = max(self._due, now)
        if due - now > self._tolerance:
            return False
        self._due = due + self._interval
        return True

    async def turn(self) -> None:
        """Take a turn, in order, once there is one."""
        now = time.monotonic()
        self._due = max(self._due, now) + self._interval
        delay = self._due - now - self._tolerance
        if delay > 0:
            await asyncio.sleep(delay)
