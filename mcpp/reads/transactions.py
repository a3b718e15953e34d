"""Transactions. What one looks like outside is decided here alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias, TypedDict

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter

from mcpp.domain.energy import counted_wh, told_register
from mcpp.domain.people import folded
from mcpp.reads.csv_text import Value
from mcpp.reads.live import LiveReadings
from mcpp.reads.paging import NEWEST_ID, Cursors, Page, PageQuery, RowId
from mcpp.reads.people import spans_of
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL, DayOrTime, spell_time
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import Implausible, StopOrigin
from mcpp_generated.db.models import TransactionRecord
from mcpp_generated.db.readers import Readers

TransactionKey: TypeAlias = tuple[AwareDatetime, RowId]
"""When a transaction began or ended, and its id: the order of the list."""

_LONGEST_WAY: Final = timedelta(days=7)
"""What a start's message takes at most, from a charger that was offline; a clock that isn't set is years behind."""

_STEP: Final = 200
"""Transactions of one step of a stream: a few milliseconds, in which the server does nothing else."""


class Correction(NamedTuple):
    """What a person says that a transaction took, the newest of it."""

    energy_wh: int
    note: str
    who: str
    corrected_at: datetime


def _correction_of(record: TransactionRecord) -> Correction | None:
    wh, note, who, at = record.corrected_wh, record.correction_note, record.corrected_by, record.corrected_at
    return None if wh is None or at is None else Correction(wh, note or "", who or "", at)


class Transaction(NamedTuple):
    """A transaction as those outside see it, by the names that they know it by."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    id_tag: str
    meter_start: int | None
    """In Wh; None where its charger has told none."""
    meter_stop: int | None
    """In Wh."""
    energy_wh: int | None
    """What counts: a correction, else as booked, 0 where no reading can be believed; so far while it runs, None then
    where it isn't known."""
    started_at: datetime
    stopped_at: datetime | None
    stop_reason: str | None
    stop_origin: StopOrigin | None
    evidence: Mapping[str, JsonValue] | None
    """What a recovered stop was taken from."""
    energy_implausible: bool
    """No reading can be believed, and nobody has corrected it: sums leave it out."""
    reason: Implausible | None
    """Why its energy is implausible (`mcpp.domain.plausibility`)."""
    original_energy_wh: int | None
    """As booked, where a correction counts."""
    correction: Correction | None
    session_correlation_id: str
    power_w: float | None
    """Of its connector now; None once it has ended, while its charge point is offline and where it isn't known."""
    duration_s: int | None
    """So far while it runs; None for one that runs where no server is asked."""
    evse_id: int | None
    """Of the EVSE that its connector is one of; None where the OCPP version has connectors only (1.6)."""
    ocpp_transaction_id: str | None
    """Its charger's own id; None where `transaction_id` is the only one (OCPP 1.6)."""

    @property
    def key(self) -> TransactionKey:
        """Its place in the list."""
        return self.started_at, self.transaction_id

    @property
    def end_key(self) -> TransactionKey:
        """Its place in the list of those that have ended."""
        assert self.stopped_at is not None
        return self.stopped_at, self.transaction_id


COLUMNS: Final = Transaction._fields


def transaction_of(record: TransactionRecord, live: LiveReadings | None = None) -> Transaction:
    """A transaction out of its row, and what is live of it where a server is asked."""
    energy, power, duration = None, None, None
    if record.stopped_at is not None:
        counted = counted_wh(record)
        energy = record.energy_wh if counted is None else counted
        duration = max(0, round((record.stopped_at - record.started_at).total_seconds()))
    elif live is not None:
        now = live.now()
        duration = duration_so_far(record.started_at, record.start_received_at, now)
        connector = live.running(record.charge_point_id, record.transaction_id)
        if connector is not None:
            energy, power = connector.energy_wh, connector.power_w(now)
    correction = _correction_of(record)
    is_implausible = record.implausible_reason is not None and correction is None
    return Transaction(
        transaction_id=record.transaction_id,
        charge_point_id=record.charge_point_id,
        connector_id=record.connector_id,
        id_tag=record.id_tag,
        meter_start=told_register(record.meter_start, record.ocpp_transaction_id),
        meter_stop=told_register(record.meter_stop, record.ocpp_transaction_id),
        energy_wh=energy,
        started_at=record.started_at,
        stopped_at=record.stopped_at,
        stop_reason=record.stop_reason,
        stop_origin=record.stop_origin,
        evidence=None if record.evidence is None else json.loads(record.evidence),
        energy_implausible=is_implausible,
        reason=record.implausible_reason if is_implausible else None,
        original_energy_wh=None if correction is None else record.energy_wh,
        correction=correction,
        session_correlation_id=record.session_correlation_id,
        power_w=power,
        duration_s=duration,
        evse_id=record.evse_id or None,
        ocpp_transaction_id=record.ocpp_transaction_id,
    )


