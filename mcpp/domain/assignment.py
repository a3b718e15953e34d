"""An operator says to which transaction an unmatched stop or unmatched meter values belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mcpp.domain import unmatched
from mcpp.domain.chronology import is_past_start
from mcpp.domain.closing import Stop, close_by_assignment
from mcpp.domain.errors import Conflict, Unknown, no_transaction, nothing_unmatched
from mcpp.domain.events import Event
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import file_samples
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.domain.samples import Sample
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class Content:
    """What an unmatched message reports."""

    stop: Stop | None
    """None where it holds meter values only."""
    samples: Sequence[Sample]


ReadContent: TypeAlias = Callable[[str, UnmatchedKind, str], Content]
"""Reads a stored payload, by the OCPP version that it is in."""


def assign(
    q: Queries, occasion: OperatorOccasion, unmatched_id: int, transaction_id: int, read: ReadContent
) -> Result[None]:
    """File an unmatched message with a transaction of the same charge point: samples are added, a stop closes it.

    A stop is kept with it, in case that the charger sends one that names the transaction. Raises Unknown; Conflict
    where the transaction is another charge point's, or was stopped by its charger, naming it.
    """
    kept = q.get_unmatched(id=unmatched_id)
    if kept is None:
        raise Unknown(nothing_unmatched(unmatched_id))
    transaction = q.find_transaction(id=transaction_id)
    record = q.get_transaction(transaction_id=transaction_id)
    if transaction is None or record is None:
        raise Unknown(no_transaction(transaction_id))
    if record.charge_point_id != kept.charge_point_id:
        raise Conflict(
            Phrase(
                "transaction {number} is of {charger!r}, not {other!r}",
                number=transaction_id,
                charger=record.charge_point_id,
                other=kept.charge_point_id,
            )
        )
    about = occasion.about(transaction.charge_point_key, record.charge_point_id)
    memory = Memory()
    content = read(kept.ocpp_version, kept.kind, kept.payload)
    events: tuple[Event, ...] = ()
    # A person says so: that is as good as the charger's naming it.
    file_samples(q, about, transaction, content.samples, Origin.NAMED, memory)
    if content.stop is not None:
        connector = q.find_connector(key=transaction.connector_key)
        historic = connector is not None and is_past_start(
            connector, transaction.started_at, transaction.start_received_at
        )
        stopped = close_by_assignment(q, about, transaction, content.stop, historic=historic)
        released = unmatched.release_stops(q, transaction.id, stopped.stopped_at, stopped.meter_stop)
        q.set_transaction_of_stop(id=unmatched_id, transaction_id=transaction.id)
        events = (stopped, *(unmatched.told_again(about, kept) for kept in released))
    else:
        q.delete_unmatched(id=unmatched_id)
    return Result(None, events)
