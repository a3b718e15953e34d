"""Stops and meter values that belong to no known transaction: kept whole until an operator says where they belong.

A stop that ended a transaction which it doesn't name is kept as well, with that transaction, and isn't listed: if a
stop that names the transaction takes its place, it's nobody's again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.digests import digest_of
from mcpp.domain.errors import Unknown, nothing_unmatched
from mcpp.domain.events import RecordUnmatched
from mcpp.domain.memory import Memory, as_stored
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.stop_matching import ToldStop, find_same_kept
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.models import Unmatched
from mcpp_generated.db.queries import Queries

_LARGEST: Final = 2**63 - 1
"""That SQLite has."""


def keep_meter_values(
    q: Queries, occasion: Occasion, claimed_transaction_id: int, message: OriginalMessage, memory: Memory
) -> tuple[RecordUnmatched, ...]:
    """Store a message whole, in its version's spelling; a repeat changes nothing and makes no event."""
    payload = _payload(message, memory)
    added = q.add_unmatched(
        charge_point_key=occasion.charge_point_key,
        kind=UnmatchedKind.METER_VALUES,
        ocpp_version=message.ocpp_version,
        claimed_transaction_id=claimed_transaction_id,
        payload=payload,
        payload_bytes=len(payload.encode()),
        payload_digest=digest_of(payload),
        received_at=occasion.at,
    )
    if added:
        _drop_oldest(q, occasion.charge_point_key, memory)
    return (_kept(occasion, UnmatchedKind.METER_VALUES, claimed_transaction_id),) if added else ()


def keep_stop(
    q: Queries,
    occasion: Occasion,
    claimed_transaction_id: int,
    stop: ToldStop,
    reason: str,
    message: OriginalMessage,
    memory: Memory,
    *,
    transaction_id: int | None = None,
) -> tuple[RecordUnmatched, ...]:
    """As `keep_meter_values`, of a stop; `transaction_id` is of the one that it ended by a guess, which is no event."""
    known = find_same_kept(q, occasion.charge_point_key, stop)
    if known is not None:
        if transaction_id is not None:
            q.set_transaction_of_stop(id=known.id, transaction_id=transaction_id)
        return ()
    claimed = claimed_transaction_id if abs(claimed_transaction_id) <= _LARGEST else 0
    payload = _payload(message, memory)
    added = q.add_unmatched_stop(
        charge_point_key=occasion.charge_point_key,
        ocpp_version=message.ocpp_version,
        claimed_transaction_id=claimed,
        payload=payload,
        payload_bytes=len(payload.encode()),
        payload_digest=digest_of(payload),
        received_at=occasion.at,
        stopped_at=stop.stopped_at,
        meter_stop=stop.meter_stop,
        id_tag=stop.id_tag,
        stop_reason=reason,
        transaction_id=transaction_id,
    )
    if added:
        _drop_oldest(q, occasion.charge_point_key, memory)
    return (_kept(occasion, UnmatchedKind.STOP, claimed),) if added and transaction_id is None else ()


def _payload(message: OriginalMessage, memory: Memory) -> str:
    """The message whole, or as much of it as is kept."""
    payload = message.as_json()
    if message.shortened is None or not bounds.is_over(payload, bounds.UNMATCHED_PAYLOAD):
        return payload
    shortened = message.shortened(bounds.UNMATCHED_PAYLOAD)
    memory.leave_out(Over.TOO_MUCH_TO_KEEP, "", f"{len(payload)} characters", f"{len(shortened)} characters")
    return shortened


def _drop_oldest(q: Queries, charge_point_key: int, memory: Memory) -> None:
    """Bound what is kept of a charge point.

    Meter values go first: each is one reading of many. Then stops that have ended a transaction, where all that they
    say is booked. A stop that still belongs to nobody goes last, since it may be all that says what somebody owes.
    """
    kept = q.size_of_unmatched(charge_point_key=charge_point_key)
    records, size = kept.records, kept.payload_bytes
    while records > bounds.UNMATCHED_RECORDS or size > bounds.UNMATCHED_BYTES:
        oldest = q.find_dispensable_unmatched(charge_point_key=charge_point_key)
        if oldest is None:
            break
        q.drop_unmatched(id=oldest.id)
        records, size = records - 1, size - oldest.payload_bytes
        memory.leave_out(Over.OLDEST_DROPPED, "", f"{oldest.kind.value} {oldest.id} of {oldest.received_at:%Y-%m-%d}")


def release_stops(q: Queries, transaction_id: int, stopped_at: datetime, meter_stop: int) -> list[Unmatched]:
    """Let kept stops be nobody's again, but for one with this time and register. Returns them."""
    released = [
        kept
        for kept in q.list_stops_of_transaction(transaction_id=transaction_id)
        if (kept.stopped_at, kept.meter_stop) != (as_stored(stopped_at), meter_stop)
    ]
    for kept in released:
        q.set_transaction_of_stop(id=kept.id, transaction_id=None)
    return released


def told_again(occasion: Occasion, kept: Unmatched) -> RecordUnmatched:
    """What tells that a kept stop is nobody's again."""
    return _kept(occasion, kept.kind, kept.claimed_transaction_id)


def _kept(occasion: Occasion, kind: UnmatchedKind, claimed_transaction_id: int) -> RecordUnmatched:
    return RecordUnmatched(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=kind.value,
        claimed_transaction_id=claimed_transaction_id,
    )


def delete(q: Queries, unmatched_id: int) -> None:
    """Delete a record for good. Raises Unknown."""
    if not q.delete_unmatched(id=unmatched_id):
        raise Unknown(nothing_unmatched(unmatched_id))