def duration_so_far(started_at: datetime, received_at: datetime, now: datetime) -> int:
    """How long a transaction runs, in whole seconds by this server's clock.

    It began when its charger says, whose message may have come late, as long as that can be: not after the message
    came, and no more than a week before. Else the charger's clock is wrong, and it began when the message came.
    """
    begin = started_at if timedelta() <= received_at - started_at <= _LONGEST_WAY else received_at
    return max(0, int((now - begin).total_seconds()))


def values_of(transaction: Transaction) -> dict[str, Value]:
    """The same by column, for CSV: with its times as such."""
    row: dict[str, Value] = transaction._asdict()
    if (correction := transaction.correction) is not None:
        row["correction"] = {**correction._asdict(), "corrected_at": spell_time(correction.corrected_at)}
    return row


def row_of(transaction: Transaction) -> dict[str, Value]:
    """The same for JSON, by column."""
    row = values_of(transaction)
    row["started_at"] = spell_time(transaction.started_at)
    if transaction.stopped_at is not None:
        row["stopped_at"] = spell_time(transaction.stopped_at)
    return row


class TransactionQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None
    connector_id: int | None = Field(None, ge=0, le=2**31 - 1)
    evse_id: int | None = Field(
        None, ge=0, le=2**31 - 1, description="0: only those of OCPP versions that know connectors alone (1.6)."
    )
    id_tag: str | None = Field(None, description="Letter case doesn't matter.")
    person_id: str | None = Field(None, description="Of the cards that were theirs when a transaction began.")
    open: bool | None = Field(None, description="Only those that run, or that have ended.")
    since: DayOrTime | None = Field(None, description="Began then or later: a time, or a day of `timezone`.")
    until: DayOrTime | None = Field(None, description="Began before.")
    ended_since: DayOrTime | None = Field(
        None, description="Ended then or later: with `ended_until` what a report counts to that time."
    )
    ended_until: DayOrTime | None = Field(None, description="Ended before.")
    implausible: bool = Field(
        False, description="Only those whose energy is implausible and which nobody has corrected."
    )

    recovered: bool = Field(False, description="Only those that were closed by evidence, without their charger's stop.")

    @property
    def by_end(self) -> bool:
        """Whether it's about what ended in a span of time, and in the order of that."""
        spans_ends = self.ended_since is not None or self.ended_until is not None
        return spans_ends and not (self.implausible or self.recovered)


_BEGINNINGS: Final[Cursors[Transaction, TransactionKey]] = Cursors(
    TypeAdapter(TransactionKey), (AFTER_ALL, NEWEST_ID), lambda transaction: transaction.key
)

_ENDS: Final[Cursors[Transaction, TransactionKey]] = Cursors(
    TypeAdapter(TransactionKey), (AFTER_ALL, NEWEST_ID), lambda transaction: transaction.end_key
)


def _cursors(query: TransactionQuery) -> Cursors[Transaction, TransactionKey]:
    return _ENDS if query.by_end else _BEGINNINGS


async def list_page(pool: ReaderPool, query: TransactionQuery, live: LiveReadings | None = None) -> Page[Transaction]:
    """Transactions, the newest first; those that ended in a span of time by their ends. Raises BadCursor."""
    cursors = _cursors(query)
    return cursors.page(await _list(pool, query, cursors.start(query), query.limit + 1, live), query)


def stream(
    pool: ReaderPool, query: TransactionQuery, limit: int | None, live: LiveReadings | None = None
) -> AsyncIterator[list[Transaction]]:
    """All that follow the query's cursor, or the first `limit` of them (not the query's), some at a time.

    Each step is read anew: what is written meanwhile neither shifts rows nor waits for a slow reader. Raises BadCursor.
    """
    return _stream(pool, query, _cursors(query).start(query), limit, live)


async def _stream(
    pool: ReaderPool, query: TransactionQuery, before: TransactionKey, limit: int | None, live: LiveReadings | None
) -> AsyncIterator[list[Transaction]]:
    while limit is None or limit > 0:
        found = await _list(pool, query, before, _STEP if limit is None else min(limit, _STEP), live)
        if not found:
            return
        yield found
        before = found[-1].end_key if query.by_end else found[-1].key
        limit = None if limit is None else limit - len(found)


async def _list(
    pool: ReaderPool, query: TransactionQuery, before: TransactionKey, count: int, live: LiveReadings | None
) -> list[Transaction]:
    """Up to `count` transactions that come behind `before` in the list."""
    async with pool.reader() as q:
        return [transaction_of(record, live) for record in await _find_records(q, query, before, count)]


