"""Stops and meter values that were kept aside: an operator says where they belong, or that they belong nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mcpp.domain.closing import Stop, close_by_assignment
from mcpp.domain.errors import Conflict, Unknown
from mcpp.domain.events import Event
from mcpp.domain.meter_values import add_transaction_samples, file_samples
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.domain.samples import Sample
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class Content:
    """What a message that was kept aside reports."""

    stop: Stop | None
    """None where it holds meter values only."""
    samples: Sequence[Sample]


ReadContent: TypeAlias = Callable[[UnmatchedKind, str], Content]
"""Reads a stored payload; given by the OCPP version that stored it."""


def assign(
    q: Queries, occasion: OperatorOccasion, unmatched_id: int, transaction_id: int, read: ReadContent
) -> Result[None]:
    """File what was kept aside with a transaction of the same charge point: samples are added, a stop closes it.

    Raises Unknown; Conflict where the transaction is another charge point's, or was stopped by its charger.
    """
    kept = q.get_unmatched(id=unmatched_id)
    if kept is None:
        raise Unknown(f"nothing unmatched has the id {unmatched_id}")
    transaction = q.find_transaction(id=transaction_id)
    record = q.get_transaction(transaction_id=transaction_id)
    if transaction is None or record is None:
        raise Unknown(f"no transaction has the id {transaction_id}")
    if record.charge_point_id != kept.charge_point_id:
        raise Conflict(f"transaction {transaction_id} is of {record.charge_point_id!r}, not {kept.charge_point_id!r}")
    about = occasion.about(transaction.charge_point_id, record.charge_point_id)
    content = read(kept.kind, kept.payload)
    events: tuple[Event, ...] = ()
    if content.stop is not None:
        events = (close_by_assignment(q, about, transaction, content.stop),)
        add_transaction_samples(q, about, transaction.id, content.samples, {})
    else:
        file_samples(q, about, transaction, content.samples, {}, {})
    q.delete_unmatched(id=unmatched_id)
    return Result(None, events)


def delete(q: Queries, unmatched_id: int) -> None:
    """Forget what was kept aside. Raises Unknown."""
    if not q.delete_unmatched(id=unmatched_id):
        raise Unknown(f"nothing unmatched has the id {unmatched_id}")
