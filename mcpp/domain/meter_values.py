"""Meter values: filed with the transaction of their time, stored once however often they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcpp.domain import unmatched
from mcpp.domain.energy import hold_total
from mcpp.domain.events import Event, MeterValuesReceived
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import NO_EVSE, Memory, Place, as_stored
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.readings import Added, KindId, add_readings, moments_of, store_at_connector
from mcpp.domain.rebilling import rebill_by_values
from mcpp.domain.recovery import weigh_meter_values
from mcpp.domain.samples import Sample, SampleKind
from mcpp.domain.stop_matching import is_named_by_our_id, is_our_id
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class RecordMeterValues:
    """What a MeterValues message reports (OCPP 1.6 §6.31)."""

    connector_id: int
    claimed_transaction_id: int
    """As the charger says; 0 where it names none."""
    samples: Sequence[Sample]
    original: OriginalMessage | None
    """What is kept aside where the transaction is another's; None where none is claimed."""
    evse_id: int = NO_EVSE

    @property
    def usable_id(self) -> int:
        """The same; 0 where no transaction of ours can have it."""
        return self.claimed_transaction_id if is_our_id(self.claimed_transaction_id) else 0


def record_meter_values(
    q: Queries, occasion: Occasion, command: RecordMeterValues, memory: Memory, *, publishes: bool = True
) -> Result[None]:
    """Store meter values with the transaction they belong to, else with the connector, else aside.

    Where it doesn't publish, nobody wants a MeterValuesReceived, and none is made.
    """
    if not command.samples:
        return Result(None)
    if not memory.allows(occasion, command.samples):
        return memory.counted(Result(None))
    place = memory.place_in_bounds(q, occasion.charge_point_key, command.connector_id, command.evse_id)
    if place is None:
        return memory.counted(Result(None))
    return memory.counted(_record(q, occasion, command, place, memory, publishes=publishes))


def _record(
    q: Queries, occasion: Occasion, command: RecordMeterValues, place: Place, memory: Memory, *, publishes: bool
) -> Result[None]:
    transaction = _transaction_of(q, occasion.charge_point_key, place, command)
    energy_wh: int | None = None
    foreign: int | None = None
    kept: tuple[Event, ...] = ()
    if transaction is not None:
        is_doubted = transaction.suspicion_at is not None or transaction.stop_origin is StopOrigin.RECOVERED
        if is_doubted and weigh_meter_values(q, occasion, transaction, command.samples):
            memory.forget(occasion.charge_point_key)
        origin = _origin_of(command, place, transaction)
        energy_wh = file_samples(q, occasion, transaction, command.samples, origin, memory)
        if transaction.stopped_at is not None:
            rebilled = rebill_by_values(q, occasion, transaction)
            if rebilled is not None:
                memory.forget(occasion.charge_point_key)
                kept = (rebilled,)
    elif command.usable_id > 0:
        # Another central system's, as it may be: kept aside, and shown.
        foreign = command.usable_id
        assert command.original is not None, "it claims a transaction"
        kept = unmatched.keep_meter_values(q, occasion, foreign, command.original, memory)
    else:
        kind_id = _kind_ids(q, occasion.charge_point_key, memory)
        store_at_connector(q, place.connector.key, command.samples, occasion.at, kind_id)
    session = None if foreign is not None else _session_of(place.connector, transaction)
    if not publishes:
        return Result(None, kept, session)
    event = MeterValuesReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        connector_id=command.connector_id,
        transaction_id=transaction.id if transaction else None,
        session_correlation_id=session and session.correlation_id,
        samples=command.samples,
        energy_wh=energy_wh,
        historic=transaction is not None and transaction.stopped_at is not None,
        foreign_transaction_id=foreign,
        evse_id=command.evse_id,
    )
    return Result(None, (*kept, event), session)


def _session_of(connector: Connector, transaction: Transaction | None) -> ChargingSession | None:
    if transaction is not None:
        return ChargingSession(transaction.session_correlation_id, transaction.id)
    return ChargingSession(connector.session_correlation_id) if connector.session_correlation_id else None


def _origin_of(command: RecordMeterValues, place: Place, transaction: Transaction) -> Origin:
    if command.claimed_transaction_id != transaction.id:
        return Origin.UNNAMED
    return Origin.NAMED if transaction.connector_key == place.connector.key else Origin.ELSEWHERE


def file_samples(
    q: Queries,
    occasion: Occasion,
    transaction: Transaction,
    samples: Sequence[Sample],
    origin: Origin,
    memory: Memory,
) -> int | None:
    """Store samples of a transaction; what it has taken so far, in Wh, where it's open and they speak of energy."""
    moments = moments_of(samples, _kind_ids(q, transaction.charge_point_key, memory))
    if transaction.stopped_at is not None or not any(moment.energy for moment in moments.values()):
        add_readings(q, transaction.id, moments, origin, occasion.at)
        if transaction.stopped_at is not None:
            q.set_unthinned(id=transaction.id)
        return None
    account = memory.account(q, transaction)
    before = account.energy_wh or 0
    added = add_readings(q, transaction.id, moments, origin, occasion.at)
    if added is Added.ALL:
        received_at = as_stored(occasion.at)
        for measured_at, moment in moments.items():
            for _, meaning, value in moment.energy:
                account.take(meaning, value, measured_at, received_at, origin)
    elif added is Added.SOME:
        memory.forget_account(transaction)
        account = memory.account(q, transaction)
    after = account.energy_wh
    if (after or 0) < before:
        hold_total(q, transaction, before)
    return after


def _kind_ids(q: Queries, charge_point_key: int, memory: Memory) -> KindId:
    """Looks up a kind's key; stores the kind where it's new."""
    known = memory.kinds

    def kind_id(kind: SampleKind) -> int:
        key = known.get(kind)
        return memory.kind_key(q, charge_point_key, kind) if key is None else key

    return kind_id


def _transaction_of(q: Queries, charge_point_key: int, place: Place, command: RecordMeterValues) -> Transaction | None:
    """The claimed transaction where it ran at that time; else the connector's of that time; else the claimed one.

    One that is suspected to be over by that time counts only where it's claimed: the connector may be idle.
    """
    measured_at, claimed_id = command.samples[0].measured_at, command.usable_id
    newest = place.newest(q)
    if newest is not None and newest.stopped_at is None and claimed_id == newest.id:
        return newest
    claimed = None
    if claimed_id > 0:
        claimed = q.find_transaction(id=claimed_id)
        if claimed is not None and (claimed.charge_point_key != charge_point_key or not is_named_by_our_id(claimed)):
            claimed = None
        if claimed is not None and (claimed.stopped_at is None or measured_at <= claimed.stopped_at):
            return claimed
    of_its_time = newest
    if newest is not None and newest.started_at > measured_at:
        of_its_time = q.find_on_connector_at(connector_key=place.connector.key, at=measured_at)
    if of_its_time is None:
        return claimed
    over_at = of_its_time.stopped_at or of_its_time.suspicion_at
    return of_its_time if over_at is None or measured_at <= over_at else claimed
