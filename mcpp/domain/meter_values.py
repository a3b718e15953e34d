"""Meter values: filed with the transaction of their time, stored once however often they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final, TypeAlias

import orjson

from mcpp.domain import unmatched
from mcpp.domain.energy import ENERGY_SEPARATOR, hold_total
from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory, Place, as_stored
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

_Moment: TypeAlias = dict[str, Sample]
"""The samples of one moment in the order sent, each once, by how it's stored."""

_LONGEST_ENERGY: Final = 100
"""Characters of a number that is worth reading, with its kind's key."""

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
    energy_wh: int | None = None
    if transaction is not None:
        is_doubted = transaction.suspicion_at is not None or transaction.stop_origin is StopOrigin.RECOVERED
        if is_doubted and weigh_meter_values(q, occasion, transaction, command.samples):
            memory.forget(occasion.charge_point_key)
        origin = _origin_of(command, place, transaction)
        energy_wh = file_samples(q, occasion, transaction, command.samples, origin, memory)
    elif command.claimed_transaction_id > 0:
        kind, claimed = UnmatchedKind.METER_VALUES, command.claimed_transaction_id
        return Result(None, unmatched.keep(q, occasion, kind, claimed, command.original))
    else:
        store_at_connector(q, place.connector.key, command.samples, occasion.at, _kind_ids(q, memory))
    session = _session_of(place.connector, transaction)
    if not publishes:
        return Result(None, session=session)
    event = MeterValuesReceived(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        connector_id=command.connector_id,
        transaction_id=transaction.id if transaction else None,
        session_correlation_id=session and session.correlation_id,
        samples=command.samples,
        energy_wh=energy_wh,
    )
    return Result(None, (event,), session)


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
    speaking = [sample for sample in samples if sample.kind.energy is not None]
    if transaction.stopped_at is not None or not speaking:
        add_transaction_samples(q, occasion, transaction.id, samples, origin, memory)
        return None
    account = memory.account(q, transaction)
    before = account.energy_wh or 0
    added = add_transaction_samples(q, occasion, transaction.id, samples, origin, memory)
    if added is Added.ALL:
        received_at = as_stored(occasion.at)
        for measured_at, kind, value, _ in speaking:
            if kind.energy is not None:
                account.take(kind.energy, value, measured_at, received_at, origin)
    elif added is Added.SOME:
        memory.forget_account(transaction)
        account = memory.account(q, transaction)
    after = account.energy_wh
    if (after or 0) < before:
        hold_total(q, transaction, before)
    return after


class Added(Enum):
    """How many of some samples were new."""

    ALL = auto()
    SOME = auto()
    NONE = auto()


def add_transaction_samples(
    q: Queries, occasion: Occasion, transaction_id: int, samples: Sequence[Sample], origin: Origin, memory: Memory
) -> Added:
    """Store samples of a transaction; those it has already change nothing."""
    return store_in_transaction(q, transaction_id, samples, occasion.at, origin, _kind_ids(q, memory))


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
    q: Queries,
    transaction_id: int,
    samples: Sequence[Sample],
    received_at: datetime,
    origin: Origin,
    kind_id: KindId,
) -> Added:
    """Store samples of a transaction; those it has already change nothing."""
    moments = _moments(samples, kind_id)
    added = q.add_transaction_readings(
        [
            AddTransactionReadingsParams(
                transaction_id, measured_at, _as_list(moment), _energy_of(moment), origin, received_at
            )
            for measured_at, moment in moments.items()
        ]
    )
    if added == len(moments):
        return Added.ALL
    late = [
        AddLateTransactionSamplesParams(
            transaction_id, measured_at, text, position, _energy_of({text: sample}), origin, received_at
        )
        for measured_at, moment in moments.items()
        for position, (text, sample) in enumerate(moment.items())
    ]
    added_late = q.add_late_transaction_samples(late)
    if added:
        return Added.SOME
    return Added.ALL if added_late == len(late) else Added.SOME if added_late else Added.NONE


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
    for sample in samples:
        measured_at, kind, value, _ = sample
        text = value.replace(_NUL, _IN_ITS_PLACE) if _NUL in value else value
        moments.setdefault(measured_at, {})[f"{kind_id(kind)} {text}"] = sample
    return moments


def _as_list(moment: _Moment) -> str:
    return orjson.dumps(list(moment)).decode()


def _energy_of(moment: _Moment) -> str | None:
    """What of it speaks of energy; a text that is no number may be long, and is left out."""
    texts = [
        text
        for text, sample in moment.items()
        if sample.kind.energy is not None and len(text) <= _LONGEST_ENERGY and ENERGY_SEPARATOR not in text
    ]
    return ENERGY_SEPARATOR.join(texts) if texts else None
