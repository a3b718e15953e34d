"""`/reservations`: what charge points have accepted, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter

from mcpp.api.models import Reservation, ReservationPage
from mcpp.api.paging import Cursors, PageQuery, RowId, cut
from mcpp.api.services import ApiServices, FromServices
from mcpp.domain.reservations import status_at
from mcpp_generated.db import readers
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ReservationRecord

router = APIRouter(prefix="/reservations", tags=["reservations"])

_CURSORS = Cursors(TypeAdapter(tuple[RowId]))

_NEWEST = (2**63 - 1,)

_EVER = datetime.min.replace(tzinfo=UTC)


class ReservationQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None
    status: ReservationState | None = None


@router.get("", response_model=ReservationPage)
async def list_reservations(services: FromServices, query: Annotated[ReservationQuery, Query()]) -> ReservationPage:
    """Reservations, those booked last first."""
    (before_id,) = _CURSORS.decode(query.cursor, _NEWEST)
    now = datetime.now(UTC)
    rows = await _find(services, query, before_id, now)
    page, last = cut(rows, query.limit)
    return ReservationPage(
        items=[_reservation(row, now) for row in page],
        next_cursor=_CURSORS.encode((last.id,)) if last is not None else None,
    )


async def _find(
    services: ApiServices, query: ReservationQuery, before_id: int, now: datetime
) -> list[ReservationRecord]:
    charge_point_id, status, page_size = query.charge_point_id, query.status, query.limit + 1
    # What is overdue has expired, whether that is booked already or not.
    expires_after = now if status is ReservationState.ACCEPTED else _EVER
    async with services.readers.connection() as connection:
        if charge_point_id is not None and status is not None:
            return await readers.list_reservations_of_charge_point_by_status(
                connection,
                charge_point_id=charge_point_id,
                status=status,
                before_id=before_id,
                expires_after=expires_after,
                page_size=page_size,
            )
        if charge_point_id is not None:
            return await readers.list_reservations_of_charge_point(
                connection, charge_point_id=charge_point_id, before_id=before_id, page_size=page_size
            )
        if status is not None:
            return await readers.list_reservations_by_status(
                connection, status=status, before_id=before_id, expires_after=expires_after, page_size=page_size
            )
        return await readers.list_reservations(connection, before_id=before_id, page_size=page_size)


def _reservation(row: ReservationRecord, now: datetime) -> Reservation:
    return Reservation(
        reservation_id=row.reservation_id,
        charge_point_id=row.charge_point_id,
        connector_id=row.connector_id,
        id_tag=row.id_tag,
        parent_id_tag=row.parent_id_tag,
        expiry_date=row.expiry_date,
        status=status_at(row, now),
        created_at=row.created_at,
        transaction_id=row.transaction_id,
    )
