"""Meter values: filed with the transaction of their time, stored once however often they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mcpp.domain import unmatched
from mcpp.domain.connectors import ensure_connector
from mcpp.domain.energy import KnownRegisters, NewestRegister, RunningEnergy, energy_at
from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.measurements import Register
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.recovery import heed_meter_values
from mcpp.domain.samples import Sample, SampleKind
from mcpp.domain.stored_samples import KindId, store_at_connector, store_in_transaction
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.models import Connector, Transaction
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True)
class RecordMeterValues:
    """What a MeterValues message reports (OCPP 1.6 §6.31)."""

    connector_id: int
    claimed_transaction_id: int
    """As the charger says; 0 where it names none."""
    samples: Sequence[Sample]
    original: OriginalMessage


NewKinds = dict[SampleKind, int]
"""Kinds that a write has named, for the cache of known ones: to be added there once the write is committed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a write has learned, to be added to what is known once it is committed."""

    new_kinds: NewKinds = field(default_factory=dict)
    new_registers: dict[int, NewestRegister] = field(default_factory=dict)


def record_meter_values(
    q: Queries,
    occasion: Occasion,
    command: RecordMeterValues,
    known_kinds: Mapping[SampleKind, int],
    known_registers: KnownRegisters,
) -> Result[Recorded]:
    """Store meter values with the transaction they belong to, else with the connector, else aside."""
    if not command.samples:
        return Result(Recorded())
    connector = ensure_connector(q, occasion.key, command.connector_id)
    measured_at = command.samples[0].measured_at
    transaction = _transaction_of(q, occasion.key, connector.key, command, measured_at)
    new_kinds: NewKinds = {}
    register: Register | None = None
    if transaction is not None:
        heed_meter_values(q, occasion, transaction, command.samples)
        new_kinds, register = file_samples(q, occasion, transaction, command.samples, known_kinds, known_registers)
    elif command.claimed_transaction_id > 0:
        kind, claimed = UnmatchedKind.METER_VALUES, command.claimed_transaction_id
        return Result(Recorded(), unmatched.keep(q, occasion, kind, claimed, command.original))
    else:
        kind_id = _kind_ids(q, known_kinds, new_kinds)
        store_at_connector(q, connector.key, command.samples, occasion.at, kind_id)
    session = _session_of(connector, transaction)
    event = MeterValuesReceived(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        connector_id=command.connector_id,
        transaction_id=transaction.id if transaction else None,
        session_correlation_id=session and session.correlation_id,
        samples=command.samples,
        energy_wh=None if transaction is None or register is None else energy_at(transaction, register),
    )
    new_registers = {}
    if transaction is not None and register is not None:
        new_registers[transaction.connector_key] = NewestRegister(transaction.id, register)
    return Result(Recorded(new_kinds, new_registers), (event,), session)


def _session_of(connector: Connector, transaction: Transaction | None) -> ChargingSession | None:
    if transaction is not None:
        return ChargingSession(transaction.session_correlation_id, transaction.id)
    return ChargingSession(connector.session_correlation_id) if connector.session_correlation_id else None


def file_samples(
    q: Queries,
    occasion: Occasion,
    transaction: Transaction,
    samples: Sequence[Sample],
    known_kinds: Mapping[SampleKind, int],
    known_registers: KnownRegisters,
) -> tuple[NewKinds, Register | None]:
    """Store samples of a transaction, open or not; gives its newest register where it's open and that is among them."""
    if transaction.stopped_at is not None:
        return add_transaction_samples(q, occasion, transaction.id, samples, known_kinds), None
    running = RunningEnergy(q, transaction, samples, known_registers)
    new_kinds = add_transaction_samples(q, occasion, transaction.id, samples, known_kinds)
    return new_kinds, running.update()


def add_transaction_samples(
    q: Queries,
    occasion: Occasion,
    transaction_id: int,
    samples: Sequence[Sample],
    known_kinds: Mapping[SampleKind, int],
) -> NewKinds:
    """Store samples of a transaction that has ended; those it has already change nothing."""
    new_kinds: NewKinds = {}
    store_in_transaction(q, transaction_id, samples, occasion.at, _kind_ids(q, known_kinds, new_kinds))
    return new_kinds


def _kind_ids(q: Queries, known: Mapping[SampleKind, int], new_kinds: NewKinds) -> KindId:
    """Looks up a kind's key; names the kind where it's new and notes it in `new_kinds`."""

    def kind_id(kind: SampleKind) -> int:
        key = known.get(kind) or new_kinds.get(kind)
        if key is None:
            key = q.add_sample_kind(
                measurand=kind.measurand,
                phase=kind.phase,
                unit=kind.unit,
                context=kind.context,
                location=kind.location,
                format=kind.format,
            )
            new_kinds[kind] = key
        return key

    return kind_id


def _transaction_of(
    q: Queries, charge_point_key: int, connector_key: int, command: RecordMeterValues, measured_at: datetime
) -> Transaction | None:
    """The claimed transaction where it ran at that time; else the connector's of that time; else the claimed one.

    One that is suspected to be over by that time counts only where it's claimed: the connector may be idle.
    """
    claimed = None
    if command.claimed_transaction_id > 0:
        claimed = q.find_transaction(id=command.claimed_transaction_id)
        if claimed is not None and claimed.charge_point_key != charge_point_key:
            claimed = None
        if claimed is not None and (claimed.stopped_at is None or measured_at <= claimed.stopped_at):
            return claimed
    running = q.find_on_connector_at(connector_key=connector_key, at=measured_at)
    if running is None:
        return claimed
    over_at = running.stopped_at or running.suspicion_at
    return running if over_at is None or measured_at <= over_at else claimed