async def find(pool: ReaderPool, transaction_id: int, live: LiveReadings | None = None) -> Transaction | None:
    """One transaction."""
    async with pool.reader() as q:
        record = await q.get_transaction(transaction_id=transaction_id)
    return None if record is None else transaction_of(record, live)


class _Window(TypedDict):
    """The part of the list that is wanted: what all its queries take."""

    since: datetime
    before: datetime
    before_id: int
    page_size: int


class _AnyWindow(_Window):
    """The same for the queries that may find open transactions and ended ones."""

    closed_only: bool


async def _find_records(
    q: Readers, query: TransactionQuery, before: TransactionKey, count: int
) -> list[TransactionRecord]:
    """By the query of the leading filter: each has its index."""
    if query.person_id is not None:
        return await _find_of_person(q, query, query.person_id, before, count)
    if query.by_end:
        return await _find_ended(q, query, before, count)
    if query.until is not None:
        before = min(before, (query.until, 0))
    of_window: _Window = {
        "since": query.since or BEFORE_ALL,
        "before": before[0],
        "before_id": before[1],
        "page_size": count,
    }
    charge_point_id, connector_id, evse_id = query.charge_point_id, query.connector_id, query.evse_id
    id_tag = query.id_tag
    if query.implausible or query.recovered:
        listed = q.list_implausible_transactions if query.implausible else q.list_recovered_transactions
        return await listed(
            **of_window,
            charge_point_id=charge_point_id,
            connector_id=connector_id,
            evse_id=evse_id,
            id_tag=id_tag,
            ended_since=query.ended_since,
            ended_until=query.ended_until,
        )
    if query.open:
        return await q.list_open_transactions(
            **of_window, charge_point_id=charge_point_id, connector_id=connector_id, evse_id=evse_id, id_tag=id_tag
        )
    window: _AnyWindow = {**of_window, "closed_only": query.open is False}
    if charge_point_id is not None and connector_id is not None:
        return await _find_of_connector(q, window, charge_point_id, connector_id, evse_id, id_tag)
    if charge_point_id is not None:
        return await q.list_transactions_of_charge_point(
            **window, charge_point_id=charge_point_id, evse_id=evse_id, id_tag=id_tag
        )
    if id_tag is not None:
        return await q.list_transactions_of_id_tag(**window, id_tag=id_tag, connector_id=connector_id, evse_id=evse_id)
    if connector_id is not None:
        return await q.list_transactions_of_connector_id(**window, connector_id=connector_id, evse_id=evse_id)
    return await q.list_transactions(**window, evse_id=evse_id)


async def _find_of_connector(
    q: Readers, window: _AnyWindow, charge_point_id: str, connector_id: int, evse_id: int | None, id_tag: str | None
) -> list[TransactionRecord]:
    """Of the connectors of that number, each by its index, merged: mostly there is one."""
    if evse_id is None:
        evse_ids = await q.list_evses_with_connector(charge_point_id=charge_point_id, connector_id=connector_id)
    else:
        evse_ids = [evse_id]
    found: list[TransactionRecord] = []
    for each in evse_ids:
        found += await q.list_transactions_of_connector(
            **window, charge_point_id=charge_point_id, evse_id=each, connector_id=connector_id, id_tag=id_tag
        )
    found.sort(key=lambda record: (record.started_at, record.transaction_id), reverse=True)
    return found[: window["page_size"]]


async def _find_of_person(
    q: Readers, query: TransactionQuery, person_id: str, before: TransactionKey, count: int
) -> list[TransactionRecord]:
    """The transactions of each card while it was theirs, merged."""
    found: list[TransactionRecord] = []
    for span in await spans_of(q, person_id):
        if query.id_tag is not None and folded(query.id_tag) != folded(span.id_tag):
            continue
        of_span = {
            "person_id": None,
            "id_tag": span.id_tag,
            "since": max(query.since or BEFORE_ALL, span.since or BEFORE_ALL),
            "until": min(query.until or AFTER_ALL, span.until or AFTER_ALL),
        }
        found += await _find_records(q, query.model_copy(update=of_span), before, count)
    by_end = query.by_end
    found.sort(key=lambda record: (record.stopped_at if by_end else record.started_at, record.transaction_id))
    return found[-count:][::-1]


async def _find_ended(
    q: Readers, query: TransactionQuery, before: TransactionKey, count: int
) -> list[TransactionRecord]:
    if query.open:
        return []
    if query.ended_until is not None:
        before = min(before, (query.ended_until, 0))
    return await q.list_transactions_by_end(
        ended_since=query.ended_since or BEFORE_ALL,
        before=before[0],
        before_id=before[1],
        since=query.since or BEFORE_ALL,
        until=query.until,
        charge_point_id=query.charge_point_id,
        connector_id=query.connector_id,
        evse_id=query.evse_id,
        id_tag=query.id_tag,
        page_size=count,
    )
