"""How a transaction ends in the database: by its charger's word, or by the best evidence where that word is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from mcpp.domain.energy import book_energy, energy_wh, last_stored_register
from mcpp.domain.errors import Conflict, Unknown
from mcpp.domain.events import TransactionRecovered, TransactionStopped
from mcpp.domain.measurements import Register
from mcpp.domain.occasion import Occasion, OperatorOccasion, Result
from mcpp.domain.statuses import StopReason
from mcpp.domain.stop_matching import NextStart, find_kept_stop
from mcpp_generated.db.enums import StopMatch, StopOrigin
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries


class Cause(StrEnum):
    """Why a transaction was closed without its charger's word."""

    CONNECTOR_AVAILABLE = "connector_available"
    """Its connector reported to be free."""
    BOOT = "boot"
    """Its charge point booted and didn't speak of it again."""
    NEXT_START = "next_start"
    """Its connector began another one."""
    OPERATOR = "operator"


class EvidenceSource(StrEnum):
    """What a closing value was taken from where the charger's stop is missing, the best first."""

    UNMATCHED_STOP = "unmatched_stop"
    METER_VALUE = "meter_value"
    NEXT_START = "next_start"
    METER_START = "meter_start"


Fact: TypeAlias = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a transaction's last register and time come from, if not from its charger's stop."""

    cause: Cause
    source: EvidenceSource
    meter_stop: int
    """Wh."""
    stopped_at: datetime
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What else a person needs to believe it."""
    unmatched_id: int | None = None
    """The kept stop that it's taken from."""

    def as_json(self) -> str:
        """As stored and shown by the API; times are RFC 3339."""
        return json.dumps({"cause": self.cause, "source": self.source, **self.facts}, default=_spell)

    def as_stop(self) -> Stop:
        """As stored; OCPP has no better reason for it (1.6 §7.36)."""
        return Stop(self.meter_stop, self.stopped_at, id_tag=None, reason=StopReason.OTHER)


