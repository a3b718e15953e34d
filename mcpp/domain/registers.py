"""The readings of one register, as many as it takes to say which of them counts; numbers that are sent as text.

In which order readings come doesn't matter: what a message says late is worth as much.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

_LONGEST_NUMBER: Final = 64
"""Characters of a number that is worth reading."""
_MOST_DIGITS: Final = 15
"""In front of the point."""
_SURELY_IN_BOUNDS: Final = 12
"""So many digits are, in kWh too."""

LEAST_TO_SEE_KWH: Final = 100_000
"""Wh at the start: with less, a thousandth of the register may as well be the session's energy."""

PEAKS: Final = 3
"""As many of the highest readings tell a misread one."""

_JUMP_WATTS: Final = 50_000
_JUMP_ALLOWANCE: Final = timedelta(minutes=1)


def continuous_wh(passed: timedelta) -> float:
    """What a register rises by in a time without a jump that could be misread: 50 kW, and a minute more."""
    return _JUMP_WATTS * ((passed + _JUMP_ALLOWANCE) / timedelta(hours=1))


def read_number(text: str) -> Decimal | int | None:
    """A number that a charger sent as text, of a bounded length; None where it's no finite one."""
    if len(text) <= _SURELY_IN_BOUNDS and text.isdecimal():
        return int(text)
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # An int of 1E+400000 would take seconds to make.
    return number if number.is_finite() and number.adjusted() < _MOST_DIGITS else None


class Reading(NamedTuple):
    """A register at a time."""

    at: datetime
    wh: int
    could_wh: int
    """What could have been delivered by then."""


class Peaks:
    """The three highest readings of a series, so that a single misread one can be told from a register that fell."""

    __slots__ = ("_tops",)

    def __init__(self) -> None:
        self._tops: list[tuple[int, datetime]] = []

    def take(self, wh: int, at: datetime) -> None:
        tops = self._tops
        place = len(tops)
        while place and (wh > tops[place - 1][0] or (wh == tops[place - 1][0] and at < tops[place - 1][1])):
            place -= 1
        if place < PEAKS and (not place or tops[place - 1] != (wh, at)):
            tops.insert(place, (wh, at))
            del tops[PEAKS:]

    def top(self, least: int) -> int | None:
        """The one that counts; `least` is where the series begins. None before the first reading."""
        if not self._tops:
            return None
        top, *others = self._tops
        if len(others) < PEAKS - 1 or others[1][0] < least or not all(at > top[1] for _, at in others):
            return top[0]
        return self.below_jump(least)

    def below_jump(self, least: int) -> int | None:
        """The same, were the highest misread where it lies far above the next one."""
        if len(self._tops) < 2:
            return self._tops[0][0] if self._tops else None
        (top, at), (second, second_at) = self._tops[:2]
        is_jump = second >= least and top - second > continuous_wh(abs(second_at - at))
        return second if is_jump else top


class RegisterSeries:
    """The readings of one phase, or of the total, of one series."""

    __slots__ = ("_begins_in_kwh", "first", "kilo", "life", "newest", "session")

    def __init__(self) -> None:
        self.first: Reading | None = None
        """The earliest that isn't 0 and could be true."""
        self.newest: Reading | None = None
        """The newest that could be true."""
        self.life = Peaks()
        self.session = Peaks()
        self.kilo = Peaks()
        self._begins_in_kwh = False

    @property
    def is_in_kwh(self) -> bool:
        """Whether its first and its highest reading both continue the start's register, were they not labelled Wh."""
        kilo, highest = self.kilo.top(0), self.session.top(0)
        if not self._begins_in_kwh or kilo is None or highest is None:
            return False
        # A kWh that is counted in whole ones says too little to be told from a session's Wh.
        return abs(kilo - highest * 1000) <= 1000 and kilo % 1000 != 0

    @property
    def least(self) -> int:
        """Where it begins, in Wh."""
        return self.first.wh if self.first else 0

    def take(self, at: datetime, wh: int, could_wh: int, start: int | None, kilo_wh: int | None) -> bool:
        """Take in a reading; `kilo_wh` is what it comes to if it's labelled Wh, but in kWh.

        Whether it could be true in any way.
        """
        # Without a start's register, or one of 0, a meter's life may begin anywhere.
        of_life = not start or wh <= start + could_wh
        of_session = wh <= could_wh
        in_kwh = kilo_wh is not None and start is not None and start <= kilo_wh <= start + could_wh
        if of_life:
            self.life.take(wh, at)
        if of_session:
            self.session.take(wh, at)
        if in_kwh and kilo_wh is not None:
            self.kilo.take(kilo_wh, at)
        if not (of_life or of_session or in_kwh):
            return False
        first, newest = self.first, self.newest
        if wh and (first is None or at < first.at or (at == first.at and wh > first.wh)):
            self.first = Reading(at, wh, could_wh)
            self._begins_in_kwh = in_kwh
        if newest is None or at > newest.at or (at == newest.at and wh > newest.wh):
            self.newest = Reading(at, wh, could_wh)
        return True
