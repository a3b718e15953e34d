"""What a person says that a transaction took, in place of what its charger or the evidence says."""

from __future__ import annotations

from mcpp.domain.energy import counted_wh, hold_total, keep_superseded
from mcpp.domain.errors import Conflict, Unknown, no_transaction
from mcpp.domain.events import TransactionCorrected
from mcpp.domain.occasion import OperatorOccasion, Result
from mcpp.phrases import Phrase
from mcpp_generated.db.queries import Queries


def correct(
    q: Queries, occasion: OperatorOccasion, transaction_id: int, energy_wh: int, note: str, who: str
) -> Result[None]:
    """Let an energy in Wh count for an ended transaction; what was booked is kept, and so are earlier corrections.

    It goes on counting where the charger's own stop comes later. Raises Unknown, or Conflict where it hasn't ended.
    """
    transaction = q.find_transaction(id=transaction_id)
    record = q.get_transaction(transaction_id=transaction_id)
    if transaction is None or record is None:
        raise Unknown(no_transaction(transaction_id))
    if transaction.stopped_at is None:
        raise Conflict(Phrase("transaction {number} runs: correct it once it has ended", number=transaction_id))
    replaced = counted_wh(record)
    keep_superseded(q, transaction, occasion.at)
    correction_id = q.add_correction(
        transaction_id=transaction_id, energy_wh=energy_wh, note=note, who=who, corrected_at=occasion.at
    )
    q.set_correction(id=transaction_id, correction_id=correction_id)
    if energy_wh < (replaced or 0):
        hold_total(q, transaction, replaced or 0)
    q.book_energy(key=transaction.charge_point_key, wh=energy_wh - (replaced or 0), last_tx_stop_at=None)
    event = TransactionCorrected(
        charge_point_id=record.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction_id,
        connector_id=record.connector_id,
        id_tag=record.id_tag,
        energy_wh=energy_wh,
        replaced_wh=replaced,
        note=note,
        who=who,
        evse_id=record.evse_id,
    )
    return Result(None, (event,))
