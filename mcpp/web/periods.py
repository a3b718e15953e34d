"""Months and years of the viewer's calendar, as pages have them in their addresses: `2026-03`, `2026`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, Self

from mcpp.reads.times import in_zone

_SPELLED: Final = re.compile(r"([12][0-9]{3})(?:-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True)
class CalendarPeriod:
    """A month, or a year where `month` is None."""

    year: int
    month: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """As an address has it; None for what is none."""
        found = _SPELLED.fullmatch(text)
        return None if found is None else cls(int(found[1]), None if found[2] is None else int(found[2]))

    @classmethod
    def month_of(cls, moment: datetime, zone: tzinfo | None) -> Self:
        """The month that a time lies in."""
        local = in_zone(moment, zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}" if self.month is None else f"{self.year:04}-{self.month:02}"

    def begin(self, zone: tzinfo | None) -> datetime:
        """Its first moment."""
        first = datetime(self.year, self.month or 1, 1, tzinfo=zone)
        return first.astimezone(UTC)

    def end(self, zone: tzinfo | None) -> datetime:
        """The first moment behind it."""
        return self.after.begin(zone)

    @property
    def middle(self) -> datetime:
        """A moment within it in every time zone, to name it by."""
        return datetime(self.year, self.month or 7, 15, 12, tzinfo=UTC)

    @property
    def before(self) -> Self:
        """The month or year before."""
        return self._moved(-1)

    @property
    def after(self) -> Self:
        """The month or year that follows."""
        return self._moved(1)

    def _moved(self, by: int) -> Self:
        if self.month is None:
            return type(self)(self.year + by)
        index = self.year * 12 + self.month - 1 + by
        return type(self)(index // 12, index % 12 + 1)
