"""Transactions: begun once, ended once, whatever the charger repeats, loses or forgets.

Which transaction a stop ends is decided in `mcpp.domain.stop_matching`; what is older than what the charger has told,
in `mcpp.domain.chronology`: an old start is booked as one that is over, and changes nothing that runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mcpp.domain import reservations, unmatched
from mcpp.domain.authorization import Authorization, AuthorizationPolicy, authorize, authorize_start
from mcpp.domain.chronology import believable, is_past_start
from mcpp.domain.closing import Stop, close_by_charger, close_by_evidence
from mcpp.domain.events import Event, TransactionStarted
from mcpp.domain.evidence import Origin
from mcpp.domain.memory import Memory, Place, as_stored
from mcpp.domain.meter_values import file_samples
from mcpp.domain.occasion import ChargingSession, Occasion, OriginalMessage, Result
from mcpp.domain.recovery import weigh_repeated_start, weigh_start
from mcpp.domain.samples import Sample
from mcpp.domain.statuses import StopReason
from mcpp.domain.stop_candidates import candidates
from mcpp.domain.stop_matching import How, Match, ToldStop, find_match, guess, told_by, waiting_stops
from mcpp.domain.succession import close_left_open, mend_previous, past_evidence
from mcpp_generated.db.enums import StopMatch
from mcpp_generated.db.models import Transaction, Unmatched
from mcpp_generated.db.queries import Queries

_REPEATED_WITHIN: Final = timedelta(minutes=10)
"""A start that tells no time and is repeated later than this is another one."""


@dataclass(frozen=True, slots=True)
class StartTransaction:
    """What a StartTransaction reports (OCPP 1.6 §6.45)."""

    connector_id: int
    id_tag: str
    meter_start: int
    started_at: datetime
    reservation_id: int | None
    has_own_time: bool = True
    """Whether the charge point told `started_at`; else that is the time of receipt."""


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
    has_own_time: bool = True
    """Whether the charge point told when; else that is the time of receipt."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The answer to a StopTransaction: a verdict where the charger named an id tag."""

    authorization: Authorization | None


def start_transaction(
    q: Queries, occasion: Occasion, command: StartTransaction, policy: AuthorizationPolicy, memory: Memory
) -> Result[Started]:
    """Store a start. A repeat gets the same id; what is still open on the connector is closed in the same write.

    One that is older than another of its connector is stored as one that is over.

    No reservation refuses a start: the charge point enforces them, and may be charging already.
    """
    place = memory.place(q, occasion.charge_point_key, command.connector_id)
    connector = place.connector
    repeated = _find_repeated(q, occasion, command, place)
    if repeated is not None:
        weigh_repeated_start(q, occasion, repeated)
        verdict = authorize_start(
            q, occasion.charge_point_key, command.id_tag, occasion.at, policy, own_transaction_id=repeated.id
        )
        return Result(Started(repeated.id, verdict), session=_session_of(repeated))
    if is_past_start(connector, command.started_at, occasion.at):
        return _book_past_start(q, occasion, command, connector.key, policy)
    left_open = place.running(q)
    recovered: tuple[Event, ...] = ()
    if left_open is not None:
        recovered = close_left_open(q, occasion, left_open, command.started_at, command.meter_start)
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
    began_at = believable(command.started_at, occasion.at)
    q.begin_connector_session(key=connector.key, session_correlation_id=session, began_at=began_at)
    q.stamp_transaction_start(key=occasion.charge_point_key, last_tx_start_at=occasion.at)
    started = _started(occasion, command, transaction_id, session)
    used = reservations.use(
        q,
        occasion,
        transaction_id,
        connector_id=command.connector_id,
        id_tag=command.id_tag,
        started_at=command.started_at,
        named=command.reservation_id,
    )
    verdict = authorize_start(
        q, occasion.charge_point_key, command.id_tag, occasion.at, policy, own_transaction_id=transaction_id
    )
    return Result(
        Started(transaction_id, verdict), (*recovered, started, *used), ChargingSession(session, transaction_id)
    )


