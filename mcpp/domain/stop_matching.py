"""Which transaction a stop ends: the one that it names, else the only one that it fits, else none.

An id that no transaction of ours can have (not in 1 to 2^31-1) counts as none. The first row that applies decides:

| the stop names                      | and                                          | it is                    |
| ----------------------------------- | -------------------------------------------- | ------------------------ |
| an open transaction of its charger  | has a register that isn't likely its own,    | that other one's, by a   |
|                                     | and fits exactly one other                   | guess                    |
|                                     | anything else                                | its stop                 |
| one that recovery, a person or a    | is after the next start on that connector,   | that other one's, by a   |
| guess has closed                    | by time or register, or of another tag, and  | guess, or a repeat       |
|                                     | fits exactly one other, or repeats           |                          |
|                                     | is after the next start by time and register | nobody's: unmatched      |
|                                     | anything else                                | its stop: that gives way |
| one that a stop naming it has ended | has its time and register, or its register   | a repeat                 |
|                                     | and tells no time                            |                          |
|                                     | anything else                                | as one that names none   |
| none, an unknown one, another       | has time, register and tag of a stop that    | a repeat                 |
| charger's                           | ended a transaction                          |                          |
|                                     | fits exactly one candidate                   | its stop, by a guess     |
|                                     | fits two, or none                            | nobody's: unmatched      |

Candidates are the open transactions of the charge point and those that recovery closed without any stop: neither what a
person closed nor what the charge point has stopped itself. A stop fits one where all of these hold:

- connector: the same, where the stop tells it (OCPP 1.6 doesn't);
- tag: the one that began it, in any letter case, where the stop tells one;
- time: not before its start, not more than a minute before its newest reading, not after the next start on its
  connector; by the charge point's clock as far as it can be believed (`mcpp.domain.chronology`);
- register: not below the newest that is known of it, and not above what could have been delivered since, which is
  twice the greatest power that its connector has shown, else 50 kW, over the time since that register and a minute. A
  stop that tells no register, or a number that stands for none, fits nothing.

The bound is strict because the stop is a guess: where it's wrong, the stop is kept as unmatched and nothing is lost. A
kept stop is looked at again whenever its charge point stops another transaction, and is the best evidence where a
transaction is closed without its stop, if it's the only one that fits that, and fits no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final, NamedTuple

from pydantic import JsonValue

from mcpp.domain.chronology import RESOLUTION, UNSET_BEFORE, believable
from mcpp.domain.energy import Register
from mcpp.domain.plausibility import register_fault
from mcpp.domain.stop_candidates import Candidate, candidates
from mcpp_generated.db.enums import StopMatch
from mcpp_generated.db.models import Transaction, Unmatched
from mcpp_generated.db.queries import Queries

LARGEST_ID: Final = 2**31 - 1
"""What fits OCPP 1.6's integer on every charge point."""

_UNSHOWN_WATTS: Final = 50_000.0
_SHOWN_FACTOR: Final = 2.0
_ALLOWANCE: Final = timedelta(minutes=1)

# A charge point that has no clock repeats its stop with another time of receipt.
_REPEATED_WITHIN: Final = timedelta(minutes=10)

# No transaction lasts longer: its charge point's clock was set in between.
_LONGEST: Final = timedelta(days=30)

_MOST_KEPT: Final = 50
_MOST_REPEATED: Final = 100


def is_our_id(claimed_id: int) -> bool:
    """Whether a transaction of ours can have this id."""
    return 1 <= claimed_id <= LARGEST_ID


def is_named_by_our_id(transaction: Transaction) -> bool:
    """Whether its charger knows it by our id: one that it gave an id of its own is ended by that alone."""
    return transaction.ocpp_transaction_id is None


class ToldStop(NamedTuple):
    """What a stop tells that helps to find its transaction."""

    stopped_at: datetime
    """As stored: in whole milliseconds."""
    received_at: datetime
    meter_stop: int
    """Wh; negative where none was told."""
    id_tag: str | None
    connector_id: int | None = None
    """None where its version doesn't tell it."""
    has_own_time: bool = True
    """Whether it told its time; else that is the time of its receipt."""


