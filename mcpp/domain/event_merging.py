"""What each event adds to what is known of its transaction: its start, its register, its token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mcpp.domain.closing import Cause, close_by_evidence, last_evidence
from mcpp.domain.energy import keep_superseded
from mcpp.domain.events import Event
from mcpp.domain.evse_states import ChargingState
from mcpp.domain.memory import WHOLE, ToldTransaction, as_stored
from mcpp.domain.occasion import Occasion
from mcpp.domain.rebilling import amend_end
from mcpp.domain.samples import Sample
from mcpp.domain.statuses import StopReason
from mcpp.domain.told_registers import begin_of, first_register, last_register, tells_of_start
from mcpp_generated.db.enums import EventKind, StopOrigin
from mcpp_generated.db.models import Transaction, TransactionState
from mcpp_generated.db.queries import Queries

_LONGEST_REASON = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEvent:
    """What a charger tells of a transaction (OCPP 2.0.1 TransactionEventRequest)."""

    kind: EventKind
    ocpp_transaction_id: str
    """The charger's own, of up to 36 characters."""
    happened_at: datetime
    seq_no: int
    trigger_reason: str
    """In the charger's words: nothing is concluded from it."""
    is_offline: bool = False
    """It happened while the charger was offline, as it says."""
    evse_id: int | None = None
    connector_id: int | None = None
    id_tag: str | None = None
    """The token; None where the event has none, '' where the charger says that none is needed."""
    id_tag_type: str | None = None
    charging_state: ChargingState | None = None
    stop_reason: StopReason | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    samples: Sequence[Sample] = ()

    def in_bounds(self, largest: int) -> TransactionEvent:
        """The same with numbers and texts that can be stored: an event is never rejected."""
        told = (self.seq_no, self.evse_id, self.connector_id, self.remote_start_id, self.reservation_id)
        numbers = [number for number in told if number is not None]
        if all(0 <= number <= largest for number in numbers) and len(self.trigger_reason) <= _LONGEST_REASON:
            return self

        def kept(number: int | None) -> int | None:
            return number if number is not None and 0 <= number <= largest else None

        return replace(
            self,
            seq_no=min(max(self.seq_no, 0), largest),
            evse_id=kept(self.evse_id),
            connector_id=kept(self.connector_id),
            remote_start_id=kept(self.remote_start_id),
            reservation_id=kept(self.reservation_id),
            trigger_reason=self.trigger_reason[:_LONGEST_REASON],
        )


def merge(q: Queries, occasion: Occasion, transaction: Transaction, event: TransactionEvent) -> Transaction:
    """Store what an event adds, which is noted already; returns the transaction as it's known by now."""
    transaction = _merge_start(q, transaction, event)
    state = q.get_transaction_state(transaction_id=transaction.id)
    assert state is not None, "it was begun with one"
    transaction = _merge_register(q, transaction, state, event.samples)
    if event.id_tag:
        transaction = _merge_token(q, occasion, transaction, state, event)
    if event.reservation_id is not None and transaction.reservation_id is None:
        q.set_reservation_of_transaction(id=transaction.id, reservation_id=event.reservation_id)
        transaction = transaction._replace(reservation_id=event.reservation_id)
    if event.remote_start_id is not None and state.remote_start_id is None:
        q.set_remote_start(transaction_id=transaction.id, remote_start_id=event.remote_start_id)
    _merge_charging_state(q, state, event)
    return transaction


def find_transaction(q: Queries, occasion: Occasion, event: TransactionEvent) -> Transaction | None:
    """The transaction that an event tells of; None where it's the first that does.

    Ids shall be unique (E01), but some charge points count from 1 again: an event belongs to the last transaction of
    its id that had begun by then. A beginning that comes after the end of one whose beginning is known is another's.
    """
    of_id = q.list_transactions_by_ocpp_id(
        charge_point_key=occasion.charge_point_key, ocpp_transaction_id=event.ocpp_transaction_id
    )
    known = next((it for it in of_id if it.started_at <= event.happened_at), of_id[-1] if of_id else None)
    if known is None or event.kind is not EventKind.STARTED:
        return known
    if known.stopped_at is None or event.happened_at <= known.stopped_at:
        return known
    began_at = q.find_started_event(transaction_id=known.id)
    return known if began_at is None or event.happened_at <= began_at else None


