"""Axes: round numbers for values, round times of the viewer's clock for times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from mcpp.web.charts.words import Words

_MOST_TICKS: Final = 5
_MOST_TIMES: Final = 8
_MOST_TIMES_NARROW: Final = 4
"""On a phone; one less where the time of day needs the room of its AM or PM."""

_HOURS: Final = (1 / 60, 5 / 60, 10 / 60, 15 / 60, 0.5, 1, 2, 3, 6, 12)
"""Steps within a day, each a divisor of it."""

_DAYS: Final = (1, 2, 7, 14)


@dataclass(frozen=True, slots=True)
class Unit:
    """In what values are shown."""

    name: str
    """`kWh`, `kW` or a currency; empty for one that nobody named."""
    digits: int
    """Decimals in words and tables; an axis has as many as its steps need."""

    def spell(self, value: float, words: Words) -> str:
        """A value with its unit, which no line break parts from it."""
        number = words.number(value, self.digits)
        return f"{number}\N{NO-BREAK SPACE}{self.name}" if self.name else number

    def of(self, heading: str) -> str:
        """What is shown, with the unit behind it."""
        return f"{heading} ({self.name})" if self.name else heading


@dataclass(frozen=True, slots=True)
class Scale:
    """The values' axis: from the first tick to the last."""

    ticks: tuple[float, ...]
    digits: int

    def share(self, value: float) -> float:
        """How far up a value is, in percent of the height."""
        low, high = self.ticks[0], self.ticks[-1]
        return max(0.0, min(100.0, 100 * (value - low) / (high - low)))

    def y(self, value: float) -> float:
        """How far below the upper edge, in percent."""
        return 100 - self.share(value)


_LEAST: Final = 1e-9
"""What is less is nothing: in no unit is it measured."""


def scale_of(values: Iterable[float | None]) -> Scale:
    """An axis from 0, or below it, over all values; from 0 to 1 where there is none above 0."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
    if high - low < _LEAST:
        return Scale((0.0, 0.5, 1.0), 1)
    rough = (high - low) / (_MOST_TICKS - 1)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, digits) != round(step, digits + 1):
        digits += 1
    return Scale(tuple(round(index * step, digits + 2) for index in range(first, last + 1)), digits)


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A time on the axis."""

    at: datetime
    label: str
    is_narrow: bool
    """Whether there's room for it on a phone."""


def time_ticks(begin: datetime, end: datetime, words: Words) -> list[TimeTick]:
    """Round times of the viewer's clock from begin to end, some eight at most; hours that a clock skips have none."""
    hours = (end - begin) / timedelta(hours=1)
    within_day = next((step for step in _HOURS if hours / step <= _MOST_TIMES), None)
    if within_day is not None:
        minutes = round(within_day * 60)
        found = list(_of_days(begin, end, words, 1, minutes))
    else:
        days = hours / 24
        every = next((step for step in _DAYS if days / step <= _MOST_TIMES), None)
        found = list(_of_days(begin, end, words, every, None) if every else _of_months(begin, end, words))
    every = math.ceil(len(found) / (_MOST_TIMES_NARROW - ("%p" in words.clock_format)))
    return [TimeTick(at, label, index % every == 0) for index, (at, label) in enumerate(found)]


def _of_days(
    begin: datetime, end: datetime, words: Words, every: int, minutes: int | None
) -> Iterator[tuple[datetime, str]]:
    """Midnights of each so-manieth day, or so many minutes after each."""
    day = words.local(begin).date()
    while True:
        for minute in range(0, 24 * 60, minutes or 24 * 60):
            wall = datetime.combine(day, time(minute // 60, minute % 60))
            at = _moment_of(wall, words)
            if at > end:
                return
            if at >= begin and words.local(at).replace(tzinfo=None) == wall:
                yield at, words.date(at) if minute == 0 else words.clock(at)
        try:
            day += timedelta(days=every)
        except OverflowError:
            return


def _of_months(begin: datetime, end: datetime, words: Words) -> Iterator[tuple[datetime, str]]:
    local = words.local(begin)
    months = max(1, round((end - begin) / timedelta(days=30.5)))
    every = next((step for step in (1, 2, 3, 6) if months / step <= _MOST_TIMES), 12 * math.ceil(months / 96))
    index = local.year * 12 + local.month - 1
    for month in range(index - index % every, index + months + every + 1, every):
        if not 12 <= month < 120_000:
            continue
        first = date(month // 12, month % 12 + 1, 1)
        at = _moment_of(datetime.combine(first, time()), words)
        if begin <= at <= end:
            yield at, str(first.year) if first.month == 1 else words.month(at)


def _moment_of(wall: datetime, words: Words) -> datetime:
    """When the viewer's clock shows a time."""
    return (wall if words.zone is None else wall.replace(tzinfo=words.zone)).astimezone(UTC)
