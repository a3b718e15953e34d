"""How a transaction ends in the database: by its charger's word, or by the best evidence where that word is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

from pydantic import JsonValue

from mcpp.domain.account import EnergyAccount
from mcpp.domain.bill import Bill, bill_of_stop, bill_of_values
from mcpp.domain.energy import (
    END_OF_TIME,
    account_of,
    book_energy,
    counted_before,
    energy_so_far,
    keep_superseded,
    register_of,
)
from mcpp.domain.errors import Conflict, Unknown, no_transaction, stopped_before
from mcpp.domain.events import TransactionRecovered, TransactionStopped
from mcpp.domain.evidence import Form, Frame
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OperatorOccasion, Result
from mcpp.domain.statuses import StopReason
from mcpp.domain.stop_matching import NextStart, find_kept_stop
from mcpp.phrases import Phrase
from mcpp_generated.db.enums import Implausible, StopMatch, StopOrigin
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries


class Cause(StrEnum):
    """Why a transaction was closed without its charger's word."""

    CONNECTOR_AVAILABLE = "connector_available"
    """Its connector reported to be free."""
    BOOT = "boot"
    """Its charge point booted and didn't speak of it again."""
    VERSION_CHANGE = "version_change"
    """Its charge point came back with a version in which it can't speak of it."""
    NEXT_START = "next_start"
    """Its connector began another one."""
    OPERATOR = "operator"
    STOP_REGISTER = "stop_register"
    """Its charger stopped it, but with a register that can't be its own."""


class EvidenceSource(StrEnum):
    """What a closing value was taken from where the charger's stop is missing, the best first."""

    UNMATCHED_STOP = "unmatched_stop"
    METER_VALUE = "meter_value"
    NEXT_START = "next_start"
    METER_START = "meter_start"
    STOP = "stop"
    """The charger's own: its register counts, though values disagree."""


Fact: TypeAlias = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a transaction's last register and time come from, if not from its charger's stop."""

    cause: Cause
    source: EvidenceSource
    meter_stop: int
    """Wh."""
    stopped_at: datetime
    bill: Bill
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What else a person needs to believe it."""
    unmatched_id: int | None = None
    """The kept stop that it's taken from."""

    def as_json(self) -> str:
        """As stored and shown by the API; times are RFC 3339."""
        facts = {"cause": self.cause, "source": self.source, **self.facts, **_facts_of(self.bill)}
        return json.dumps(facts, default=_spell)

    def as_stop(self) -> Stop:
        """As stored; OCPP has no better reason for it (1.6 §7.36)."""
        return Stop(self.meter_stop, self.stopped_at, id_tag=None, reason=StopReason.OTHER)


def _facts_of(bill: Bill) -> dict[str, Fact]:
    """What of the meter values isn't plain: how they are read, of what phases, and that they fell."""
    facts: dict[str, Fact] = {}
    if bill.distrust is not None:
        facts["distrust"] = bill.distrust.value
    if bill.values_wh is not None:
        facts["values_wh"] = bill.values_wh
    if (claim := bill.claim) is not None:
        if claim.frame is not Frame.LIFETIME:
            facts["register"] = claim.frame.value
        if claim.form is not Form.TOTAL:
            facts["form"] = claim.form.value
        if claim.fell_to_wh is not None:
            facts["fell_to_wh"] = claim.fell_to_wh
    return facts


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
    memory: Memory,
    *,
    so_far: int | None = None,
    guess: Mapping[str, JsonValue] | None = None,
    historic: bool = False,
) -> TransactionStopped | None:
    """Store a stop; None where the charger had stopped this transaction before.

    `so_far` is what it took, in Wh, before values came with the stop; None where none came. `guess` says why the stop
    is this transaction's where it doesn't name it, and is stored with its evidence.
    """
    account = memory.account(q, transaction) if transaction.stopped_at is None else account_of(q, transaction)
    if so_far is None:
        so_far = account.energy_wh or 0
    bill = bill_of_told_stop(q, occasion.at, transaction, stop, account)
    evidence = evidence_of_stop(stop, bill, guess)
    match = StopMatch.NAMED if guess is None else StopMatch.GUESSED
    return _close(
        q,
        occasion,
        transaction,
        stop,
        bill,
        TransactionStopped,
        StopOrigin.CHARGER,
        evidence,
        so_far,
        match=match,
        historic=historic,
    )


