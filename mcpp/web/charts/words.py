"""How a chart spells numbers, days and times: by the viewer's language and in the viewer's time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from mcpp.reads.times import in_zone

_MINUS: Final = "\N{MINUS SIGN}"

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A language's words for what charts say by themselves; captions and headings come from whoever draws."""

    zone: tzinfo | None = UTC
    """None: the machine's."""
    decimal: str = "."
    group: str = ","
    months: tuple[str, ...] = _MONTHS
    """Short names, January first."""
    day: str = "{day} {month}"
    """How a day is said, by `{day}` and the short name of its `{month}`."""
    clock_format: str = "%H:%M"
    """How a time of day is said, for `strftime`."""
    table: str = "Table"
    missing: str = "\N{EN DASH}"
    """In place of a value that isn't known."""
    missing_name: str = field(default="no data")
    """The same for those who point at it."""

    def number(self, value: float, digits: int) -> str:
        """A number with so many decimals; what rounds to zero has no sign."""
        text = f"{abs(value):,.{digits}f}".replace(",", "\0").replace(".", self.decimal).replace("\0", self.group)
        return _MINUS + text if value < 0 and any(digit in "123456789" for digit in text) else text

    def local(self, moment: datetime) -> datetime:
        """A time in the viewer's zone."""
        return in_zone(moment, self.zone)

    def clock(self, moment: datetime) -> str:
        """The time of day, to the minute."""
        return f"{self.local(moment):{self.clock_format}}"

    def date(self, moment: datetime) -> str:
        """The day without its year."""
        local = self.local(moment)
        return self.day.format(day=local.day, month=self.months[local.month - 1])

    def month(self, moment: datetime) -> str:
        """The month's short name."""
        return self.months[self.local(moment).month - 1]

    def moment(self, moment: datetime) -> str:
        """Day and time of day."""
        return f"{self.date(moment)}, {self.clock(moment)}"

    def span(self, begin: datetime, end: datetime) -> str:
        """From when to when; a day that is the same is said once."""
        is_one_day = self.local(begin).date() == self.local(end).date()
        last = self.clock(end) if is_one_day else self.moment(end)
        return f"{self.moment(begin)} \N{EN DASH} {last}"
