"""Times as people write them on a command line or in a file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo

from mcpp.reads.times import BEFORE_ALL

_END_OF_DAY = time(23, 59, 59)

_MONTHS = 12

_LOCAL = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?))?")
"""A date as spreadsheets write it, with or without a time of day."""


def read_time(text: str, zone: tzinfo | None, *, through: bool = False) -> datetime:
    """A date or an ISO 8601 time, in UTC; one without an offset is meant in `zone` (None: the machine's).

    Of local spellings those that have one meaning are read: 29.3.2026, and 29/3/2026, which can be no other day. A date
    alone is where that day begins, with `through` its last second. The first and the last day of time, of years
    1 and 9999, are those of UTC where they would reach beyond it. Raises ValueError.
    """
    try:
        moment = _read(_international(text), _END_OF_DAY if through else time.min)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        return _in_utc(moment.replace(tzinfo=zone))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text!r} is no time; write 2026-03-29 or 2026-03-29T12:00:00Z") from error


def _international(text: str) -> str:
    """The same time with its date in the order of ISO 8601. Raises ValueError where it could be two."""
    match = _LOCAL.fullmatch(text)
    if match is None:
        return text
    one, dot, other, year, clock = match[1], match[2], match[3], match[4], match[5]
    day, month = int(one), int(other)
    if dot == "/":
        if day <= _MONTHS and month <= _MONTHS and day != month:
            raise ValueError("two days")
        if month > _MONTHS:
            day, month = month, day
    century = "" if len(year) > len("26") else "20"
    hours = f" {clock.zfill(len('00:00')) if ':' in clock[:2] else clock}" if clock else ""
    return f"{century}{year}-{month:02}-{day:02}{hours}"


def _in_utc(local: datetime) -> datetime:
    """A naive time's astimezone takes the machine's zone."""
    if local.replace(tzinfo=UTC) == BEFORE_ALL:
        return BEFORE_ALL
    try:
        return local.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        return local.replace(tzinfo=UTC)


def _read(text: str, of_day: time) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), of_day)
    except ValueError:
        return datetime.fromisoformat(text)
