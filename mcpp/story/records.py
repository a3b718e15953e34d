"""What the database has of a story, as entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from mcpp.csms.vocabulary import Vocabulary
from mcpp.domain.energy import END_OF_TIME
from mcpp.domain.samples import SampleKind
from mcpp.domain.session_meter import SessionMeter, StoredReading, span_of, spans_of
from mcpp.phrases import Phrase, as_is, chained
from mcpp.reads.times import BEFORE_ALL
from mcpp.story.log_selection import SessionScope
from mcpp.story.model import ChargePointSubject, Entry, Kind, Reading, Routine, Source, Span, Tone
from mcpp.story.phrases import begin_text, duration_text, end_text, evidence_text, implausible_text
from mcpp_generated.db.enums import StopOrigin, UnmatchedKind
from mcpp_generated.db.models import Transaction, TransactionRecord, UnmatchedRecord
from mcpp_generated.db.queries import Queries

_PAGE: Final = 1_000

_LATE: Final = timedelta(minutes=1)
"""A report that comes later than this after what it reports is worth a word."""

_LONGEST_OFFLINE: Final = timedelta(days=7)
"""A charger that reports a start longer ago has a wrong clock rather than a long queue."""

_SOURCES: Final = {
    StopOrigin.CHARGER: Source.CHARGER,
    StopOrigin.RECOVERED: Source.SERVER,
    StopOrigin.OPERATOR: Source.OPERATOR,
}


@dataclass(frozen=True, slots=True)
class TransactionRecords:
    """All that the database has of a transaction."""

    transaction: Transaction
    record: TransactionRecord
    session: SessionScope
    entries: list[Entry]
    readings: list[Reading]
    is_thinned: bool = False
    """Whether there are more readings than these."""


def read_transaction(
    q: Queries, transaction_id: int, vocabulary: Vocabulary, *, most_readings: int | None = None
) -> TransactionRecords | None:
    """What the database has of a transaction, None where there is none of that id.

    Where it has more than `most_readings`, so many of them are told, spread over the session.
    """
    transaction, record = q.find_transaction(id=transaction_id), q.get_transaction(transaction_id=transaction_id)
    if transaction is None or record is None:
        return None
    is_thinned = most_readings is not None and q.find_reading(transaction_id=transaction_id, skipped=most_readings)
    readings = list(_readings(q, transaction, most_readings if is_thinned else None))
    span = _span(transaction)
    entries = [*_ends(transaction), *_reservation(q, transaction), *_unmatched(q, record, span)]
    entries += [_reading_entry(reading, vocabulary) for reading in readings]
    session = SessionScope(
        transaction.session_correlation_id,
        record.charge_point_id,
        record.connector_id,
        record.evse_id,
        transaction_id,
        span,
    )
    return TransactionRecords(transaction, record, session, entries, readings, is_thinned=bool(is_thinned))


def transactions_of_charge_point(
    q: Queries, subject: ChargePointSubject, span: Span, vocabulary: Vocabulary
) -> list[Entry]:
    """The transactions of a charge point that began in a span of time, and their readings in it."""
    entries: list[Entry] = []
    before, before_id = span.end, 2**63 - 1
    while page := q.list_transactions_of_charge_point(
        charge_point_id=subject.charge_point_id,
        evse_id=subject.evse_id,
        since=span.begin,
        before=before,
        before_id=before_id,
        id_tag=None,
        closed_only=False,
        page_size=_PAGE,
    ):
        for record in page:
            transaction = q.find_transaction(id=record.transaction_id)
            if transaction is not None and subject.connector_id in {None, record.connector_id}:
                entries += _ends(transaction)
                entries += (
                    _reading_entry(reading, vocabulary)
                    for reading in _readings(q, transaction)
                    if span.holds(reading.at)
                )
        before, before_id = page[-1].started_at, page[-1].transaction_id
    return entries


def _ends(transaction: Transaction) -> Iterator[Entry]:
    """The start, and the stop where there is one, as stored."""
    number = transaction.id
    text = begin_text(number, transaction.meter_start, transaction.ocpp_transaction_id, transaction.id_tag)
    yield Entry(
        at=transaction.started_at,
        source=Source.CHARGER,
        kind=Kind.BOOKED,
        what=chained([text, *_delay(transaction.started_at, transaction.start_received_at)]),
        tone=Tone.GOOD,
        facts={"event": "transaction_started", "transaction_id": number},
    )
    stopped_at, received_at, meter_stop = transaction.stopped_at, transaction.stop_received_at, transaction.meter_stop
    if stopped_at is None or meter_stop is None or transaction.stop_origin is None:
        return
    by_charger = transaction.stop_origin is StopOrigin.CHARGER
    end = end_text(number, meter_stop, transaction.ocpp_transaction_id, transaction.energy_wh or 0)
    said: list[str] = [end]
    if by_charger:
        said = [Phrase("{end}, {reason}", end=end, reason=transaction.stop_reason and as_is(transaction.stop_reason))]
        said += _delay(stopped_at, received_at or stopped_at)
    if evidence := evidence_text(transaction.evidence):
        said.append(evidence)
    if transaction.implausible_reason is not None:
        said.append(implausible_text(transaction.implausible_reason))
    yield Entry(
        at=stopped_at if by_charger or received_at is None else received_at,
        source=_SOURCES[transaction.stop_origin],
        kind=Kind.BOOKED,
        what=chained(said),
        tone=Tone.GOOD if by_charger and transaction.implausible_reason is None else Tone.WARNING,
        facts={"event": "transaction_stopped", "transaction_id": number},
    )


def _delay(at: datetime, received_at: datetime) -> Iterator[Phrase]:
    if received_at - at > _LATE:
        yield Phrase(
            "reported {duration} later, or the charger's clock is slow", duration=duration_text(received_at - at)
        )
    elif at - received_at > _LATE:
        yield Phrase("the charger's clock is {duration} fast", duration=duration_text(at - received_at))


def _span(transaction: Transaction) -> Span:
    """When something may have befallen the session, by our clock."""
    received_at = transaction.start_received_at
    waited = received_at - transaction.started_at
    begin = transaction.started_at if timedelta() <= waited <= _LONGEST_OFFLINE else received_at
    if transaction.stopped_at is None:
        return Span(begin, END_OF_TIME)
    return Span(begin, max(received_at, transaction.stop_received_at or transaction.stopped_at))


def _reservation(q: Queries, transaction: Transaction) -> Iterator[Entry]:
    reservation, named = q.find_reservation_of_transaction(transaction_id=transaction.id), transaction.reservation_id
    if reservation is None:
        # Some chargers write -1 for none.
        if named is not None and named >= 0:
            yield Entry(
                at=transaction.started_at,
                source=Source.CHARGER,
                kind=Kind.BOOKED,
                what=Phrase("names reservation {number}, which isn't one that it could use", number=named),
                tone=Tone.WARNING,
                facts={"reservation_id": named},
            )
        return
    yield Entry(
        at=reservation.created_at,
        source=Source.OPERATOR,
        kind=Kind.BOOKED,
        what=Phrase(
            "reservation {number} for {id_tag}, used by this transaction",
            number=reservation.reservation_id,
            id_tag=reservation.id_tag,
        ),
        facts={"reservation_id": reservation.reservation_id},
    )


def _unmatched(q: Queries, record: TransactionRecord, span: Span) -> Iterator[Entry]:
    """What its charge point sent meanwhile that fits no transaction: it may be this one's."""
    before_id = 2**63 - 1
    while page := q.list_unmatched(before_id=before_id, page_size=_PAGE):
        for kept in page:
            if kept.charge_point_id == record.charge_point_id and span.holds(kept.received_at):
                yield _unmatched_entry(kept)
        before_id = page[-1].id
        if page[-1].received_at < span.begin:
            return