def _spell(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a transaction as its charger reports it (OCPP 1.6 §6.49)."""

    meter_stop: int
    stopped_at: datetime
    id_tag: str | None
    reason: StopReason


def close_by_charger(
    q: Queries,
    occasion: Occasion,
    transaction: Transaction,
    stop: Stop,
    registers: Mapping[int, Register],
    *,
    guess: str | None = None,
    historic: bool = False,
) -> TransactionStopped | None:
    """Store a stop; None where the charger had stopped this transaction before.

    `registers` are the newest ones of open transactions, by their ids, as far as they are known. `guess` says why the
    stop is this transaction's where it doesn't name it, and is stored as its evidence.
    """
    match = StopMatch.NAMED if guess is None else StopMatch.GUESSED
    return _close(
        q,
        occasion,
        transaction,
        stop,
        TransactionStopped,
        StopOrigin.CHARGER,
        guess,
        match=match,
        registers=registers,
        historic=historic,
    )


def close_by_evidence(
    q: Queries, occasion: Occasion, transaction: Transaction, evidence: Evidence, *, historic: bool = False
) -> TransactionRecovered | None:
    """Close a transaction that its charger left open; None where the charger has stopped it."""
    event = _close(
        q,
        occasion,
        transaction,
        evidence.as_stop(),
        TransactionRecovered,
        StopOrigin.RECOVERED,
        evidence.as_json(),
        historic=historic,
    )
    _use_kept_stop(q, transaction, evidence)
    _end_session(q, transaction)
    return event


def close_by_operator(q: Queries, occasion: OperatorOccasion, transaction_id: int) -> Result[None]:
    """Close an open transaction from its last meter value, for a charger that's gone; its own stop may still come.

    Raises Unknown, or Conflict where it isn't open.
    """
    transaction = q.find_transaction(id=transaction_id)
    record = q.get_transaction(transaction_id=transaction_id)
    if transaction is None or record is None:
        raise Unknown(f"no transaction has the id {transaction_id}")
    if transaction.stopped_at is not None:
        raise Conflict(f"transaction {transaction_id} was stopped before")
    about = occasion.about(transaction.charge_point_key, record.charge_point_id)
    evidence = last_evidence(q, transaction, Cause.OPERATOR)
    event = _close(
        q, about, transaction, evidence.as_stop(), TransactionStopped, StopOrigin.OPERATOR, evidence.as_json()
    )
    _use_kept_stop(q, transaction, evidence)
    _end_session(q, transaction)
    return Result(None, (event,) if event else ())


def close_by_assignment(
    q: Queries, occasion: Occasion, transaction: Transaction, stop: Stop, *, historic: bool = False
) -> TransactionStopped:
    """Store the stop that an operator says is this transaction's, also in the place of a guess.

    Raises Conflict where its charger has stopped it.
    """
    evidence = Evidence(Cause.OPERATOR, EvidenceSource.UNMATCHED_STOP, stop.meter_stop, stop.stopped_at)
    event = _close(
        q, occasion, transaction, stop, TransactionStopped, StopOrigin.OPERATOR, evidence.as_json(), historic=historic
    )
    if event is None:
        raise Conflict(f"transaction {transaction.id} was stopped by its charger before")
    _end_session(q, transaction)
    return event


_Stopped = TypeVar("_Stopped", bound=TransactionStopped)


def _close(
    q: Queries,
    occasion: Occasion,
    transaction: Transaction,
    stop: Stop,
    kind: type[_Stopped],
    origin: StopOrigin,
    evidence: str | None = None,
    *,
    match: StopMatch | None = None,
    registers: Mapping[int, Register] = MappingProxyType({}),
    historic: bool = False,
) -> _Stopped | None:
    """Store an end and return its event; None where the charger ended this transaction before."""
    implausible = stop.meter_stop < transaction.meter_start
    closed = q.close_transaction(
        id=transaction.id,
        meter_stop=stop.meter_stop,
        stopped_at=stop.stopped_at,
        stop_received_at=occasion.at,
        stop_id_tag=stop.id_tag,
        stop_reason=stop.reason.value,
        stop_origin=origin,
        stop_match=match,
        evidence=evidence,
        energy_implausible=implausible,
    )
    if not closed:
        return None
    stopped_by_charger_at = occasion.at if origin is StopOrigin.CHARGER else None
    book_energy(q, transaction, stop.meter_stop, registers.get(transaction.id), stopped_by_charger_at)
    return kind(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction.id,
        connector_id=transaction.connector_id,
        id_tag=transaction.id_tag,
        meter_start=transaction.meter_start,
        meter_stop=stop.meter_stop,
        energy_wh=energy_wh(transaction.meter_start, stop.meter_stop),
        energy_implausible=implausible,
        started_at=transaction.started_at,
        stopped_at=stop.stopped_at,
        reason=stop.reason,
        origin=origin,
        session_correlation_id=transaction.session_correlation_id,
        supersedes=transaction.meter_stop,
        superseded_stopped_at=transaction.stopped_at,
        superseded_origin=transaction.stop_origin,
        evidence=evidence,
        historic=historic,
    )


def _end_session(q: Queries, transaction: Transaction) -> None:
    q.end_connector_session(key=transaction.connector_key, session_correlation_id=transaction.session_correlation_id)


def _use_kept_stop(q: Queries, transaction: Transaction, evidence: Evidence) -> None:
    if evidence.unmatched_id is not None:
        q.set_transaction_of_stop(id=evidence.unmatched_id, transaction_id=transaction.id)


def evidence_of_next_start(
    q: Queries, transaction: Transaction, *, next_meter_start: int, next_started_at: datetime
) -> Evidence:
    """What ended a transaction whose connector began another: a kept stop, its last reading, else the next one's first.

    `next_started_at` as far as it can be believed.
    """
    facts: dict[str, Fact] = {"next_started_at": next_started_at, "next_meter_start": next_meter_start}
    following = NextStart(next_started_at, next_meter_start)
    evidence = last_evidence(q, transaction, Cause.NEXT_START, facts, following)
    began_at = min(transaction.started_at, transaction.start_received_at)
    is_plausible = 0 <= transaction.meter_start <= next_meter_start and next_started_at >= began_at
    if evidence.source is EvidenceSource.METER_START and is_plausible:
        return Evidence(Cause.NEXT_START, EvidenceSource.NEXT_START, next_meter_start, next_started_at, facts)
    return evidence


def last_evidence(
    q: Queries,
    transaction: Transaction,
    cause: Cause,
    facts: Mapping[str, Fact] | None = None,
    following: NextStart | None = None,
) -> Evidence:
    """The one kept stop that fits it, else the transaction's last reading, else its own start.

    A reading from before the moment that spoke against it goes first: later ones may be of an idle connector.
    """
    kept = find_kept_stop(q, transaction, following)
    if kept is not None and kept.meter_stop is not None and kept.stopped_at is not None:
        named: dict[str, Fact] = {"unmatched_id": kept.id, "claimed_transaction_id": kept.claimed_transaction_id}
        source = EvidenceSource.UNMATCHED_STOP
        return Evidence(cause, source, kept.meter_stop, kept.stopped_at, {**(facts or {}), **named}, kept.id)
    reading = None
    if transaction.suspicion_at is not None:
        reading = last_stored_register(q, transaction.id, until=transaction.suspicion_at)
    reading = reading or last_stored_register(q, transaction.id)
    if reading is not None:
        return Evidence(cause, EvidenceSource.METER_VALUE, reading.wh, reading.measured_at, facts or {})
    return Evidence(cause, EvidenceSource.METER_START, transaction.meter_start, transaction.started_at, facts or {})
