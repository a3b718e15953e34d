"""How fast a charge point's messages are handled: as many a second on average, held back beyond, never refused."""

from __future__ import annotations

from collections import deque
from typing import Final
from weakref import WeakValueDictionary

from mcpp.transport.limits import Limits

_LARGE_SHIFT: Final = 12
"""A message counts once, and once more for each 4 KiB (2 to this power) of its bytes, as it takes that much longer."""
_LEAST_PAUSE: Final = 0.05
"""Seconds; so one who sends too fast is stopped 20 times a second, and not for each message."""


class Pace:
    """Of one charge point, a token bucket kept as one moment: the one by which what it has sent would be allowed.

    All times are the event loop's. A charge point that says little is `window` seconds behind; one that catches up with
    the present has to wait.
    """

    __slots__ = ("__weakref__", "_each", "_used_until", "_window")

    def __init__(self, per_second: float, window: float) -> None:
        self._each = 1 / per_second
        self._window = window
        self._used_until = 0.0

    def count(self, frames: int, size: int, now: float) -> float | None:
        """Count frames of any kind, of so many bytes together; when to read on, if not at once."""
        used = self._used_until
        earliest = now - self._window
        if used < earliest:
            used = earliest
        used += (frames + (size >> _LARGE_SHIFT)) * self._each
        self._used_until = used
        return used + _LEAST_PAUSE if used > now else None

    def is_fresh(self, now: float) -> bool:
        """Whether nothing is left of what was counted."""
        return self._used_until <= now - self._window


class Paces:
    """The charge points' paces by identity: one that comes back at once goes on where it was."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._paces: WeakValueDictionary[str, Pace] = WeakValueDictionary()
        self._left: deque[tuple[float, Pace]] = deque()
        """Of connections that have ended, and when they can be forgotten; kept alive by this until then."""

    def __len__(self) -> int:
        return len(self._paces)

    def of(self, identity: str) -> Pace:
        pace = self._paces.get(identity)
        if pace is None:
            pace = Pace(self._limits.messages_per_second, self._limits.message_rate_window)
            self._paces[identity] = pace
        return pace

    def leave(self, pace: Pace, now: float) -> None:
        """Its connection has ended."""
        while self._left and self._left[0][0] <= now:
            self._left.popleft()
        if not pace.is_fresh(now):
            self._left.append((now + self._limits.message_rate_window, pace))
