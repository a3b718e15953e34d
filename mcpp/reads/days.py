"""What each of the last days amounts to: the energy of the sessions that ended on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from mcpp.reads.booked import Booked, BookedEnergy
from mcpp.reads.times import in_zone
from mcpp.storage.engine import ReaderPool


class Day(NamedTuple):
    """A day of a time zone."""

    date: date
    booked: Booked


async def read_days(
    pool: ReaderPool, booked: BookedEnergy, zone: tzinfo | None, now: datetime, count: int
) -> list[Day]:
    """The last `count` days, today's the last; `zone` None is the machine's."""
    today = in_zone(now, zone).date()
    days: list[Day] = []
    async with pool.reader() as q:
        for back in range(count - 1, -1, -1):
            day = today - timedelta(days=back)
            begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
            read = booked.sum if day == today else booked.sum_of_past
            days.append(Day(day, await read(q, begin, end)))
    return days


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