def _started(
    occasion: Occasion, command: StartTransaction, transaction_id: int, session: str, *, historic: bool = False
) -> TransactionStarted:
    return TransactionStarted(
        charge_point_id=occasion.charge_point_id,
        correlation_id=occasion.correlation_id,
        at=occasion.at,
        transaction_id=transaction_id,
        connector_id=command.connector_id,
        id_tag=command.id_tag,
        meter_start=command.meter_start,
        started_at=command.started_at,
        session_correlation_id=session,
        historic=historic,
    )


def _find_repeated(q: Queries, occasion: Occasion, command: StartTransaction, place: Place) -> Transaction | None:
    """The transaction that a start began already: its charge point didn't get the answer.

    Once that has been stopped by its id, the answer was got: a start just like it is another one, of a clock that
    stands at 1970 and a register that begins at 0. A start that tells no time repeats the running one if that told none
    either, with the same tag and register, a few minutes ago.
    """
    twin = q.find_start(
        connector_key=place.connector.key,
        started_at=command.started_at,
        id_tag=command.id_tag,
        meter_start=command.meter_start,
    )
    if twin is not None and twin.stop_match is not StopMatch.NAMED:
        return twin
    running = None if command.has_own_time else place.running(q)
    if running is None:
        return None
    is_same = (
        running.started_at == running.start_received_at
        and occasion.at - running.start_received_at <= _REPEATED_WITHIN
        and running.meter_start == command.meter_start
        and running.id_tag.casefold() == command.id_tag.casefold()
    )
    return running if is_same else None


def _book_past_start(
    q: Queries, occasion: Occasion, command: StartTransaction, connector_key: int, policy: AuthorizationPolicy
) -> Result[Started]:
    """Store a start that another of its connector has followed: it's over, by that evidence until its stop comes."""
    session = occasion.new_correlation_id()
    transaction_id = q.add_past_transaction(
        charge_point_key=occasion.charge_point_key,
        connector_key=connector_key,
        connector_id=command.connector_id,
        id_tag=command.id_tag,
        reservation_id=command.reservation_id,
        meter_start=command.meter_start,
        started_at=command.started_at,
        start_received_at=occasion.at,
        session_correlation_id=session,
    )
    q.stamp_transaction_start(key=occasion.charge_point_key, last_tx_start_at=occasion.at)
    stored = q.find_transaction(id=transaction_id)
    assert stored is not None, "it was written a moment ago"
    past = stored._replace(meter_stop=None, stopped_at=None, stop_origin=None, energy_wh=None)
    evidence = past_evidence(q, past)
    events: list[Event] = [_started(occasion, command, transaction_id, session, historic=True)]
    for recovered in (
        close_by_evidence(q, occasion, past, evidence, historic=True),
        mend_previous(q, occasion, connector_key, command.started_at, command.meter_start),
    ):
        events += (recovered,) if recovered is not None else ()
    verdict = authorize_start(
        q, occasion.charge_point_key, command.id_tag, occasion.at, policy, own_transaction_id=transaction_id
    )
    return Result(Started(transaction_id, verdict), tuple(events), ChargingSession(session, transaction_id))


def stop_transaction(
    q: Queries,
    occasion: Occasion,
    command: StopTransaction,
    policy: AuthorizationPolicy,
    memory: Memory,
) -> Result[Stopped]:
    """Store a stop with its samples. A repeat changes nothing; one that belongs to no transaction is kept aside."""
    return memory.counted(_stop(q, occasion, command, policy, memory))


