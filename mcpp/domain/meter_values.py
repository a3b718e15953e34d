"""Meter values: filed with the transaction of their time, stored once however often they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import orjson

from mcpp.domain import unmatched
from mcpp.domain.energy import RunningEnergy, energy_at
from mcpp.domain.events import Event, MeterValuesReceived
from mcpp.domain.measurements import Register, register_wh
from mcpp.domain.memory import Memory, Place
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.recovery import weigh_meter_values
from mcpp.domain.samples import MOST_SHARED, Sample, SampleKind
from mcpp_generated.db.enums import StopOrigin, UnmatchedKind
from mcpp_generated.db.models import (
    AddConnectorReadingsParams,
    AddLateConnectorSamplesParams,
    AddLateTransactionSamplesParams,
    AddTransactionReadingsParams,
    Connector,
    Transaction,
)
from mcpp_generated.db.queries import Queries

KindId: TypeAlias = Callable[[SampleKind], int]
"""Looks up the key that a kind of sample has in the database, or gives it one."""

_Moment: TypeAlias = dict[str, int | None]
"""The samples of one moment in the order sent, each once: how it's stored, and the register that it says, in Wh."""

_NUL: Final = "\0"
_IN_ITS_PLACE: Final = "\N{REPLACEMENT CHARACTER}"
"""SQLite's JSON ends a text at a NUL."""


@dataclass(frozen=True, slots=True)
class RecordMeterValues:
    """What a MeterValues message reports (OCPP 1.6 §6.31)."""

    connector_id: int
    claimed_transaction_id: int
    """As the charger says; 0 where it names none."""
    samples: Sequence[Sample]
    original: OriginalMessage


def record_meter_values(
    q: Queries, occasion: Occasion, command: RecordMeterValues, memory: Memory, *, publishes: bool = True
) -> Result[None]:
    """Store meter values with the transaction they belong to, else with the connector, else aside.

    Where it doesn't publish, nobody wants a MeterValuesReceived, and none is made.
    """
    if not command.samples:
        return Result(None)
    place = memory.place(q, occasion.charge_point_key, command.connector_id)
    transaction = _transaction_of(q, occasion.charge_point_key, place, command)
    register: Register | None = None
    foreign: int | None = None
    kept: tuple[Event, ...] = ()
    if transaction is not None:
        is_doubted = transaction.suspicion_at is not None or transaction.stop_origin is StopOrigin.RECOVERED
        if is_doubted and weigh_meter_values(q, occasion, transaction, command.samples):
            memory.forget(occasion.charge_point_key)
        register = file_samples(q, occasion, transaction, command.samples, memory)
    elif command.claimed_transaction_id > 0:
        foreign = command.claimed_transaction_id
        kept = unmatched.keep(q, occasion, UnmatchedKind.METER_VALUES, foreign, command.original)
    else:
        store_at_connector(q, place.connector.key, command.samples, occasion.at, _kind_ids(q, memory))
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
        energy_wh=None if transaction is None or register is None else energy_at(transaction, register),
        foreign_transaction_id=foreign,
    )
    return Result(None, (*kept, event), session)


def _session_of(connector: Connector, transaction: Transaction | None) -> ChargingSession | None:
    if transaction is not None:
        return ChargingSession(transaction.session_correlation_id, transaction.id)
    return ChargingSession(connector.session_correlation_id) if connector.session_correlation_id else None


def file_samples(
    q: Queries, occasion: Occasion, transaction: Transaction, samples: Sequence[Sample], memory: Memory
) -> Register | None:
    """Store samples of a transaction; returns its newest register where it's open and that is among them."""
    if transaction.stopped_at is not None:
        add_transaction_samples(q, occasion, transaction.id, samples, memory)
        return None
    running = RunningEnergy(q, transaction, samples, memory.registers(transaction.charge_point_key))
    add_transaction_samples(q, occasion, transaction.id, samples, memory)
    return running.update()


def add_transaction_samples(
    q: Queries, occasion: Occasion, transaction_id: int, samples: Sequence[Sample], memory: Memory
) -> None:
    """Store samples of a transaction; those it has already change nothing."""
    store_in_transaction(q, transaction_id, samples, occasion.at, _kind_ids(q, memory))


def _kind_ids(q: Queries, memory: Memory) -> KindId:
    """Looks up a kind's key; stores the kind where it's new."""
    known = memory.kinds

    def kind_id(kind: SampleKind) -> int:
        key = known.get(kind)
        if key is None:
            key = q.add_sample_kind(
                measurand=kind.measurand,
                phase=kind.phase,
                unit=kind.unit,
                context=kind.context,
                location=kind.location,
                format=kind.format,
            )
            if len(known) < MOST_SHARED:
                known[kind] = key
        return key

    return kind_id


def _transaction_of(q: Queries, charge_point_key: int, place: Place, command: RecordMeterValues) -> Transaction | None:
    """The claimed transaction where it ran at that time; else the connector's of that time; else the claimed one.

    One that is suspected to be over by that time counts only where it's claimed: the connector may be idle.
    """
    measured_at, claimed_id = command.samples[0].measured_at, command.claimed_transaction_id
    newest = place.newest(q)
    if newest is not None and newest.stopped_at is None and claimed_id == newest.id:
        return newest
    claimed = None
    if claimed_id > 0:
        claimed = q.find_transaction(id=claimed_id)
        if claimed is not None and claimed.charge_point_key != charge_point_key:
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


def store_in_transaction(
    q: Queries, transaction_id: int, samples: Sequence[Sample], received_at: datetime, kind_id: KindId
) -> None:
    """Store samples of a transaction; those it has already change nothing."""
    moments = _moments(samples, kind_id)
    added = q.add_transaction_readings(
        [
            AddTransactionReadingsParams(
                transaction_id, measured_at, _as_list(moment), _last_register(moment), received_at
            )
            for measured_at, moment in moments.items()
        ]
    )
    if added < len(moments):
        q.add_late_transaction_samples(
            AddLateTransactionSamplesParams(transaction_id, measured_at, text, position, wh, received_at)
            for measured_at, moment in moments.items()
            for position, (text, wh) in enumerate(moment.items())
        )


def store_at_connector(
    q: Queries, connector_key: int, samples: Sequence[Sample], received_at: datetime, kind_id: KindId
) -> None:
    """Store samples that no transaction was running for; those its connector has already change nothing."""
    moments = _moments(samples, kind_id)
    added = q.add_connector_readings(
        AddConnectorReadingsParams(connector_key, measured_at, _as_list(moment), received_at)
        for measured_at, moment in moments.items()
    )
    if added < len(moments):
        q.add_late_connector_samples(
            AddLateConnectorSamplesParams(connector_key, measured_at, text, position, received_at)
            for measured_at, moment in moments.items()
            for position, text in enumerate(moment)
        )


def _moments(samples: Sequence[Sample], kind_id: KindId) -> dict[datetime, _Moment]:
    moments: dict[datetime, _Moment] = {}
    for measured_at, kind, value, _ in samples:
        text = value.replace(_NUL, _IN_ITS_PLACE) if _NUL in value else value
        wh = None if kind.wh_factor is None else register_wh(kind, value)
        moments.setdefault(measured_at, {})[f"{kind_id(kind)} {text}"] = wh
    return moments


def _as_list(moment: _Moment) -> str:
    return orjson.dumps(list(moment)).decode()


def _last_register(moment: _Moment) -> int | None:
    register = None
    for wh in moment.values():
        if wh is not None:
            register = wh
    return register
