"""A person's statement of a month: what they charged, what it costs, and what became known too late for its month.

A session is in the statement of the month that its end lies in, in the statement's time zone. A statement is final a
day after its month (`mcpp.domain.people.FINAL_AFTER`) and then stays the same: what becomes known later (an end that
was delivered late, a stop that takes the place of a recovery, a person's correction, a card that gets its holder) is a
correction in the statement that was open then. So all statements of a person together are what the books say now.

A person who was made today has a statement of any month before, too, with all that was known by today.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from mcpp.domain.energy import counted_wh, told_register
from mcpp.domain.people import FINAL_AFTER
from mcpp.domain.prices import Prices
from mcpp.phrases import Phrase
from mcpp.reads.people import CardSpan, spans_of
from mcpp.reads.pricing import priced
from mcpp.reads.times import BEFORE_ALL, in_zone
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import Implausible, StopOrigin
from mcpp_generated.db.models import ListSupersededEndsOfIdTagRow, Person, TransactionRecord
from mcpp_generated.db.readers import Readers


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    month: int

    @classmethod
    def read(cls, text: str) -> Month:
        """`2026-03`. Raises ValueError."""
        year, separator, month = text.partition("-")
        is_month = separator and len(year) == 4 and len(month) == 2 and text.isascii() and (year + month).isdigit()
        if not is_month or not 1970 <= int(year) <= 9000 or not 1 <= int(month) <= 12:
            raise ValueError(Phrase("should be a month such as 2026-03"))
        return cls(int(year), int(month))

    @classmethod
    def of(cls, moment: datetime, zone: tzinfo | None) -> Month:
        """The month that a time lies in, `zone` None being the machine's."""
        local = in_zone(moment, zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    def begin(self, zone: tzinfo | None) -> datetime:
        """When it begins in a time zone, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=zone).astimezone(UTC)

    def following(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def before(self) -> Month:
        """The month before it."""
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)


class CorrectionReason(StrEnum):
    """Why something of another month is in a statement."""

    LATE = "late"
    """Its end became known only after the statement of its month was final."""
    CARD_NAMED = "card_named"
    """Its card became this person's only then."""
    REPLACED = "replaced"
    """Another end took the place of the one that counted: the charger's own stop, or better evidence."""
    CORRECTED = "corrected"
    """A person said what it took."""


class Figure(NamedTuple):
    """What counts for a session at a time."""

    stopped_at: datetime
    meter_stop: int
    """In Wh."""
    origin: StopOrigin
    energy_wh: int | None
    """None: implausible, and nobody has corrected it."""
    implausible_reason: Implausible | None
    price_per_kwh: Decimal | None
    amount: Decimal | None
    """Rounded once, half to even, to two decimals; None where there is no price or no energy."""
    corrected_by: str | None
    correction_note: str | None


class Session(NamedTuple):
    """A session as a statement has it."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    evse_id: int
    id_tag: str
    started_at: datetime
    meter_start: int | None
    """In Wh; None where its charger has told none."""
    figure: Figure


class Correction(NamedTuple):
    """What counts otherwise now than an earlier statement says."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    evse_id: int
    id_tag: str
    started_at: datetime
    meter_start: int | None
    reason: CorrectionReason
    known_at: datetime
    """When it became known."""
    before: Figure | None
    """As earlier statements have it; None: they don't."""
    after: Figure | None
    """None: it ended later than that."""
    energy_wh: int
    """What is to be added."""
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person charged in a month."""

    person_id: str
    name: str
    month: str
    """Such as 2026-03."""
    since: datetime
    until: datetime
    """The month begins and ends then."""
    final: bool
    """Whether it stays as it is."""
    final_at: datetime
    """When it becomes final."""
    currency: str | None
    sessions: Sequence[Session]
    """In the order of their ends."""
    corrections: Sequence[Correction]
    """Of sessions that earlier statements have otherwise, or not at all."""
    implausible: Sequence[Session]
    """Left out: their energy can't be true, and nobody has said what it was."""
    energy_wh: int
    """The sum of sessions and corrections."""
    amount: Decimal | None
    """The same; None where nothing has a price."""


async def read_statement(
    pool: ReaderPool, person_id: str, month: Month, zone: tzinfo | None, now: datetime
) -> Statement | None:
    """The statement of a month in a time zone, None being the machine's; None where there is no such person."""
    async with pool.reader() as q:
        person = await q.get_person(id=person_id)
        return None if person is None else await _read(q, person, month, zone, now)


async def read_statements(pool: ReaderPool, month: Month, zone: tzinfo | None, now: datetime) -> list[Statement]:
    """Everybody's, in the order of their ids."""
    async with pool.reader() as q:
        return [await _read(q, person, month, zone, now) for person in await q.list_all_people()]


class _Period(NamedTuple):
    """A month as its statement sees it."""

    since: datetime
    until: datetime
    final_before: datetime
    """When the statement of the month before became final."""
    final_at: datetime


async def _read(q: Readers, person: Person, month: Month, zone: tzinfo | None, now: datetime) -> Statement:
    since, until = month.begin(zone), month.following().begin(zone)
    final_before, final_at = (max(end, person.created_at) + FINAL_AFTER for end in (since, until))
    period = _Period(since, until, final_before, final_at)
    prices = Prices(await q.list_prices_of_person(person_id=person.id), await q.list_default_prices())
    sessions: list[Session] = []
    corrections: list[Correction] = []
    implausible: list[Session] = []
    for span in await spans_of(q, person.id):
        async for record, states in _touched(q, span, period):
            line = _line(record, states, span, period, prices, zone)
            if isinstance(line, Correction):
                corrections.append(line)
            elif line is not None:
                (implausible if line.figure.energy_wh is None else sessions).append(line)
    amounts = [
        amount
        for amount in (*(it.figure.amount for it in sessions), *(it.amount for it in corrections))
        if amount is not None
    ]
    return Statement(
        person_id=person.id,
        name=person.name,
        month=str(month),
        since=since,
        until=until,
        final=now >= final_at,
        final_at=final_at,
        currency=prices.currency_on(in_zone(until - timedelta(hours=1), zone).date()),
        sessions=sorted(sessions, key=_by_end),
        corrections=sorted(corrections, key=lambda it: (it.known_at, it.transaction_id)),
        implausible=sorted(implausible, key=_by_end),
        energy_wh=sum(it.figure.energy_wh or 0 for it in sessions) + sum(it.energy_wh for it in corrections),
        amount=sum(amounts, Decimal("0.00")) if amounts else None,
    )


class _State(NamedTuple):
    """What counted for a transaction from a time on."""

    known_at: datetime
    end: TransactionRecord | ListSupersededEndsOfIdTagRow
    """As it is now, or as it was until something else counted."""

    @property
    def stopped_at(self) -> datetime:
        assert self.end.stopped_at is not None
        return self.end.stopped_at


async def _touched(
    q: Readers, span: CardSpan, period: _Period
) -> AsyncIterator[tuple[TransactionRecord, list[_State]]]:
    """A card's transactions of a span that this statement may have to speak of, with all that counted for each."""
    # What the card charged before it got its holder became known with that.
    since = BEFORE_ALL if span.made_at >= period.final_before else period.since
    of_month = await q.list_ends_of_id_tag(id_tag=span.id_tag, since=since, until=period.until)
    late = await q.list_late_ends_of_id_tag(id_tag=span.id_tag, since=period.final_before, until=period.final_at)
    records = {record.transaction_id: record for record in (*of_month, *late)}
    superseded = {
        transaction_id: list(rows)
        for transaction_id, rows in groupby(
            await q.list_superseded_ends_of_id_tag(id_tag=span.id_tag), lambda row: row.transaction_id
        )
    }
    for transaction_id, rows in superseded.items():
        if transaction_id not in records and rows[-1].superseded_at >= period.final_before:
            record = await q.get_transaction(transaction_id=transaction_id)
            if record is not None:
                records[transaction_id] = record
    for record in records.values():
        if record.stopped_at is not None and span.holds(record.started_at):
            yield record, list(_states(record, superseded.get(record.transaction_id, ()), span))


def _states(
    record: TransactionRecord, superseded: Sequence[ListSupersededEndsOfIdTagRow], span: CardSpan
) -> Iterator[_State]:
    """What counted for a transaction, in the order of time; of a card's holder nothing is known before they are."""
    first = superseded[0] if superseded else record
    known_at = first.stop_received_at or first.stopped_at
    assert known_at is not None
    for row in superseded:
        yield _State(max(known_at, span.made_at), row)
        known_at = row.superseded_at
    yield _State(max(known_at, span.made_at), record)


def _line(
    record: TransactionRecord,
    states: Sequence[_State],
    span: CardSpan,
    period: _Period,
    prices: Prices,
    zone: tzinfo | None,
) -> Session | Correction | None:
    """What a statement says of a transaction: what the statements up to it say, less those up to the one before."""
    was = _counting(states, period.final_before, period.since)
    is_now = _counting(states, period.final_at, period.until)
    before = None if was is None else _figure(was.end, prices, zone)
    after = None if is_now is None else _figure(is_now.end, prices, zone)
    said = record.transaction_id, record.charge_point_id, record.connector_id, record.evse_id, record.id_tag
    began = record.started_at, told_register(record.meter_start, record.ocpp_transaction_id)
    if was is None and after is not None and (after.stopped_at >= period.since or after.energy_wh is None):
        return Session(*said, *began, after)
    if (before and (before.energy_wh, before.amount)) == (after and (after.energy_wh, after.amount)):
        return None
    energy_wh = _wh(after) - _wh(before)
    amount = None
    if any(figure is not None and figure.amount is not None for figure in (before, after)):
        amount = _amount(after) - _amount(before)
    reason, known_at = _reason(was, is_now, states, span, period)
    return Correction(*said, *began, reason, known_at, before, after, energy_wh, amount)


def _counting(states: Iterable[_State], known_before: datetime, ended_before: datetime) -> _State | None:
    """What counted by a time, where that is an end before another."""
    last = None
    for state in states:
        if state.known_at < known_before:
            last = state
    return last if last is not None and last.stopped_at < ended_before else None


def _reason(
    was: _State | None, is_now: _State | None, states: Sequence[_State], span: CardSpan, period: _Period
) -> tuple[CorrectionReason, datetime]:
    """Why a statement speaks of a session of another month, and since when that is known."""
    if is_now is None:
        last = max(state.known_at for state in states if state.known_at < period.final_at)
        return CorrectionReason.REPLACED, last
    if was is None:
        named = is_now.known_at == span.made_at
        return CorrectionReason.CARD_NAMED if named else CorrectionReason.LATE, is_now.known_at
    is_corrected = is_now.end.correction_id is not None and is_now.end.correction_id != was.end.correction_id
    return CorrectionReason.CORRECTED if is_corrected else CorrectionReason.REPLACED, is_now.known_at


def _figure(end: TransactionRecord | ListSupersededEndsOfIdTagRow, prices: Prices, zone: tzinfo | None) -> Figure:
    assert end.stopped_at is not None
    assert end.meter_stop is not None
    assert end.stop_origin is not None
    energy_wh = counted_wh(end)
    cost = priced(energy_wh, end.stopped_at, prices, zone)
    return Figure(
        stopped_at=end.stopped_at,
        meter_stop=end.meter_stop,
        origin=end.stop_origin,
        energy_wh=energy_wh,
        implausible_reason=end.implausible_reason if energy_wh is None else None,
        price_per_kwh=cost.price_per_kwh,
        amount=cost.amount,
        corrected_by=end.corrected_by,
        correction_note=end.correction_note,
    )


def _wh(figure: Figure | None) -> int:
    return 0 if figure is None else figure.energy_wh or 0


def _amount(figure: Figure | None) -> Decimal:
    return Decimal(0) if figure is None else figure.amount or Decimal(0)


def _by_end(session: Session) -> tuple[datetime, int]:
    return session.figure.stopped_at, session.transaction_id
