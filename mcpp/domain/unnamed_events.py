"""Events of transactions that name none, and tokens that are written in more than one way."""

from __future__ import annotations

from dataclasses import replace

from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.event_merging import TransactionEvent
from mcpp.domain.id_tags import contract_spelling
from mcpp.domain.memory import NO_EVSE, Memory
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.transaction_events import Recorded, record_event
from mcpp_generated.db.queries import Queries


def record_odd_event(
    q: Queries,
    occasion: Occasion,
    event: TransactionEvent,
    policy: AuthorizationPolicy,
    memory: Memory,
    *,
    has_contract: bool,
    publishes: bool = True,
) -> Result[Recorded]:
    """As `record_event`, of an event without its transaction's id, or whose token is the id of a contract.

    Without an id it's of the transaction that runs on the EVSE, else of one that is named here. A contract's id is the
    same with dashes and without.
    """
    if has_contract and event.id_tag:
        event = replace(event, id_tag=contract_spelling(q, event.id_tag))
    if not event.ocpp_transaction_id:
        event = replace(event, ocpp_transaction_id=_running(q, occasion.charge_point_key, event) or _made_up(event))
    return record_event(q, occasion, event, policy, memory, publishes=publishes)


def _running(q: Queries, charge_point_key: int, event: TransactionEvent) -> str | None:
    """The transaction that runs on the event's EVSE, or the only one of the charge point where it names none."""
    evse_id = event.evse_id or NO_EVSE
    if evse_id != NO_EVSE:
        running = q.list_open_on_evse(charge_point_key=charge_point_key, evse_id=evse_id)
    else:
        running = q.find_open_on_charge_point(charge_point_key=charge_point_key)
    return running[-1].ocpp_transaction_id if len(running) == 1 or (running and evse_id != NO_EVSE) else None


def _made_up(event: TransactionEvent) -> str:
    """An id for what has none; the same for a repeat."""
    return f"unnamed {event.happened_at:%Y-%m-%dT%H:%M:%S}Z"
