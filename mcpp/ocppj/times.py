"""Moments as chargers write them, where the meaning is clear."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, auto
from typing import Final

LONGEST: Final = 64
"""Characters of a text that is looked at: none that means a moment is longer."""

_STRICT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_LENIENT: Final = re.compile(
    r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
    r"(?:\s*[Tt]\s*|\s+)"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2}))?(?:[.,](?P<fraction>[0-9]+))?"
    r"\s*(?P<zone>(?:[Zz]|[Uu][Tt][Cc]|[Gg][Mm][Tt])?)\s*"
    r"(?P<offset>(?:(?P<sign>[+-])(?P<hours>[0-9]{1,2}):?(?P<minutes>[0-9]{2})?)?)\s*(?P<again>[Zz]?)\Z"
)
_UNIX: Final = re.compile(r"(?P<whole>[1-9][0-9]{9}(?:[0-9]{3}(?:[0-9]{3})?)?)(?:\.(?P<fraction>[0-9]+))?\Z")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 4_102_444_800
"""Of the year 2099: what is later isn't meant as Unix seconds."""


class Written(Enum):
    """How a moment was written."""

    RIGHT = auto()
    """As RFC 3339 wants it."""
    WITHOUT_ZONE = auto()
    """And so taken as UTC."""
    OTHERWISE = auto()
    """Such as `2026/1/5 7:30 UTC`, second 60 or 24:00:00."""
    AS_NUMBER = auto()
    """Unix seconds, milliseconds or microseconds."""


def read_moment(text: str) -> tuple[datetime, Written] | None:
    """The moment in UTC; None where the meaning isn't clear, as with a date alone."""
    if len(text) > LONGEST:
        return None
    try:
        if _STRICT.match(text):
            try:
                return datetime.fromisoformat(text.upper()).astimezone(UTC), Written.RIGHT
            except ValueError:
                pass  # the second 60, the hour 24
        text = text.strip()
        if found := _LENIENT.match(text):
            return _lenient(found)
        if found := _UNIX.match(text):
            moment = _from_unix(found["whole"], found["fraction"] or "")
            return None if moment is None else (moment, Written.AS_NUMBER)
    except (ValueError, OverflowError):
        pass  # no such day, or none that a datetime can hold
    return None


def _lenient(found: re.Match[str]) -> tuple[datetime, Written] | None:
    year, month, day, hour, minute = (int(found[part]) for part in ("year", "month", "day", "hour", "minute"))
    second = int(found["second"] or 0)
    microsecond = int((found["fraction"] or "")[:6].ljust(6, "0"))
    is_midnight = hour == 24 and minute == second == microsecond == 0
    over = timedelta(days=is_midnight, seconds=second == 60)
    moment = datetime(
        year, month, day, 0 if is_midnight else hour, minute, 59 if second == 60 else second, microsecond, _zone(found)
    )
    named = bool(found["zone"] or found["offset"])
    return (moment + over).astimezone(UTC), Written.OTHERWISE if named else Written.WITHOUT_ZONE


def _zone(found: re.Match[str]) -> timezone:
    """Raises ValueError for an offset that contradicts the `Z` after it."""
    if not found["offset"]:
        return UTC
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if found["again"] and offset:
        raise ValueError(found["offset"])
    return timezone(-offset if found["sign"] == "-" else offset)


def _from_unix(whole: str, fraction: str) -> datetime | None:
    microseconds = int((whole + fraction)[:16].ljust(16, "0"))
    if microseconds > _LAST_SECOND * 1_000_000:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)
