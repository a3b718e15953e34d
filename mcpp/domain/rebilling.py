"""What counts for a transaction that its charger has ended already, once more of it becomes known."""

from __future__ import annotations

import json

from pydantic import JsonValue

from mcpp.domain.closing import Stop, bill_of_told_stop, evidence_of_stop, stopped_event
from mcpp.domain.energy import book_energy, counted_before, keep_superseded
from mcpp.domain.events import TransactionStopped
from mcpp.domain.occasion import Occasion
from mcpp.domain.statuses import StopReason
from mcpp_generated.db.enums import StopMatch, StopOrigin
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries


def rebill_by_values(q: Queries, occasion: Occasion, transaction: Transaction) -> TransactionStopped | None:
    """Let values count that came after the stop, where that alone said too little; None where they change nothing.

    That is where the stop's register couldn't be believed, said that nothing was taken, or was weighed against values.
    """
    is_open_to_values = transaction.implausible_reason or not transaction.energy_wh or transaction.evidence
    if transaction.stop_origin is not StopOrigin.CHARGER or not is_open_to_values:
        return None
    assert transaction.meter_stop is not None
    return amend_end(q, occasion, transaction, transaction, transaction.meter_stop)


def amend_end(
    q: Queries, occasion: Occasion, before: Transaction, now: Transaction, meter_stop: int
) -> TransactionStopped | None:
    """Let a transaction's end count by all that is known of it now; None where that comes to the same.

    `before` is the ended transaction as it was, `now` with the start that is known by now, `meter_stop` in Wh.
    """
    stopped_at, received_at = now.stopped_at, now.stop_received_at
    assert stopped_at is not None
    assert received_at is not None
    stop = Stop(meter_stop, stopped_at, now.stop_id_tag, StopReason(now.stop_reason or StopReason.LOCAL))
    bill = bill_of_told_stop(q, received_at, now, stop)
    if (meter_stop, bill.energy_wh, bill.implausible) == (
        before.meter_stop,
        before.energy_wh,
        before.implausible_reason,
    ):
        return None
    guess = None
    if before.stop_match is StopMatch.GUESSED:
        told: dict[str, JsonValue] = json.loads(before.evidence or "{}")
        guess = {name: fact for name, fact in told.items() if name not in {"cause", "source", "distrust", "values_wh"}}
    evidence = evidence_of_stop(stop, bill, guess)
    counted_so_far = counted_before(q, before)
    keep_superseded(q, before, occasion.at)
    q.amend_transaction(
        id=now.id,
        meter_stop=meter_stop,
        energy_wh=bill.energy_wh,
        implausible_reason=bill.implausible,
        evidence=evidence,
    )
    counted = book_energy(q, before, bill.counted_wh, counted_so_far, None)
    ended = now._replace(meter_stop=before.meter_stop, stopped_at=before.stopped_at, stop_origin=before.stop_origin)
    kind, origin = TransactionStopped, StopOrigin.CHARGER
    return stopped_event(occasion, ended, stop, bill, kind, origin, evidence, counted, counted_so_far, historic=True)