def evidence_of_stop(stop: Stop, bill: Bill, guess: Mapping[str, JsonValue] | None) -> str | None:
    """What a charger's own stop needs to be believed; None where its register says all."""
    evidence = None
    if bill.distrust is not None:
        cause, source = Cause.STOP_REGISTER, EvidenceSource.STOP if bill.claim is None else EvidenceSource.METER_VALUE
        evidence = Evidence(cause, source, stop.meter_stop, stop.stopped_at, bill).as_json()
    return evidence if guess is None else json.dumps({**guess, **json.loads(evidence or "{}")})


def bill_of_told_stop(
    q: Queries, received_at: datetime, transaction: Transaction, stop: Stop, account: EnergyAccount | None = None
) -> Bill:
    """By a stop's register and what was measured until then; what was measured later may be of another session."""
    account = account or account_of(q, transaction)
    claim = account.claim()
    # A clock that was set back in between says nothing of what was measured after the stop.
    if claim is not None and claim.newest_at > stop.stopped_at >= transaction.started_at:
        account = account_of(q, transaction, until=stop.stopped_at)
    bill = bill_of_stop(account, transaction.meter_start, stop.meter_stop, stop.stopped_at, received_at)
    if bill.implausible is Implausible.NO_READING and _had_no_vehicle(transaction, stop):
        return Bill(0)
    return bill


def _had_no_vehicle(transaction: Transaction, stop: Stop) -> bool:
    """Whether none came in time, as 2.x has it: then no register was told because there was nothing to be measured."""
    return transaction.ocpp_transaction_id is not None and stop.reason is StopReason.TIMEOUT


def close_by_evidence(
    q: Queries, occasion: Occasion, transaction: Transaction, evidence: Evidence, *, historic: bool = False
) -> TransactionRecovered | None:
    """Close a transaction that its charger left open; None where the charger has stopped it."""
    stop, kind, origin = evidence.as_stop(), TransactionRecovered, StopOrigin.RECOVERED
    event = _close(q, occasion, transaction, stop, evidence.bill, kind, origin, evidence.as_json(), historic=historic)
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
        raise Unknown(no_transaction(transaction_id))
    if transaction.stopped_at is not None:
        raise Conflict(stopped_before(transaction_id))
    about = occasion.about(transaction.charge_point_key, record.charge_point_id)
    evidence = last_evidence(q, transaction, Cause.OPERATOR)
    stop, kind, origin = evidence.as_stop(), TransactionStopped, StopOrigin.OPERATOR
    event = _close(q, about, transaction, stop, evidence.bill, kind, origin, evidence.as_json())
    _use_kept_stop(q, transaction, evidence)
    _end_session(q, transaction)
    return Result(None, (event,) if event else ())


def close_by_assignment(
    q: Queries, occasion: Occasion, transaction: Transaction, stop: Stop, *, historic: bool = False
) -> TransactionStopped:
    """Store the stop that an operator says is this transaction's, also in the place of a guess.

    Raises Conflict where its charger has stopped it.
    """
    bill = bill_of_told_stop(q, occasion.at, transaction, stop)
    evidence = Evidence(Cause.OPERATOR, EvidenceSource.UNMATCHED_STOP, stop.meter_stop, stop.stopped_at, bill)
    kind, origin = TransactionStopped, StopOrigin.OPERATOR
    event = _close(q, occasion, transaction, stop, bill, kind, origin, evidence.as_json(), historic=historic)
    if event is None:
        raise Conflict(Phrase("transaction {number} was stopped by its charger before", number=transaction.id))
    _end_session(q, transaction)
    return event


_Stopped = TypeVar("_Stopped", bound=TransactionStopped)


def _close(
    q: Queries,
    occasion: Occasion,
    transaction: Transaction,
    stop: Stop,
    bill: Bill,
    kind: type[_Stopped],
    origin: StopOrigin,
    evidence: str | None,
    so_far: int | None = None,
    *,
    match: StopMatch | None = None,
    historic: bool = False,
) -> _Stopped | None:
    """Store an end and return its event; None where the charger ended this transaction before.

    `so_far` is what it took while it ran, in Wh, where that is known.
    """
    if transaction.stopped_at is not None:
        before = counted_before(q, transaction)
    else:
        before = (energy_so_far(q, transaction) or 0) if so_far is None else so_far
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
        energy_wh=bill.energy_wh,
        implausible_reason=bill.implausible,
    )
    if not closed:
        return None
    keep_superseded(q, transaction, occasion.at)
    stopped_by_charger_at = occasion.at if origin is StopOrigin.CHARGER else None
    counted = book_energy(q, transaction, bill.counted_wh, before, stopped_by_charger_at)
    return stopped_event(occasion, transaction, stop, bill, kind, origin, evidence, counted, before, historic=historic)


