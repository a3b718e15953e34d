"""Where a transaction that is reported by events lives, and what its coming there does to its EVSE."""

from __future__ import annotations

from typing import NamedTuple

from mcpp.domain import reservations
from mcpp.domain.chronology import believable, is_older
from mcpp.domain.closing import close_by_evidence
from mcpp.domain.event_merging import TransactionEvent
from mcpp.domain.events import Event, ReservationChanged
from mcpp.domain.evses import connectors_of, resolve
from mcpp.domain.memory import NO_EVSE, WHOLE, Memory
from mcpp.domain.occasion import Occasion
from mcpp.domain.recovery import weigh_start
from mcpp.domain.succession import close_left_open, mend_previous, past_evidence
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries


class Placing(NamedTuple):
    """A transaction that came to its connector."""

    transaction: Transaction
    connector: Connector
    """As it was before."""
    is_past: bool
    """Its EVSE has told of a later one already."""


def begin(q: Queries, occasion: Occasion, event: TransactionEvent, memory: Memory) -> Placing:
    """Store a transaction that nothing was known of, with what every one has; what the event adds is merged later."""
    connector = _connector_for(q, occasion, event, memory)
    is_past = _is_past(q, occasion, connector, event)
    left_open = [] if is_past else _others(q, occasion, connector, None)
    session = None if is_past or connector.evse_id == NO_EVSE else connector.session_correlation_id
    if session is None or any(other.session_correlation_id == session for other in left_open):
        session = occasion.new_correlation_id()
    transaction = q.add_told_transaction(
        charge_point_key=occasion.charge_point_key,
        connector_key=connector.key,
        evse_id=connector.evse_id,
        connector_id=connector.connector_id,
        ocpp_transaction_id=event.ocpp_transaction_id,
        started_at=event.happened_at,
        start_received_at=occasion.at,
        session_correlation_id=session,
    )
    q.add_transaction_state(transaction_id=transaction.id)
    q.stamp_transaction_start(key=occasion.charge_point_key, last_tx_start_at=occasion.at)
    return Placing(transaction, connector, is_past)


def move(
    q: Queries, occasion: Occasion, transaction: Transaction, event: TransactionEvent, memory: Memory
) -> Placing | None:
    """Bring a transaction to the connector that an event names, where it isn't there yet; None where it stays.

    An EVSE that is known stays the same, whatever later events say; its connector is the one that was named last.
    """
    if event.evse_id is None or event.evse_id <= NO_EVSE:
        return None
    if transaction.evse_id not in {NO_EVSE, event.evse_id}:
        return None
    if transaction.evse_id == event.evse_id and event.connector_id in {None, WHOLE, transaction.connector_id}:
        return None
    connector = _connector_for(q, occasion, event, memory)
    if connector.key == transaction.connector_key:
        return None
    session = transaction.session_correlation_id
    is_new_here = transaction.evse_id == NO_EVSE
    is_past = is_new_here and _is_past(q, occasion, connector, event, began_with=transaction)
    if is_new_here and not is_past and transaction.stopped_at is None and connector.session_correlation_id is not None:
        taken = {other.session_correlation_id for other in _others(q, occasion, connector, transaction)}
        session = connector.session_correlation_id if connector.session_correlation_id not in taken else session
    q.move_transaction(
        id=transaction.id,
        connector_key=connector.key,
        evse_id=connector.evse_id,
        connector_id=connector.connector_id,
        session_correlation_id=session,
    )
    if not is_new_here:
        q.end_connector_session(key=transaction.connector_key, session_correlation_id=session)
    moved = transaction._replace(
        connector_key=connector.key,
        evse_id=connector.evse_id,
        connector_id=connector.connector_id,
        session_correlation_id=session,
    )
    return Placing(moved, connector, is_past)


def settle(q: Queries, occasion: Occasion, transaction: Transaction, placing: Placing, *, ends: bool) -> list[Event]:
    """Let an open transaction take its EVSE, and what was left open there end; a past one is over itself.

    `transaction` is as it's known by now; with `ends`, its end is about to be stored anyway.
    """
    if transaction.evse_id == NO_EVSE:
        return []
    if placing.is_past:
        happened: list[Event] = []
        if not ends:
            recovered = close_by_evidence(q, occasion, transaction, past_evidence(q, transaction), historic=True)
            happened += [] if recovered is None else [recovered]
        mended = mend_previous(q, occasion, transaction.connector_key, transaction.started_at, transaction.meter_start)
        return happened + ([] if mended is None else [mended])
    happened = []
    for other in _others(q, occasion, placing.connector, transaction):
        happened += close_left_open(q, occasion, other, transaction.started_at, transaction.meter_start)
    if not ends:
        weigh_start(q, occasion, placing.connector, transaction.id, transaction.started_at)
    q.begin_connector_session(
        key=transaction.connector_key,
        session_correlation_id=transaction.session_correlation_id,
        began_at=believable(transaction.started_at, occasion.at),
    )
    return happened


def use_reservation(q: Queries, occasion: Occasion, transaction: Transaction) -> tuple[ReservationChanged, ...]:
    """Record that a transaction began on a reservation, once its token and its EVSE are known."""
    if not transaction.id_tag or transaction.evse_id == NO_EVSE:
        return ()
    if q.find_reservation_of_transaction(transaction_id=transaction.id) is not None:
        return ()
    return reservations.use(
        q,
        occasion,
        transaction.id,
        connector_id=transaction.connector_id,
        id_tag=transaction.id_tag,
        started_at=transaction.started_at,
        named=transaction.reservation_id,
        evse_id=transaction.evse_id,
    )


def _connector_for(q: Queries, occasion: Occasion, event: TransactionEvent, memory: Memory) -> Connector:
    """Of an EVSE too many, or of none, the station as a whole."""
    key = occasion.charge_point_key
    evse_id, connector_id = resolve(q, key, event.evse_id or NO_EVSE, event.connector_id)
    place = memory.place_in_bounds(q, key, connector_id, evse_id)
    return (place or memory.place(q, key, WHOLE)).connector


def _is_past(
    q: Queries,
    occasion: Occasion,
    connector: Connector,
    event: TransactionEvent,
    *,
    began_with: Transaction | None = None,
) -> bool:
    """Whether its EVSE has told of a transaction that began after this one."""
    if connector.evse_id == NO_EVSE:
        return False
    told = [
        known.newest_start_at
        for known in connectors_of(q, occasion.charge_point_key, connector.evse_id)
        if known.newest_start_at is not None
    ]
    began_at = event.happened_at if began_with is None else max(began_with.started_at, event.happened_at)
    return is_older(believable(began_at, occasion.at), max(told, default=None))


def _others(q: Queries, occasion: Occasion, connector: Connector, than: Transaction | None) -> list[Transaction]:
    """What else is open on an EVSE."""
    if connector.evse_id == NO_EVSE:
        return []
    running = q.list_open_on_evse(charge_point_key=occasion.charge_point_key, evse_id=connector.evse_id)
    return [other for other in running if than is None or other.id != than.id]
