"""Reservations: the charge point enforces them, the database follows (OCPP 1.6 §3.11, §5.1, §5.13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mcpp.domain.events import ReservationChanged
from mcpp.domain.memory import ensure_connector
from mcpp.domain.occasion import Occasion, Result
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ReservationRecord
from mcpp_generated.db.queries import Queries

# Most reservations that one write lets expire; the rest follows with the next.
_EXPIRED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Reserve:
    """What an accepted ReserveNow reserves (OCPP 1.6 §6.37)."""

    reservation_id: int
    connector_id: int
    """0 for any connector of the charge point."""
    id_tag: str
    parent_id_tag: str | None
    expiry_date: datetime


def allot_id(q: Queries) -> int:
    """A reservation id for a caller that names none: positive, and never sent to any charge point before."""
    while True:
        number = q.allot_number(kind="reservation")
        if not q.is_reservation_id_known(reservation_id=number):
            return number


def record(q: Queries, occasion: Occasion, reservation: Reserve) -> Result[None]:
    """Store a reservation that its charge point accepted; one with a known id replaces that (OCPP 1.6 §5.13)."""
    key = q.put_reservation(
        charge_point_key=occasion.charge_point_key,
        reservation_id=reservation.reservation_id,
        connector_key=ensure_connector(q, occasion.charge_point_key, reservation.connector_id).key,
        id_tag=reservation.id_tag,
        parent_id_tag=reservation.parent_id_tag,
        expiry_date=reservation.expiry_date,
        created_at=occasion.at,
    )
    return Result(None, (_changed(q, key, occasion.at, occasion.correlation_id),))


def cancel(q: Queries, occasion: Occasion, reservation_id: int) -> Result[None]:
    """Store an accepted CancelReservation. One that has expired here may have lived on by the charge point's clock."""
    reservation = q.find_reservation(charge_point_key=occasion.charge_point_key, reservation_id=reservation_id)
    if reservation is None or reservation.status not in {ReservationState.ACCEPTED, ReservationState.EXPIRED}:
        return Result(None)
    q.set_reservation_status(id=reservation.id, status=ReservationState.CANCELLED, transaction_id=None)
    return Result(None, (_changed(q, reservation.id, occasion.at, occasion.correlation_id),))


def use(q: Queries, occasion: Occasion, reservation_id: int, transaction_id: int) -> tuple[ReservationChanged, ...]:
    """Record that a transaction began on a reservation. The charge point's word goes over the clock's, and is final."""
    reservation = q.find_reservation(charge_point_key=occasion.charge_point_key, reservation_id=reservation_id)
    if reservation is None or reservation.status is ReservationState.USED:
        return ()
    q.set_reservation_status(id=reservation.id, status=ReservationState.USED, transaction_id=transaction_id)
    return (_changed(q, reservation.id, occasion.at, occasion.correlation_id),)


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
    )
