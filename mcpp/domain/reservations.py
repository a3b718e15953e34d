"""Reservations: the charge point enforces them, the database follows (OCPP 1.6 §3.11, §5.1, §5.13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mcpp.domain.events import ReservationChanged
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE, WHOLE, ensure_connector
from mcpp.domain.occasion import Occasion, Result
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ReservationRecord
from mcpp_generated.db.queries import Queries

# Most reservations that one write lets expire; the rest follows with the next.
_EXPIRED_AT_ONCE = 500

_CLOCKS_APART: Final = timedelta(minutes=1)
"""How far behind ours a charge point's clock may be for a start that seems older than its reservation."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """What an accepted ReserveNow reserves (OCPP 1.6 §6.37)."""

    reservation_id: int
    connector_id: int
    """0 for any connector of the charge point."""
    id_tag: str
    parent_id_tag: str | None
    expiry_date: datetime
    evse_id: int = NO_EVSE
    """With connector 0: any connector of this EVSE."""


def record(q: Queries, occasion: Occasion, reservation: Reserve) -> Result[None]:
    """Store a reservation that its charge point accepted; one with a known id replaces that (OCPP 1.6 §5.13)."""
    key = q.put_reservation(
        charge_point_key=occasion.charge_point_key,
        reservation_id=reservation.reservation_id,
        connector_key=ensure_connector(q, occasion.charge_point_key, reservation.connector_id, reservation.evse_id).key,
        id_tag=reservation.id_tag,
        parent_id_tag=reservation.parent_id_tag,
        expiry_date=reservation.expiry_date,
        created_at=occasion.at,
    )
    return Result(None, (_changed(q, key, occasion.at, occasion.correlation_id),))


def cancel(q: Queries, occasion: Occasion, reservation_id: int) -> Result[None]:
    """Store an accepted CancelReservation. One that has expired here may have lived on by the charge point's clock."""
    reservation = q.find_reservation(charge_point_id=occasion.charge_point_id, reservation_id=reservation_id)
    if reservation is None or reservation.status not in {ReservationState.ACCEPTED, ReservationState.EXPIRED}:
        return Result(None)
    q.set_reservation_status(id=reservation.id, status=ReservationState.CANCELLED, transaction_id=None)
    return Result(None, (_changed(q, reservation.id, occasion.at, occasion.correlation_id),))


def end(q: Queries, occasion: Occasion, reservation_id: int, state: ReservationState) -> Result[None]:
    """Store that a charge point let a reservation go, expired or cancelled; one that is over stays as it is."""
    reservation = q.find_reservation(charge_point_id=occasion.charge_point_id, reservation_id=reservation_id)
    if reservation is None or reservation.status is not ReservationState.ACCEPTED:
        return Result(None)
    q.set_reservation_status(id=reservation.id, status=state, transaction_id=None)
    return Result(None, (_changed(q, reservation.id, occasion.at, occasion.correlation_id),))


def use(
    q: Queries,
    occasion: Occasion,
    transaction_id: int,
    *,
    connector_id: int,
    id_tag: str,
    started_at: datetime,
    named: int | None,
    evse_id: int = NO_EVSE,
) -> tuple[ReservationChanged, ...]:
    """Record that a transaction began on a reservation: the one that its start names, if it fits, else one that fits.

    Many charge points name none, -1 or another's. One fits that was made for this connector or for any, and for this
    id tag or its group (OCPP 1.6 §5.13), and that held when the transaction began: a start that comes late, of before
    the reservation was made, uses nothing. That a named one has expired or was cancelled here doesn't matter: the
    charge point's word goes over the clock's, and is final.
    """
    place = (evse_id, connector_id)
    places = {place, (evse_id, WHOLE), (NO_EVSE, CHARGE_POINT)}
    made_until = _plus(started_at, _CLOCKS_APART)
    holding = [
        reservation
        for reservation in _in_question(q, occasion.charge_point_id, started_at, named)
        if (reservation.evse_id, reservation.connector_id) in places and reservation.created_at <= made_until
    ]
    fitting = _for_tag(q, holding, id_tag)
    if not fitting:
        return ()

    def preference(reservation: ReservationRecord) -> tuple[bool, bool, bool, bool, datetime, int]:
        return (
            reservation.reservation_id != named,
            (reservation.evse_id, reservation.connector_id) != place,
            reservation.evse_id != evse_id,
            not _is_same_tag(reservation.id_tag, id_tag),
            reservation.expiry_date,
            reservation.id,
        )

    used = min(fitting, key=preference)
    q.set_reservation_status(id=used.id, status=ReservationState.USED, transaction_id=transaction_id)
    return (_changed(q, used.id, occasion.at, occasion.correlation_id),)


