"""Times as people write them on a command line or in a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo

from mcpp.reads.times import BEFORE_ALL

_END_OF_DAY = time(23, 59, 59)


def read_time(text: str, zone: tzinfo | None, *, through: bool = False) -> datetime:
    """A date or an ISO 8601 time, in UTC; one without an offset is meant in `zone` (None: the machine's).

    A date alone is where that day begins, with `through` its last second. The first and the last day of time, of years
    1 and 9999, are those of UTC where they would reach beyond it. Raises ValueError.
    """
    try:
        moment = _read(text, _END_OF_DAY if through else time.min)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        return _in_utc(moment.replace(tzinfo=zone))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text!r} is no time; write 2026-03-29 or 2026-03-29T12:00:00Z") from error


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
