"""How a transaction ends in the books: by its charger's word, or by the best evidence where that word is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mcpp.domain.events import TransactionRecovered, TransactionStopped
from mcpp.domain.occasion import Occasion
from mcpp.domain.samples import ENERGY_REGISTER, SampleKind, register_wh
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

# Readings looked at for a last register: enough to pass over phases and signed copies of one moment.
_NEWEST_READINGS = 50


class EvidenceSource(StrEnum):
    """What the closing value of a recovered transaction was taken from, the best first."""

    METER_VALUE = "meter_value"
    NEXT_START = "next_start"
    METER_START = "meter_start"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a recovered transaction's last register and time come from."""

    cause: str
    """Why the transaction was closed, such as `next_start`."""
    source: EvidenceSource
    meter_stop: int
    """Wh."""
    stopped_at: datetime

    def as_json(self) -> str:
        """As stored and shown by the API."""
        return json.dumps({"cause": self.cause, "source": self.source.value})


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a transaction as its charger reports it (OCPP 1.6 §6.49)."""

    meter_stop: int
    stopped_at: datetime
    id_tag: str | None
    reason: str


def close_by_charger(q: Queries, occasion: Occasion, transaction: Transaction, stop: Stop) -> TransactionStopped | None:
    """Book a stop; None where the charger had stopped this transaction before."""
    implausible = stop.meter_stop < transaction.meter_start
    closed = q.close_transaction(
        id=transaction.id,
        meter_stop=stop.meter_stop,
        stopped_at=stop.stopped_at,
        stop_received_at=occasion.at,
        stop_id_tag=stop.id_tag,
        stop_reason=stop.reason,
        stop_origin=StopOrigin.CHARGER,
        evidence=None,
        energy_implausible=implausible,
    )
    if not closed:
        return None
    return TransactionStopped(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction.id,
        connector_id=_connector_number(q, transaction),
        id_tag=transaction.id_tag,
        meter_start=transaction.meter_start,
        meter_stop=stop.meter_stop,
        energy_wh=energy_wh(transaction.meter_start, stop.meter_stop),
        energy_implausible=implausible,
        started_at=transaction.started_at,
        stopped_at=stop.stopped_at,
        reason=stop.reason,
        origin=StopOrigin.CHARGER,
        session_correlation_id=transaction.session_correlation_id,
        supersedes=transaction.meter_stop,
    )


def close_by_evidence(
    q: Queries, occasion: Occasion, transaction: Transaction, evidence: Evidence
) -> TransactionRecovered | None:
    """Close a transaction that its charger left open; None where it isn't open."""
    implausible = evidence.meter_stop < transaction.meter_start
    closed = q.close_transaction(
        id=transaction.id,
        meter_stop=evidence.meter_stop,
        stopped_at=evidence.stopped_at,
        stop_received_at=occasion.at,
        stop_id_tag=None,
        stop_reason="Other",
        stop_origin=StopOrigin.RECOVERED,
        evidence=evidence.as_json(),
        energy_implausible=implausible,
    )
    if not closed:
        return None
    return TransactionRecovered(
        charge_point_id=occasion.identity,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction.id,
        connector_id=_connector_number(q, transaction),
        id_tag=transaction.id_tag,
        meter_start=transaction.meter_start,
        meter_stop=evidence.meter_stop,
        energy_wh=energy_wh(transaction.meter_start, evidence.meter_stop),
        energy_implausible=implausible,
        started_at=transaction.started_at,
        stopped_at=evidence.stopped_at,
        reason="Other",
        origin=StopOrigin.RECOVERED,
        session_correlation_id=transaction.session_correlation_id,
        evidence=evidence.as_json(),
    )


def evidence_of_next_start(
    q: Queries, transaction: Transaction, *, next_meter_start: int, next_started_at: datetime
) -> Evidence:
    """What ended a transaction whose connector began another: its last reading, else the next one's first."""
    cause = "next_start"
    reading = last_stored_register(q, transaction.id)
    if reading is not None:
        measured_at, wh = reading
        return Evidence(cause, EvidenceSource.METER_VALUE, wh, measured_at)
    if next_meter_start >= transaction.meter_start and next_started_at >= transaction.started_at:
        return Evidence(cause, EvidenceSource.NEXT_START, next_meter_start, next_started_at)
    return Evidence(cause, EvidenceSource.METER_START, transaction.meter_start, transaction.started_at)


def last_stored_register(q: Queries, transaction_id: int) -> tuple[datetime, int] | None:
    """Time and Wh of the newest register reading stored for a transaction."""
    rows = q.find_newest_samples(transaction_id=transaction_id, measurand=ENERGY_REGISTER, row_limit=_NEWEST_READINGS)
    for row in rows:
        kind = SampleKind(ENERGY_REGISTER, row.phase, row.unit, row.context, row.location, row.format)
        wh = register_wh(kind, row.value)
        if wh is not None:
            return row.measured_at, wh
    return None


def energy_wh(meter_start: int, meter_stop: int) -> int:
    """Energy of a transaction in Wh; never negative: a register that fell is marked as implausible instead."""
    return max(meter_stop - meter_start, 0)


def _connector_number(q: Queries, transaction: Transaction) -> int:
    """The connector's number as OCPP gives it."""
    number = q.get_connector_number(id=transaction.connector_id)
    assert number is not None, "a transaction's connector exists by its foreign key"
    return number
