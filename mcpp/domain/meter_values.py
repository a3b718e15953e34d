"""Meter values: filed with the transaction of their time, stored once however often they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Final, TypeAlias

import orjson

from mcpp.domain import unmatched
from mcpp.domain.closing import rebill_by_values
from mcpp.domain.energy import ENERGY_SEPARATOR, hold_total
from mcpp.domain.events import Event, MeterValuesReceived
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory, Place, as_stored
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.recovery import weigh_meter_values
from mcpp.domain.samples import EnergyMeaning, Sample, SampleKind
from mcpp.domain.stop_matching import is_our_id
from mcpp_generated.db.enums import StopOrigin
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
    place = memory.place_in_bounds(q, occasion.charge_point_key, command.connector_id)
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
    moments = _moments(samples, _kind_ids(q, transaction.charge_point_key, memory))
    if transaction.stopped_at is not None or not any(moment.energy for moment in moments.values()):
        _add_readings(q, transaction.id, moments, origin, occasion.at)
        if transaction.stopped_at is not None:
            q.set_unthinned(id=transaction.id)
        return None
    account = memory.account(q, transaction)
    before = account.energy_wh or 0
    added = _add_readings(q, transaction.id, moments, origin, occasion.at)
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


class Added(Enum):
    """How many of some samples were new."""

    ALL = auto()
    SOME = auto()
    NONE = auto()


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
    return _add_readings(q, transaction_id, _moments(samples, kind_id), origin, received_at)


def _add_readings(
    q: Queries, transaction_id: int, moments: Mapping[datetime, _Moment], origin: Origin, received_at: datetime
) -> Added:
    added = q.add_transaction_readings(
        [
            AddTransactionReadingsParams(
                transaction_id, measured_at, moment.as_list(), moment.energy_texts(), origin, received_at
            )
            for measured_at, moment in moments.items()
        ]
    )
    if added == len(moments):
        return Added.ALL
    late = [
        AddLateTransactionSamplesParams(
            transaction_id, measured_at, text, position, text if moment.speaks(text) else None, origin, received_at
        )
        for measured_at, moment in moments.items()
        for position, text in enumerate(moment.texts)
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
        AddConnectorReadingsParams(connector_key, measured_at, moment.as_list(), received_at)
        for measured_at, moment in moments.items()
    )
    if added < len(moments):
        q.add_late_connector_samples(
            AddLateConnectorSamplesParams(connector_key, measured_at, text, position, received_at)
            for measured_at, moment in moments.items()
            for position, text in enumerate(moment.texts)
        )


class _Moment:
    """The samples of one moment, each once."""

    __slots__ = ("energy", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        """How they are stored, in the order sent."""
        self.energy: list[tuple[str, EnergyMeaning, str]] = []
        """Those that speak of energy: how they are stored, what they mean, and the value."""

    def as_list(self) -> str:
        return orjson.dumps(list(self.texts)).decode()

    def energy_texts(self) -> str | None:
        """What of it speaks of energy."""
        energy = self.energy
        if not energy:
            return None
        return energy[0][0] if len(energy) == 1 else ENERGY_SEPARATOR.join(text for text, _, _ in energy)

    def speaks(self, text: str) -> bool:
        return any(text == speaking for speaking, _, _ in self.energy)


def _moments(samples: Sequence[Sample], kind_id: KindId) -> dict[datetime, _Moment]:
    moments: dict[datetime, _Moment] = {}
    last: datetime | None = None
    moment = _Moment()
    for measured_at, kind, value, _ in samples:
        if measured_at is not last:
            last, moment = measured_at, moments.get(measured_at) or moments.setdefault(measured_at, _Moment())
        text = f"{kind_id(kind)} {value.replace(_NUL, _IN_ITS_PLACE) if _NUL in value else value}"
        # A text that is no number may be long, and is no reading.
        is_new = kind.energy is not None and text not in moment.texts
        moment.texts[text] = None
        if is_new and kind.energy is not None and len(text) <= _LONGEST_ENERGY and ENERGY_SEPARATOR not in text:
            moment.energy.append((text, kind.energy, value))
    return moments
