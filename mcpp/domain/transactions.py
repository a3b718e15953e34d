"""Transactions: begun once, ended once, whatever the charger repeats, loses or forgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mcpp.domain import reservations, unmatched
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, authorize, authorize_start
from mcpp.domain.closing import Stop, close_by_charger, close_by_evidence, evidence_of_next_start
from mcpp.domain.events import Event, TransactionStarted
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import file_samples
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.recovery import weigh_repeated_start, weigh_start
from mcpp.domain.samples import Sample
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class StartTransaction:
    """What a StartTransaction reports (OCPP 1.6 §6.45)."""

    connector_id: int
    id_tag: str
    meter_start: int
    started_at: datetime
    reservation_id: int | None


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a StartTransaction: always an id, since the charger may be charging already."""

    transaction_id: int
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class StopTransaction:
    """What a StopTransaction reports (OCPP 1.6 §6.49)."""

    transaction_id: int
    stop: Stop
    samples: Sequence[Sample]
    """Its transactionData."""
    original: OriginalMessage


@dataclass(frozen=True, slots=True)
class Stopped:
    """The answer to a StopTransaction: a verdict where the charger named an id tag."""

    authorization: Authorization | None


def start_transaction(
    q: Queries, occasion: Occasion, command: StartTransaction, policy: AuthorizationPolicy, memory: Memory
) -> Result[Started]:
    """Store a start. A repeat gets the same id; what is still open on the connector is closed in the same write.

    No reservation refuses a start: the charge point enforces them, and may be charging already.
    """
    place = memory.place(q, occasion.charge_point_key, command.connector_id)
    connector = place.connector
    repeated = q.find_start(
        connector_key=connector.key,
        started_at=command.started_at,
        id_tag=command.id_tag,
        meter_start=command.meter_start,
    )
    if repeated is not None:
        weigh_repeated_start(q, occasion, repeated)
        verdict = authorize_start(
            q, occasion.charge_point_key, command.id_tag, occasion.at, policy, own_transaction_id=repeated.id
        )
        return Result(Started(repeated.id, verdict), session=_session_of(repeated))
    left_open = place.running(q)
    recovered = _close_left_open(q, occasion, left_open, command) if left_open else ()
    session = connector.session_correlation_id
    if session is None or (left_open is not None and left_open.session_correlation_id == session):
        session = occasion.new_correlation_id()
    transaction_id = q.add_transaction(
        charge_point_key=occasion.charge_point_key,
        connector_key=connector.key,
        connector_id=command.connector_id,
        id_tag=command.id_tag,
        reservation_id=command.reservation_id,
        meter_start=command.meter_start,
        started_at=command.started_at,
        start_received_at=occasion.at,
        session_correlation_id=session,
    )
    weigh_start(q, occasion, connector, transaction_id, command.started_at)
    q.set_connector_session(key=connector.key, session_correlation_id=session)
    q.stamp_transaction_start(key=occasion.charge_point_key, last_tx_start_at=occasion.at)
    started = TransactionStarted(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction_id,
        connector_id=command.connector_id,
        id_tag=command.id_tag,
        meter_start=command.meter_start,
        started_at=command.started_at,
        session_correlation_id=session,
    )
    used: tuple[Event, ...] = ()
    if command.reservation_id is not None:
        used = reservations.use(q, occasion, command.reservation_id, transaction_id)
    verdict = authorize_start(
        q, occasion.charge_point_key, command.id_tag, occasion.at, policy, own_transaction_id=transaction_id
    )
    return Result(
        Started(transaction_id, verdict), (*recovered, started, *used), ChargingSession(session, transaction_id)
    )


def _close_left_open(
    q: Queries, occasion: Occasion, left_open: Transaction, command: StartTransaction
) -> tuple[Event, ...]:
    """A connector has one transaction at a time: the start of the next proves that the last one is over."""
    evidence = evidence_of_next_start(
        q,
        left_open,
        next_meter_start=command.meter_start,
        next_started_at=command.started_at,
        received_at=occasion.at,
    )
    event = close_by_evidence(q, occasion, left_open, evidence)
    return (event,) if event else ()


def stop_transaction(
    q: Queries,
    occasion: Occasion,
    command: StopTransaction,
    policy: AuthorizationPolicy,
    memory: Memory,
) -> Result[Stopped]:
    """Store a stop with its samples. A repeat changes nothing; one that belongs to no transaction is kept aside."""
    tag = command.stop.id_tag
    verdict = None if tag is None else authorize(q, occasion.charge_point_key, tag, occasion.at, policy)
    transaction = _transaction_to_stop(q, occasion.charge_point_key, command)
    if transaction is None:
        kind, claimed = UnmatchedKind.STOP, command.transaction_id
        return Result(Stopped(verdict), unmatched.keep(q, occasion, kind, claimed, command.original))
    if command.samples:
        file_samples(q, occasion, transaction, command.samples, Origin.NAMED, memory)
    stopped = close_by_charger(q, occasion, transaction, command.stop, memory)
    if stopped is None:
        return Result(Stopped(verdict), session=_session_of(transaction))
    q.end_connector_session(key=transaction.connector_key, session_correlation_id=transaction.session_correlation_id)
    return Result(Stopped(verdict), (stopped,), _session_of(transaction))


def _session_of(transaction: Transaction) -> ChargingSession:
    return ChargingSession(transaction.session_correlation_id, transaction.id)


def _transaction_to_stop(q: Queries, charge_point_key: int, command: StopTransaction) -> Transaction | None:
    """The transaction of that id, if it's this charger's; else the one that fits, where only one does."""
    named = q.find_transaction(id=command.transaction_id)
    if named is not None and named.charge_point_key == charge_point_key:
        return named
    stop = command.stop
    repeated = q.find_stop(charge_point_key=charge_point_key, stopped_at=stop.stopped_at, meter_stop=stop.meter_stop)
    if repeated is not None:
        return repeated
    fitting = [
        transaction
        for transaction in q.find_open_on_charge_point(charge_point_key=charge_point_key)
        if transaction.started_at <= stop.stopped_at
        and (stop.id_tag is None or stop.id_tag.casefold() == transaction.id_tag.casefold())
    ]
    return fitting[0] if len(fitting) == 1 else None
