"""Energy and sessions by charge point, id tag or person, and by day, month or year of a time zone.

A session counts whole in the period that its stop lies in: that is when its energy is known and its bill is due. This
is the one rule for whose day a session is; the list of transactions and its export follow it where they are asked for
what ended in a span of time (mcpp.reads.transactions, `ended_since` and `ended_until`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from mcpp.domain.energy import counted_wh
from mcpp.domain.people import folded
from mcpp.reads.people import Holders
from mcpp.reads.times import in_zone
from mcpp_generated.db.models import ListEndedTransactionsRow
from mcpp_generated.db.queries import Queries

_PAGE: Final = 5_000
"""Rows in memory at a time."""


class By(StrEnum):
    """Whose energy is summed up."""

    CHARGER = "charger"
    ID_TAG = "id-tag"
    PERSON = "person"
    """Whose the card was when a session began."""


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

    def add(self, session: ListEndedTransactionsRow) -> None:
        """Count a session in."""
        assert session.stopped_at is not None
        energy_wh = counted_wh(session)
        if energy_wh is None:
            self.implausible_sessions += 1
            return
        self.sessions += 1
        self.energy_wh += energy_wh
        # A charger whose clock was set back in between may stop before it started.
        self.duration = _sum(self.duration, max(session.stopped_at - session.started_at, timedelta()))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report."""

    period: str
    """2026-03-29, 2026-03 or 2026."""
    subject: str
    """The charge point's identity, the id tag as its first session spells it, or a person's id; '' for nobody's."""
    total: Total


def ended_sessions(q: Queries, since: datetime, until: datetime | None) -> Iterator[ListEndedTransactionsRow]:
    """The transactions that ended in [since, until), a page in memory at a time; None: in all time that follows."""
    last = 0
    while page := q.list_ended_transactions(after=last, since=since, until=until, page_size=_PAGE):
        yield from page
        last = page[-1].id


def summed_up(
    sessions: Iterable[ListEndedTransactionsRow],
    by: By,
    period: Period,
    zone: tzinfo | None,
    holders: Holders | None = None,
) -> list[Line]:
    """The sessions by period and subject, in that order; `zone` None is the machine's.

    Id tags are compared without regard to case (CiString). `holders` says whose they are, by person.
    """
    length = _SPELLED[period]
    totals: dict[tuple[str, str], Total] = {}
    spelled: dict[str, str] = {}
    for session in sessions:
        subject = _subject(session, by, holders)
        key = folded(subject) if by is By.ID_TAG else subject
        spelled.setdefault(key, subject)
        assert session.stopped_at is not None
        when = in_zone(session.stopped_at, zone).date().isoformat()[:length]
        totals.setdefault((when, key), Total()).add(session)
    return [Line(when, spelled[key], total) for (when, key), total in sorted(totals.items(), key=lambda item: item[0])]


def _subject(session: ListEndedTransactionsRow, by: By, holders: Holders | None) -> str:
    if by is By.CHARGER:
        return session.charge_point_id
    if by is By.ID_TAG:
        return session.id_tag
    person = None if holders is None else holders.of(session.id_tag, session.started_at)
    return "" if person is None else person.id


def grand_total(lines: Iterable[Line]) -> Total:
    """All lines together."""
    whole = Total()
    for line in lines:
        whole.sessions += line.total.sessions
        whole.energy_wh += line.total.energy_wh
        whole.duration = _sum(whole.duration, line.total.duration)
        whole.implausible_sessions += line.total.implausible_sessions
    return whole


def _sum(one: timedelta, other: timedelta) -> timedelta:
    """Sessions from year 1 to year 9999 soon last longer than can be said."""
    try:
        return one + other
    except OverflowError:
        return timedelta.max