class How(Enum):
    """How a stop found its transaction."""

    NAMED = auto()
    GUESSED = auto()
    REPEATED = auto()
    """It's stored already."""


class Fit(NamedTuple):
    """How a stop fits a transaction that it doesn't name."""

    from_register: Register
    most_wh: int
    """The highest register that it could have."""
    by: Sequence[str]
    """What was compared."""

    def as_facts(self, claimed_id: int) -> dict[str, JsonValue]:
        """As stored in the transaction's evidence."""
        since = self.from_register.measured_at.astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "match": StopMatch.GUESSED.value,
            "claimed_transaction_id": claimed_id,
            "fitted": list(self.by),
            "register_from_wh": self.from_register.wh,
            "register_from_at": since.replace("+00:00", "Z"),
            "register_to_wh": self.most_wh,
        }


@dataclass(frozen=True, slots=True)
class Match:
    """The transaction that a stop belongs to."""

    transaction: Transaction
    how: How
    fit: Fit | None = None
    """Of a guess."""


def find_match(q: Queries, charge_point_key: int, claimed_id: int, stop: ToldStop) -> Match | None:
    """The transaction of a stop, by the table above; None where it's nobody's."""
    named = q.find_transaction(id=claimed_id) if is_our_id(claimed_id) else None
    if named is not None and named.charge_point_key == charge_point_key and is_named_by_our_id(named):
        if named.stopped_at is None:
            other = None if _is_likely(named, stop) else guess(q, charge_point_key, stop)
            is_others = other is not None and other.transaction.id != named.id
            return other if is_others else Match(named, How.NAMED)
        if named.stop_match is not StopMatch.NAMED:
            return _match_closed(q, named, stop)
        if stop.meter_stop == named.meter_stop and (not stop.has_own_time or stop.stopped_at == named.stopped_at):
            return Match(named, How.REPEATED)
    repeated = _find_repeated(q, charge_point_key, stop)
    return Match(repeated, How.REPEATED) if repeated is not None else guess(q, charge_point_key, stop)


def _is_likely(named: Transaction, stop: ToldStop) -> bool:
    """Whether a stop's register could be the running transaction's without more than 50 kW; asked of every stop."""
    began_at, ended_at = _span(named, stop)
    most_wh = _UNSHOWN_WATTS * ((ended_at - began_at + _ALLOWANCE) / timedelta(hours=1))
    return stop.meter_stop < 0 or 0 <= stop.meter_stop - named.meter_start <= most_wh


def _match_closed(q: Queries, named: Transaction, stop: ToldStop) -> Match | None:
    """Of a stop that names a transaction which recovery, a person or a guess has closed."""
    known = Candidate(q, named)
    is_later = _is_after_next_start(known, stop)
    # A register that the connector had reached when it began another one is no longer the first one's.
    is_beyond = any(stop.meter_stop > other.meter_start >= named.meter_start >= 0 for other in known.following)
    if is_later or is_beyond or not _is_same_tag(stop.id_tag, named.id_tag):
        other = _other_than(q, named, stop)
        if other is not None:
            return other
    told_in_time = UNSET_BEFORE <= stop.stopped_at <= stop.received_at
    return None if is_beyond and (is_later or not told_in_time) else Match(named, How.NAMED)


def guess(q: Queries, charge_point_key: int, stop: ToldStop, among: Sequence[Candidate] | None = None) -> Match | None:
    """The only transaction that a stop fits, where the candidates are known already `among` them; None for nobody's."""
    if register_fault(stop.meter_stop) is not None:
        return None
    found: Match | None = None
    for candidate in candidates(q, charge_point_key) if among is None else among:
        fit = _fit(candidate, stop)
        if fit is not None and found is not None:
            return None
        if fit is not None:
            found = Match(candidate.transaction, How.GUESSED, fit)
    return found