def _unmatched_entry(kept: UnmatchedRecord) -> Entry:
    claimed, number = kept.claimed_transaction_id, kept.id
    if kept.kind is UnmatchedKind.STOP:
        text = Phrase(
            "a stop for unknown transaction {claimed}, kept aside as unmatched {number}", claimed=claimed, number=number
        )
    else:
        text = Phrase(
            "meter values for unknown transaction {claimed}, kept aside as unmatched {number}",
            claimed=claimed,
            number=number,
        )
    return Entry(
        at=kept.received_at,
        source=Source.CHARGER,
        kind=Kind.BOOKED,
        what=text,
        tone=Tone.WARNING,
        facts={"event": "record_unmatched", "unmatched_id": kept.id},
    )


def _reading_entry(reading: Reading, vocabulary: Vocabulary) -> Entry:
    facts: dict[str, JsonValue] = {"action": vocabulary.meter_values}
    if reading.energy_wh is not None:
        facts["energy_wh"] = reading.energy_wh
    if reading.power_w is not None:
        facts["power_w"] = reading.power_w
    return Entry(
        at=reading.at,
        source=Source.CHARGER,
        kind=Kind.METER,
        what=vocabulary.meter_values,
        routine=Routine.METER_VALUES,
        facts=facts,
    )


def _readings(q: Queries, transaction: Transaction, most: int | None = None) -> Iterator[Reading]:
    """All readings, one for each moment; or the last in each of `most` equal parts of the session."""
    last: Reading | None = None
    rated_watts = q.get_rated_power(key=transaction.charge_point_key)
    meter = SessionMeter(transaction, rated_watts, every=most is None)
    stored = _all_stored(q, transaction) if most is None else _some_stored(q, transaction, most)
    for reading in stored:
        for key in meter.unknown_kinds(reading):
            kind = q.get_sample_kind(id=key)
            assert kind is not None, "a kind is never deleted"
            meter.kinds[key] = SampleKind(*kind[1:])
        at, energy_wh, watts = meter.read(reading)
        found = Reading(at, energy_wh, None if watts is None else round(watts))
        if last is not None and last.at != at:
            yield last
        elif last is not None:
            # Samples of one moment that came in several messages.
            energy_wh = last.energy_wh if found.energy_wh is None else found.energy_wh
            found = Reading(at, energy_wh, last.power_w if found.power_w is None else found.power_w)
        last = found
    if last is not None:
        yield last


def _all_stored(q: Queries, transaction: Transaction) -> Iterator[StoredReading]:
    after, after_late_sample = BEFORE_ALL, ""
    while page := q.list_readings(
        transaction_id=transaction.id, after=after, after_late_sample=after_late_sample, page_size=_PAGE
    ):
        yield from page
        after, after_late_sample = page[-1].measured_at, page[-1].late_sample


def _some_stored(q: Queries, transaction: Transaction, most: int) -> Iterator[StoredReading]:
    first_at = q.find_reading(transaction_id=transaction.id, skipped=0)
    span = span_of(transaction, first_at, q.find_newest_reading(transaction_id=transaction.id))
    for spans in spans_of(*span, most):
        yield from q.list_last_readings(transaction_id=transaction.id, spans=spans)
