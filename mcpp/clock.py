"""The server's one clock: the machine's, as long as that can be right.

Between two looks at the machine's clock time runs on by the monotonic clock, so that no message is stamped by a jump
that nobody has judged. `check`, called every second or so, follows the machine's clock forward. Where that stands
behind what the server has told already (a computer without a battery-backed clock, or one that was set back), time
runs on from there: what was written must not lie in the future of what comes. That ends

- when the machine's clock has caught up,
- when the operating system says that its clock is synchronized: then it was the earlier time that was wrong,
- after a day in which the machine's clock ran undisturbed, unless it shows a time before this program was written: a
  clock that ran ahead once must not rule for ever where nothing says which one is right.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Final, NamedTuple

TOLERANCE: Final = 2.0
"""Seconds that the machine's clock may be set back by without a word: so much is no fault of anything written."""

PATIENCE: Final = 86_400.0
"""Seconds after which an undisturbed clock is believed."""

WRITTEN_IN: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows less isn't set."""

_TIME_ERROR: Final = 5
"""What adjtimex returns where nothing keeps the clock right (adjtimex(2))."""

_TIMEX_BYTES: Final = 512
"""More than the structure has anywhere."""

_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
"""Is there once systemd-timesyncd has set the clock (systemd-timesyncd.service(8)); asked where adjtimex may not be."""


class ClockNews(Enum):
    """What a look at the machine's clock brought."""

    WRONG = auto()
    """It stands behind what was told already; time runs on without it."""
    RIGHT = auto()
    """It's followed again."""
    JUMPED = auto()
    """It was set, and is followed."""


class ClockChange(NamedTuple):
    """Something to be said."""

    news: ClockNews
    behind: float
    """Seconds by which the machine's clock is behind the server's time, or was; negative where it's ahead."""


class Clock:
    """What time it is. `now` may be called from any thread."""

    __slots__ = (
        "_is_synchronized",
        "_machine_offset",
        "_monotonic",
        "_offset",
        "_undisturbed_since",
        "_wall",
        "is_wrong",
        "jumps",
        "wrong_since",
    )

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        is_synchronized: Callable[[], bool] | None = None,
    ) -> None:
        """`wall` is the machine's clock in Unix time, `is_synchronized` what the operating system says of it."""
        self._wall = wall
        self._monotonic = monotonic
        self._is_synchronized = is_synchronized or is_system_clock_synchronized
        self._offset = self._machine_offset = wall() - monotonic()
        self._undisturbed_since = monotonic()
        self.is_wrong = False
        """Whether the machine's clock stands behind what was told already."""
        self.wrong_since: float | None = None
        """By the monotonic clock; None where it isn't."""
        self.jumps = 0
        """How often the server's time has jumped: periods that were measured by it before say nothing any more."""

    def now(self) -> datetime:
        """In UTC."""
        return datetime.fromtimestamp(self._monotonic() + self._offset, UTC)

    def machine_now(self) -> datetime:
        """What the machine's clock shows, right or wrong; in UTC."""
        return datetime.fromtimestamp(self._wall(), UTC)

    def monotonic(self) -> float:
        """In seconds: for what lasts, whatever happens to the clock."""
        return self._monotonic()

    def unix(self, monotonic: float) -> float:
        """A moment by the monotonic clock in Unix time."""
        return monotonic + self._offset

    def at(self, monotonic: float) -> datetime:
        """A moment by the monotonic clock as the server tells times now."""
        return datetime.fromtimestamp(monotonic + self._offset, UTC)

    def begin_after(self, newest: datetime) -> ClockChange | None:
        """Go on from the newest time that the server has told before its start, where the machine's clock is behind."""
        if newest.timestamp() <= self._wall():
            return None
        self._offset = newest.timestamp() - self._monotonic()
        return self.check()

    def check(self) -> ClockChange | None:
        """Look at the machine's clock."""
        was_wrong, self.is_wrong = self.is_wrong, False
        now = self._monotonic()
        offset = self._wall() - now
        if abs(offset - self._machine_offset) > TOLERANCE:
            self._undisturbed_since = now
        self._machine_offset = offset
        behind = self._offset - offset
        if behind > TOLERANCE and not self._is_believed(now):
            self.is_wrong = True
            if self.wrong_since is None:
                self.wrong_since = now
            return None if was_wrong else ClockChange(ClockNews.WRONG, behind)
        self._offset = offset
        self.wrong_since = None
        has_jumped = abs(behind) > TOLERANCE
        self.jumps += has_jumped
        if was_wrong:
            return ClockChange(ClockNews.RIGHT, behind)
        return ClockChange(ClockNews.JUMPED, behind) if has_jumped else None

    def _is_believed(self, now: float) -> bool:
        """Whether the machine's clock is right though it's behind."""
        if self._is_synchronized():
            return True
        return now - self._undisturbed_since >= PATIENCE and self._machine_offset + now >= WRITTEN_IN.timestamp()


def is_system_clock_synchronized() -> bool:
    """Whether the operating system says that something keeps its clock right; not where it doesn't say."""
    libc = ctypes.CDLL(None)
    adjtimex = getattr(libc, "adjtimex", None)
    state: int = -1 if adjtimex is None else adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))  # changes nothing
    return 0 <= state < _TIME_ERROR or (state < 0 and _TIMESYNCD.exists())