def told_by(kept: Unmatched) -> ToldStop:
    """What a kept stop tells."""
    assert kept.stopped_at is not None, "it's a stop"
    assert kept.meter_stop is not None, "it's a stop"
    has_own_time = kept.stopped_at != kept.received_at
    return ToldStop(kept.stopped_at, kept.received_at, kept.meter_stop, kept.id_tag, has_own_time=has_own_time)


def waiting_stops(q: Queries, charge_point_key: int) -> list[Unmatched]:
    """Kept stops of a charge point that ended no transaction yet, the newest first."""
    return q.list_waiting_stops(charge_point_key=charge_point_key, row_limit=_MOST_KEPT)


class NextStart(NamedTuple):
    """The start that follows a transaction on its connector, where it isn't stored yet."""

    at: datetime
    """As far as it can be believed."""
    register_wh: int


def find_kept_stop(q: Queries, transaction: Transaction, following: NextStart | None = None) -> Unmatched | None:
    """The one kept stop that fits a transaction which is about to be closed without its own, and fits no other."""
    found: Unmatched | None = None
    known = Candidate(q, transaction)
    for kept in waiting_stops(q, transaction.charge_point_key):
        stop = told_by(kept)
        if following is not None and _is_beyond(stop, transaction, following):
            continue
        if stop.meter_stop < 0 or _fit(known, stop) is None:
            continue
        if found is not None:
            return None
        found = kept
    if found is None:
        return None
    others = (it for it in candidates(q, transaction.charge_point_key) if it.transaction.id != transaction.id)
    return None if any(_fit(other, told_by(found)) for other in others) else found


def find_same_kept(q: Queries, charge_point_key: int, stop: ToldStop) -> Unmatched | None:
    """A kept stop that a stop repeats, whether it ended a transaction or not."""
    since, until = _when_repeated(stop)
    for kept in q.list_kept_stops(
        charge_point_key=charge_point_key, since=since, until=until, row_limit=_MOST_REPEATED
    ):
        if _is_same(stop, kept.stopped_at, kept.received_at, kept.meter_stop, kept.id_tag):
            return kept
    return None


def _find_repeated(q: Queries, charge_point_key: int, stop: ToldStop) -> Transaction | None:
    since, until = _when_repeated(stop)
    for known in q.list_stopped_by_charger(
        charge_point_key=charge_point_key, since=since, until=until, row_limit=_MOST_REPEATED
    ):
        if _is_same(stop, known.stopped_at, known.stop_received_at, known.meter_stop, known.stop_id_tag):
            return known
    kept = find_same_kept(q, charge_point_key, stop)
    return None if kept is None or kept.transaction_id is None else q.find_transaction(id=kept.transaction_id)


def _when_repeated(stop: ToldStop) -> tuple[datetime, datetime]:
    """When the stop that it may repeat was stored to be."""
    return stop.stopped_at if stop.has_own_time else stop.stopped_at - _REPEATED_WITHIN, stop.stopped_at


def _is_same(
    stop: ToldStop,
    stopped_at: datetime | None,
    received_at: datetime | None,
    meter_stop: int | None,
    id_tag: str | None,
) -> bool:
    """Of two that tell no time, neither does."""
    told_as_much = stopped_at == stop.stopped_at if stop.has_own_time else stopped_at == received_at
    return told_as_much and meter_stop == stop.meter_stop and _is_same_tag(stop.id_tag, id_tag)


def _is_same_tag(tag: str | None, other: str | None) -> bool:
    """Also where one of them isn't told."""
    return not tag or not other or tag.casefold() == other.casefold()


def _other_than(q: Queries, named: Transaction, stop: ToldStop) -> Match | None:
    repeated = _find_repeated(q, named.charge_point_key, stop)
    if repeated is not None:
        return Match(repeated, How.REPEATED)
    guessed = guess(q, named.charge_point_key, stop)
    return guessed if guessed is not None and guessed.transaction.id != named.id else None


