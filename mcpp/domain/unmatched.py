"""Stops and meter values that belong to no known transaction: kept whole until an operator says where they belong."""

from __future__ import annotations

from mcpp.domain.errors import Unknown
from mcpp.domain.events import RecordUnmatched
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries


def keep(
    q: Queries, occasion: Occasion, kind: UnmatchedKind, claimed_transaction_id: int, message: OriginalMessage
) -> tuple[RecordUnmatched, ...]:
    """Store a message whole, in its version's spelling; a repeat changes nothing and makes no event."""
    added = q.add_unmatched(
        charge_point_key=occasion.charge_point_key,
        kind=kind,
        ocpp_version=message.ocpp_version,
        claimed_transaction_id=claimed_transaction_id,
        payload=message.as_json(),
        received_at=occasion.at,
    )
    if not added:
        return ()
    event = RecordUnmatched(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        kind=kind.value,
        claimed_transaction_id=claimed_transaction_id,
    )
    return (event,)


def delete(q: Queries, unmatched_id: int) -> None:
    """Delete a record for good. Raises Unknown."""
    if not q.delete_unmatched(id=unmatched_id):
        raise Unknown(f"nothing unmatched has the id {unmatched_id}")
