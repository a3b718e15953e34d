"""Energy and sessions by charge point, id tag or person, and by day, month or year of a time zone.

A session counts whole in the period that its stop lies in: that is when its energy is known and its bill is due. This
is the one rule for whose day a session is; the list of transactions and its export follow it where they are asked for
what ended in a span of time (mcpp.reads.transactions, `ended_since` and `ended_until`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, assert_never

from mcpp.domain.energy import counted_wh
from mcpp.domain.people import folded
from mcpp.domain.prices import spell_decimal
from mcpp.reads.csv_text import Value
from mcpp.reads.people import PriceBook
from mcpp.reads.pricing import priced
from mcpp.reads.times import AFTER_ALL, begin_of_day, in_zone
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import Implausible
from mcpp_generated.db.models import ListEndedInSpanRow
from mcpp_generated.db.readers import Readers

_STEP: Final = 2_000
"""Sessions that are summed up at once: some milliseconds of a reader, and no more rows than that."""

_PRICED_STEP: Final = 500
"""The same where each is priced by itself."""

PERIOD_COLUMN: Final = "period"

AMOUNT_COLUMN: Final = "amount"

READABLE: Final = (PERIOD_COLUMN, AMOUNT_COLUMN)
"""Columns that a spreadsheet shall read as dates and numbers."""

_RESOLUTION: Final = timedelta(milliseconds=1)
"""Of stored times."""

MOST_LINES: Final = 100_000
"""Of a report that is held in memory."""


class TooManyLines(Exception):
    """A report has more than MOST_LINES."""


class By(StrEnum):
    """Whose energy is summed up."""

    CHARGER = "charger"
    ID_TAG = "id_tag"
    PERSON = "person"
    """Whose the card was when a session began."""

    @property
    def column(self) -> str:
        """What the subject is called in CSV and JSON."""
        match self:
            case By.CHARGER:
                return "charge_point_id"
            case By.PERSON:
                return "person_id"
            case _:
                return self.value


class Period(StrEnum):
    """Over how long."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


_SPELLED: Final = {Period.DAY: 10, Period.MONTH: 7, Period.YEAR: 4}
"""How much of 2026-03-29 names the period."""


@dataclass(slots=True)
class Total:
    """The sessions that ended in a period; implausible ones, which nobody has corrected, are only counted."""

    sessions: int = 0
    energy_wh: int = 0
    duration: timedelta = timedelta()
    implausible_sessions: int = 0
    amount: Decimal | None = None
    """What they cost together, each priced as in a statement; None where nothing has a price, or nobody asked."""

    def add(self, other: Total) -> None:
        """Count others in."""
        self.sessions += other.sessions
        self.energy_wh += other.energy_wh
        self.implausible_sessions += other.implausible_sessions
        if other.amount is not None:
            self.amount = other.amount + (self.amount or 0)
        try:
            self.duration += other.duration
        except OverflowError:
            # Sessions from year 1 to year 9999 soon last longer than can be said.
            self.duration = timedelta.max


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report."""

    period: str
    """2026-03-29, 2026-03 or 2026."""
    subject: str
    """The charge point's identity, the id tag as the report's first session spells it, or a person's id; '' for
    nobody's."""
    total: Total


class _Sum(Protocol):
    """Sessions of one subject whose energy counts in the same way."""

    @property
    def subject(self) -> str: ...
    @property
    def implausible_reason(self) -> Implausible | None: ...
    @property
    def is_corrected(self) -> int: ...
    @property
    def sessions(self) -> int: ...
    @property
    def energy_wh(self) -> float: ...
    @property
    def corrected_wh(self) -> float: ...
    @property
    def duration_ms(self) -> float: ...


class _Billed(NamedTuple):
    """Their energy, as one transaction's is said."""

    energy_wh: int
    implausible_reason: Implausible | None
    corrected_wh: int | None


async def energy_report(
    pool: ReaderPool,
    by: By,
    period: Period,
    zone: tzinfo | None,
    since: datetime,
    until: datetime,
    prices: PriceBook | None = None,
) -> list[Line]:
    """As `report_by_period`, all of it. Raises TooManyLines."""
    lines: list[Line] = []
    async for of_period in report_by_period(pool, by, period, zone, since, until, prices):
        lines += of_period
        if len(lines) > MOST_LINES:
            raise TooManyLines(f"the report has more than {MOST_LINES:,} lines")
    return lines