def _stop(
    q: Queries, occasion: Occasion, command: StopTransaction, policy: AuthorizationPolicy, memory: Memory
) -> Result[Stopped]:
    stop = command.stop
    verdict = None if stop.id_tag is None else authorize(q, occasion.charge_point_key, stop.id_tag, occasion.at, policy)
    told = ToldStop(
        as_stored(stop.stopped_at),
        as_stored(occasion.at),
        stop.meter_stop,
        stop.id_tag,
        has_own_time=command.has_own_time,
    )
    claimed, reason, original = command.transaction_id, stop.reason.value, command.original
    match = find_match(q, occasion.charge_point_key, claimed, told)
    if match is None:
        return Result(Stopped(verdict), unmatched.keep_stop(q, occasion, claimed, told, reason, original, memory))
    transaction = match.transaction
    events: tuple[Event, ...] = ()
    origin = Origin.NAMED if transaction.id == claimed else Origin.UNNAMED
    so_far = None
    if command.samples and transaction.stopped_at is None:
        # What the stop's own values say was never told of it while it ran.
        so_far = memory.account(q, transaction).energy_wh or 0
    if command.samples and memory.allows(occasion, command.samples):
        file_samples(q, occasion, transaction, command.samples, origin, memory)
    if match.how is not How.REPEATED:
        if match.how is How.GUESSED:
            unmatched.keep_stop(q, occasion, claimed, told, reason, original, memory, transaction_id=transaction.id)
        events = tuple(_end_and_match_waiting(q, occasion, match, claimed, stop, memory, so_far))
    return Result(Stopped(verdict), events, _session_of(transaction))


def _end_and_match_waiting(
    q: Queries, occasion: Occasion, match: Match, claimed_id: int, stop: Stop, memory: Memory, so_far: int | None
) -> Iterator[Event]:
    """Store the end of a transaction by a stop: now a kept stop may fit only one that is left, and end that."""
    released: list[Unmatched] = []
    stopped = _end(q, occasion, match, claimed_id, stop, memory, released, so_far)
    if stopped is None:
        return
    yield stopped
    waiting = waiting_stops(q, occasion.charge_point_key)
    while (found := _first_that_fits(q, occasion.charge_point_key, waiting)) is not None:
        kept, fitting = found
        q.set_transaction_of_stop(id=kept.id, transaction_id=fitting.transaction.id)
        ended = _end(q, occasion, fitting, kept.claimed_transaction_id, _stop_of(kept), memory, released)
        if ended is not None:
            yield ended
        waiting = waiting_stops(q, occasion.charge_point_key)
    left = {kept.id for kept in waiting}
    yield from (unmatched.told_again(occasion, kept) for kept in released if kept.id in left)


def _end(
    q: Queries,
    occasion: Occasion,
    match: Match,
    claimed_id: int,
    stop: Stop,
    memory: Memory,
    released: list[Unmatched],
    so_far: int | None = None,
) -> Event | None:
    """Store the end of a transaction by a stop; kept stops that ended it before are nobody's again, and `released`."""
    transaction = match.transaction
    was_ended = transaction.stopped_at is not None
    historic = was_ended and is_past_start(
        memory.place(q, occasion.charge_point_key, transaction.connector_id, transaction.evse_id).connector,
        transaction.started_at,
        transaction.start_received_at,
    )
    stopped = close_by_charger(
        q,
        occasion,
        transaction,
        stop,
        memory,
        so_far=so_far,
        guess=None if match.fit is None else match.fit.as_facts(claimed_id),
        historic=historic,
    )
    if stopped is None:
        return None
    q.stop_connector_session(
        key=transaction.connector_key,
        session_correlation_id=transaction.session_correlation_id,
        ended_at=believable(stop.stopped_at, occasion.at),
    )
    if was_ended:
        released += unmatched.release_stops(q, transaction.id, stop.stopped_at, stop.meter_stop)
    return stopped


def _first_that_fits(q: Queries, charge_point_key: int, waiting: Sequence[Unmatched]) -> tuple[Unmatched, Match] | None:
    """Of the kept stops that ended no transaction yet: one that fits only one of those that are left."""
    among = candidates(q, charge_point_key) if waiting else ()
    for kept in waiting:
        match = guess(q, charge_point_key, told_by(kept), among)
        if match is not None:
            return kept, match
    return None


def _stop_of(kept: Unmatched) -> Stop:
    told = told_by(kept)
    return Stop(told.meter_stop, told.stopped_at, told.id_tag, StopReason(kept.stop_reason or StopReason.OTHER))


def _session_of(transaction: Transaction) -> ChargingSession:
    return ChargingSession(transaction.session_correlation_id, transaction.id)