def stopped_event(
    occasion: Occasion,
    transaction: Transaction,
    stop: Stop,
    bill: Bill,
    kind: type[_Stopped],
    origin: StopOrigin,
    evidence: str | None,
    counted: int,
    before: int,
    *,
    historic: bool,
) -> _Stopped:
    """The event of an end; `transaction` is as it was before."""
    return kind(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction.id,
        connector_id=transaction.connector_id,
        id_tag=transaction.id_tag,
        meter_start=transaction.meter_start,
        meter_stop=stop.meter_stop,
        energy_wh=bill.energy_wh,
        energy_implausible=bill.implausible is not None,
        implausible_reason=bill.implausible,
        counted_wh=counted,
        started_at=transaction.started_at,
        stopped_at=stop.stopped_at,
        reason=stop.reason,
        origin=origin,
        session_correlation_id=transaction.session_correlation_id,
        supersedes=transaction.meter_stop,
        superseded_wh=None if transaction.stopped_at is None else before,
        superseded_stopped_at=transaction.stopped_at,
        superseded_origin=transaction.stop_origin,
        evidence=evidence,
        historic=historic,
        ocpp_transaction_id=transaction.ocpp_transaction_id,
        evse_id=transaction.evse_id,
    )


def _end_session(q: Queries, transaction: Transaction) -> None:
    q.end_connector_session(key=transaction.connector_key, session_correlation_id=transaction.session_correlation_id)


def _use_kept_stop(q: Queries, transaction: Transaction, evidence: Evidence) -> None:
    if evidence.unmatched_id is not None:
        q.set_transaction_of_stop(id=evidence.unmatched_id, transaction_id=transaction.id)


def evidence_of_next_start(
    q: Queries, transaction: Transaction, *, next_meter_start: int, next_started_at: datetime, received_at: datetime
) -> Evidence:
    """What ended a transaction whose connector began another: a kept stop, its last reading, else the next one's first.

    `next_started_at` as far as it can be believed.
    """
    facts: dict[str, Fact] = {"next_started_at": next_started_at, "next_meter_start": next_meter_start}
    following = NextStart(next_started_at, next_meter_start)
    evidence = last_evidence(q, transaction, Cause.NEXT_START, facts, following)
    began_at = min(transaction.started_at, transaction.start_received_at)
    if evidence.source is not EvidenceSource.METER_START or next_started_at < began_at:
        return evidence
    account = account_of(q, transaction)
    bill = bill_of_stop(account, transaction.meter_start, next_meter_start, next_started_at, received_at)
    if bill.implausible is not None:
        return evidence
    return Evidence(Cause.NEXT_START, EvidenceSource.NEXT_START, next_meter_start, next_started_at, bill, facts)


def last_evidence(
    q: Queries,
    transaction: Transaction,
    cause: Cause,
    facts: Mapping[str, Fact] | None = None,
    following: NextStart | None = None,
) -> Evidence:
    """The one kept stop that fits it, else what its readings say, else its own start.

    Readings from before the moment that spoke against it go first: later ones may be of an idle connector.
    """
    kept = find_kept_stop(q, transaction, following)
    if kept is not None and kept.meter_stop is not None and kept.stopped_at is not None:
        named: dict[str, Fact] = {"unmatched_id": kept.id, "claimed_transaction_id": kept.claimed_transaction_id}
        stop = Stop(kept.meter_stop, kept.stopped_at, kept.id_tag, StopReason.OTHER)
        bill = bill_of_told_stop(q, kept.received_at, transaction, stop)
        source = EvidenceSource.UNMATCHED_STOP
        return Evidence(
            cause, source, stop.meter_stop, stop.stopped_at, bill, {**(facts or {}), **named}, unmatched_id=kept.id
        )
    account = account_of(q, transaction, until=transaction.suspicion_at or END_OF_TIME)
    if account.claim() is None and transaction.suspicion_at is not None:
        account = account_of(q, transaction)
    bill = bill_of_values(account, transaction.meter_start)
    if bill.claim is not None:
        register, newest_at = register_of(account, bill.energy_wh), bill.claim.newest_at
        return Evidence(cause, EvidenceSource.METER_VALUE, register, newest_at, bill, facts or {})
    source = EvidenceSource.METER_START
    return Evidence(cause, source, transaction.meter_start, transaction.started_at, bill, facts or {})