async def report_by_period(
    pool: ReaderPool,
    by: By,
    period: Period,
    zone: tzinfo | None,
    since: datetime,
    until: datetime,
    prices: PriceBook | None = None,
) -> AsyncIterator[list[Line]]:
    """The sessions that ended in [since, until), summed up: the lines of one period after the other, by subject.

    `zone` None is the machine's. Id tags are compared without regard to case (CiString). The database adds up, so many
    sessions at a time that neither the event loop nor a reader is held for long. With `prices` the lines say what the
    sessions cost, too, which takes a look at each.
    """
    if until <= since:
        return
    last = AFTER_ALL if until == AFTER_ALL else until - _RESOLUTION
    spelled: dict[str, str] = {}
    name, totals = "", dict[str, Total]()
    position: datetime | None = since
    step = _STEP if prices is None else _PRICED_STEP
    while position is not None:
        async with pool.reader() as q:
            stop = await q.find_stop(since=position, until=last, skipped=0)
        if stop is None:
            break
        day = in_zone(stop, zone).date()
        found = day.isoformat()[: _SPELLED[period]]
        if found != name:
            if totals:
                yield _lines(name, totals, spelled)
            name, totals = found, {}
        end = min(last, _last_of(day, period, zone, stop))
        async with pool.reader() as q:
            too_far = await q.find_stop(since=stop, until=end, skipped=step)
            if too_far is not None:
                end = max(stop, too_far - _RESOLUTION)
            for row in await _sums(q, by, stop, end):
                key = _key_of(row.subject, by)
                spelled.setdefault(key, row.subject)
                totals.setdefault(key, Total()).add(_total_of(row))
            if prices is not None:
                for subject, amount in _amounts(await q.list_ended_in_span(since=stop, until=end), by, prices, zone):
                    key = _key_of(subject, by)
                    spelled.setdefault(key, subject)
                    totals.setdefault(key, Total()).add(Total(amount=amount))
        position = None if end >= last else end + _RESOLUTION
    if totals:
        yield _lines(name, totals, spelled)


def _lines(name: str, totals: Mapping[str, Total], spelled: Mapping[str, str]) -> list[Line]:
    return [Line(name, spelled[key], total) for key, total in sorted(totals.items(), key=lambda item: item[0])]


def _sums(q: Readers, by: By, since: datetime, until: datetime) -> Awaitable[Sequence[_Sum]]:
    """The sessions that ended in [since, until] by subject, in any order; one subject may come several times."""
    match by:
        case By.CHARGER:
            return q.sum_up_by_charger(since=since, until=until)
        case By.ID_TAG:
            return q.sum_up_by_id_tag(since=since, until=until)
        case By.PERSON:
            return q.sum_up_by_person(since=since, until=until)
        case _:
            assert_never(by)


def _amounts(
    rows: Iterable[ListEndedInSpanRow], by: By, prices: PriceBook, zone: tzinfo | None
) -> Iterator[tuple[str, Decimal]]:
    """Whose each session is that has a price, and what it costs: its holder, whoever the sum is by."""
    for row in rows:
        assert row.stopped_at is not None, "it was asked for by that"
        amount = priced(counted_wh(row), row.stopped_at, prices.of(row.person_id), zone).amount
        if amount is not None:
            match by:
                case By.CHARGER:
                    yield row.charge_point_id, amount
                case By.ID_TAG:
                    yield row.id_tag, amount
                case By.PERSON:
                    yield row.person_id, amount
                case _:
                    assert_never(by)


def _key_of(subject: str, by: By) -> str:
    """What tells subjects apart."""
    return folded(subject) if by is By.ID_TAG else subject


def _total_of(row: _Sum) -> Total:
    billed = _Billed(int(row.energy_wh), row.implausible_reason, int(row.corrected_wh) if row.is_corrected else None)
    energy_wh = counted_wh(billed)
    if energy_wh is None:
        return Total(implausible_sessions=row.sessions)
    try:
        duration = timedelta(milliseconds=row.duration_ms)
    except OverflowError:
        duration = timedelta.max
    return Total(row.sessions, energy_wh, duration)


def _last_of(day: date, period: Period, zone: tzinfo | None, stop: datetime) -> datetime:
    """The last moment of the period that a day lies in, in which there was a stop."""
    try:
        following = _following(day, period)
    except (OverflowError, ValueError):
        return AFTER_ALL
    return max(stop, begin_of_day(following, zone) - _RESOLUTION)


def _following(day: date, period: Period) -> date:
    """The first day of the next period."""
    match period:
        case Period.DAY:
            return day + timedelta(days=1)
        case Period.MONTH:
            return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        case Period.YEAR:
            return date(day.year + 1, 1, 1)
        case _:
            assert_never(period)


def grand_total(lines: Iterable[Line]) -> Total:
    """All lines together."""
    whole = Total()
    for line in lines:
        whole.add(line.total)
    return whole


def columns_of(by: By, *, amounts: bool = False) -> Sequence[str]:
    """Of the lines in JSON and CSV."""
    columns = PERIOD_COLUMN, by.column, "sessions", "energy_wh", "duration_seconds", "implausible_sessions"
    return (*columns, AMOUNT_COLUMN) if amounts else columns


def row_of(line: Line, by: By, *, amounts: bool = False) -> dict[str, Value]:
    """A line for JSON and CSV, by column."""
    total = line.total
    values = (
        line.period,
        line.subject,
        total.sessions,
        total.energy_wh,
        total.duration // timedelta(seconds=1),
        total.implausible_sessions,
    )
    row: dict[str, Value] = dict(zip(columns_of(by), values, strict=True))
    if amounts:
        row[AMOUNT_COLUMN] = None if total.amount is None else spell_decimal(total.amount)
    return row