def _fit(candidate: Candidate, stop: ToldStop) -> Fit | None:
    """How a stop fits; None where it doesn't. What costs least is looked at first."""
    transaction = candidate.transaction
    if not is_named_by_our_id(transaction):
        return None
    if stop.connector_id is not None and stop.connector_id != transaction.connector_id:
        return None
    if not _is_same_tag(stop.id_tag, transaction.id_tag):
        return None
    began_at, ended_at = _span(transaction, stop)
    if _is_later(began_at, ended_at) or candidate.has_kept_stop or _is_after_next_start(candidate, stop):
        return None
    register = candidate.register
    if (
        register_fault(register.wh) is not None
        or stop.meter_stop < register.wh
        or register.measured_at - ended_at > _ALLOWANCE
    ):
        return None
    passed = ended_at - max(register.measured_at, began_at)
    if passed > _LONGEST:
        passed = stop.received_at - transaction.start_received_at
    hours = (max(passed, timedelta()) + _ALLOWANCE) / timedelta(hours=1)
    most_wh = register.wh + int(_most_watts(candidate) * hours)
    if stop.meter_stop > most_wh:
        return None
    connector = () if stop.connector_id is None else ("connector",)
    tag = ("id_tag",) if stop.id_tag and transaction.id_tag else ()
    return Fit(register, most_wh, (*connector, *tag, "time", "register"))


def _most_watts(candidate: Candidate) -> float:
    shown = candidate.shown_watts
    return _UNSHOWN_WATTS if shown is None else _SHOWN_FACTOR * shown


def _are_of_one_clock(transaction: Transaction, stop: ToldStop) -> bool:
    """Whether the clock wasn't set, or ran ahead, at both start and stop: it still tells how long."""
    start_told, start_received = transaction.started_at, transaction.start_received_at
    both_unset = start_told < UNSET_BEFORE and stop.stopped_at < UNSET_BEFORE
    return both_unset or (start_told > start_received and stop.stopped_at > stop.received_at)


def _is_later(moment: datetime, other: datetime) -> bool:
    """By more than a clock's resolution; told as a difference, which exists at the ends of time as well."""
    return moment - other > RESOLUTION


def _span(transaction: Transaction, stop: ToldStop) -> tuple[datetime, datetime]:
    """When the transaction began and when the stop says that it ended, comparable with each other."""
    if _are_of_one_clock(transaction, stop):
        return transaction.started_at, stop.stopped_at
    return _began_at(transaction), believable(stop.stopped_at, stop.received_at)


def _began_at(transaction: Transaction) -> datetime:
    return believable(transaction.started_at, transaction.start_received_at)


def _is_after_next_start(candidate: Candidate, stop: ToldStop) -> bool:
    """Whether the connector began another one before the stop: a connector has one transaction at a time."""
    transaction = candidate.transaction
    if transaction.stopped_at is None:
        return False
    own_clock = _are_of_one_clock(transaction, stop)
    for other in candidate.following:
        if own_clock and _are_of_one_clock(other, stop):
            is_between = transaction.started_at < other.started_at and _is_later(stop.stopped_at, other.started_at)
        else:
            ended_at = believable(stop.stopped_at, stop.received_at)
            is_between = _began_at(transaction) < _began_at(other) and _is_later(ended_at, _began_at(other))
        if is_between:
            return True
    return False


def _is_beyond(stop: ToldStop, transaction: Transaction, following: NextStart) -> bool:
    """Whether a stop is of a time or register after the start that follows; one that was reset tells nothing."""
    both_unset = stop.stopped_at < UNSET_BEFORE and following.at < UNSET_BEFORE
    stopped_at = stop.stopped_at if both_unset else believable(stop.stopped_at, stop.received_at)
    if _is_later(stopped_at, following.at):
        return True
    return stop.meter_stop > following.register_wh >= transaction.meter_start