def _in_question(q: Queries, charge_point_id: str, at: datetime, named: int | None) -> list[ReservationRecord]:
    """The reservations that held then, and the named one whatever else became of it; none that was used."""
    held = [
        reservation
        for reservation in q.list_reservations_held_at(charge_point_id=charge_point_id, held_at=at)
        if reservation.status in {ReservationState.ACCEPTED, ReservationState.EXPIRED}
    ]
    if named is not None:
        reservation = q.find_reservation(charge_point_id=charge_point_id, reservation_id=named)
        if reservation is not None and reservation.status is not ReservationState.USED:
            held.append(reservation)
    return held


def _for_tag(q: Queries, reservations: list[ReservationRecord], id_tag: str) -> list[ReservationRecord]:
    """Those for this id tag, or for the group that it's stored in."""
    group: str | None = None
    if any(reservation.parent_id_tag for reservation in reservations):
        tag = q.get_id_tag(id_tag=id_tag)
        group = None if tag is None else tag.parent_id_tag
    return [
        reservation
        for reservation in reservations
        if _is_same_tag(reservation.id_tag, id_tag)
        or (group and reservation.parent_id_tag and _is_same_tag(reservation.parent_id_tag, group))
    ]


def expire(q: Queries, now: datetime, new_correlation_id: Callable[[], str]) -> Result[int]:
    """Let reservations expire whose time is over. Returns how many; the charge point ends them by itself (§5.13)."""
    overdue = q.list_overdue_reservations(now=now, row_limit=_EXPIRED_AT_ONCE)
    for reservation in overdue:
        q.set_reservation_status(id=reservation.id, status=ReservationState.EXPIRED, transaction_id=None)
    return Result(
        len(overdue), tuple(_changed(q, reservation.id, now, new_correlation_id()) for reservation in overdue)
    )


def status_at(reservation: ReservationRecord, now: datetime) -> ReservationState:
    """The status to show: an overdue one has expired, whether that is stored already or not."""
    if reservation.status is ReservationState.ACCEPTED and reservation.expiry_date <= now:
        return ReservationState.EXPIRED
    return reservation.status


def _is_same_tag(one: str, other: str) -> bool:
    """Id tags are compared without regard to case (OCPP 1.6 §7.28, CiString)."""
    return one.casefold() == other.casefold()


def _plus(moment: datetime, span: timedelta) -> datetime:
    """The sum, or the moment where there is no such time."""
    try:
        return moment + span
    except OverflowError:
        return moment


def _changed(q: Queries, key: int, at: datetime, correlation_id: str) -> ReservationChanged:
    reservation = q.get_reservation(id=key)
    assert reservation is not None, "it was written a moment ago"
    return ReservationChanged(
        charge_point_id=reservation.charge_point_id,
        correlation_id=correlation_id,
        at=at,
        reservation_id=reservation.reservation_id,
        connector_id=reservation.connector_id,
        id_tag=reservation.id_tag,
        parent_id_tag=reservation.parent_id_tag,
        expiry_date=reservation.expiry_date,
        status=reservation.status,
        transaction_id=reservation.transaction_id,
        evse_id=reservation.evse_id,
    )