def adds_nothing(known: ToldTransaction, event: TransactionEvent) -> bool:
    """Whether an event says nothing of an open transaction but its samples and what is known: most events do."""
    transaction, state = known.transaction, known.state
    return (
        event.kind is EventKind.UPDATED
        and event.id_tag is None
        and event.reservation_id is None
        and event.remote_start_id in {None, state.remote_start_id}
        and event.evse_id in {None, transaction.evse_id}
        and event.connector_id in {None, WHOLE, transaction.connector_id}
        and (event.charging_state is None or event.charging_state == state.charging_state)
        and event.happened_at >= transaction.started_at
        and transaction.suspicion is None
        and not tells_of_start(event.samples, state.meter_start_basis, state.meter_start_at)
    )


def may_use_reservation(event: TransactionEvent, *, is_placed: bool) -> bool:
    """Whether an event brings news by which a reservation may turn out to be used."""
    return is_placed or bool(event.id_tag) or event.reservation_id is not None


def amend(
    q: Queries, occasion: Occasion, before: Transaction, now: Transaction, event: TransactionEvent
) -> Iterator[Event]:
    """Let an event count that came after the end; `now` is the transaction with what the event has added."""
    is_start_mended = (before.started_at, before.meter_start) != (now.started_at, now.meter_start)
    if not is_start_mended and not event.samples:
        return
    amended: Event | None = None
    if now.stop_origin is StopOrigin.CHARGER:
        assert now.stopped_at is not None
        amended = amend_end(q, occasion, before, now, last_register(q, now, now.stopped_at))
    elif now.stop_origin is StopOrigin.RECOVERED and is_start_mended:
        cause = Cause(str(json.loads(now.evidence or "{}").get("cause", Cause.NEXT_START)))
        amended = close_by_evidence(q, occasion, now, last_evidence(q, now, cause), historic=True)
    if amended is not None:
        yield amended


def _merge_start(q: Queries, transaction: Transaction, event: TransactionEvent) -> Transaction:
    """Its beginning says when it was; until that has come, the earliest time that was told."""
    told = [event.happened_at, *filter(None, [begin_of(event.samples)])]
    earliest = min(as_stored(moment) for moment in told)
    if event.kind is not EventKind.STARTED and earliest >= transaction.started_at:
        return transaction
    began_at = q.find_started_event(transaction_id=transaction.id)
    if began_at is None:
        began_at = min(earliest, transaction.started_at)
    if began_at == transaction.started_at:
        return transaction
    q.set_transaction_start(id=transaction.id, started_at=began_at)
    return transaction._replace(started_at=began_at)


def _merge_register(
    q: Queries, transaction: Transaction, state: TransactionState, samples: Sequence[Sample]
) -> Transaction:
    first = first_register(samples)
    if first is None:
        return transaction
    at = as_stored(first.at)
    if (
        state.meter_start_at is not None
        and state.meter_start_basis is not None
        and (state.meter_start_basis, state.meter_start_at) <= (first.basis, at)
    ):
        return transaction
    q.set_meter_start_basis(transaction_id=transaction.id, meter_start_at=at, meter_start_basis=first.basis)
    if first.wh == transaction.meter_start:
        return transaction
    q.set_meter_start(id=transaction.id, meter_start=first.wh)
    return transaction._replace(meter_start=first.wh)


def _merge_token(
    q: Queries, occasion: Occasion, transaction: Transaction, state: TransactionState, event: TransactionEvent
) -> Transaction:
    """The first token that was told, whichever came first."""
    first = q.find_first_token(transaction_id=transaction.id)
    id_tag, id_tag_type = (event.id_tag or "", event.id_tag_type or "") if first is None else first
    if state.id_tag_type != id_tag_type:
        q.set_token_type(transaction_id=transaction.id, id_tag_type=id_tag_type)
    if id_tag.casefold() == transaction.id_tag.casefold():
        return transaction
    if transaction.id_tag:
        keep_superseded(q, transaction, occasion.at)
    q.set_transaction_token(id=transaction.id, id_tag=id_tag, known_at=occasion.at)
    received_at = None if transaction.stopped_at is None else as_stored(occasion.at)
    return transaction._replace(id_tag=id_tag, stop_received_at=received_at)


def _merge_charging_state(q: Queries, state: TransactionState, event: TransactionEvent) -> None:
    if event.charging_state is None:
        return
    at = as_stored(event.happened_at)
    newest_at = q.find_newest_state_at(transaction_id=state.transaction_id)
    if max(filter(None, (newest_at, state.charging_state_at)), default=at) <= at:
        q.set_charging_state(
            transaction_id=state.transaction_id, charging_state=event.charging_state.value, charging_state_at=at
        )
