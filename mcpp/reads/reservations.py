"""Reservations: what charge points have accepted, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcpp.domain.reservations import status_at
from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, newest_first
from mcpp.reads.times import BEFORE_ALL
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ReservationRecord
from mcpp_generated.db.readers import Readers

_CURSORS: Final[Cursors[ReservationRecord, tuple[RowId]]] = newest_first(lambda row: row.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A reservation; `connector_id` 0 is for any connector, of its EVSE where it has one."""

    reservation_id: int
    charge_point_id: str
    connector_id: int
    evse_id: int
    """0 where the charge point's OCPP version has connectors only, or for any EVSE."""
    id_tag: str
    parent_id_tag: str | None
    expiry_date: datetime
    status: ReservationState
    """What is overdue has expired, whether that is stored already or not."""
    created_at: datetime
    transaction_id: int | None
    """Of the transaction that used it."""


class ReservationQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None
    status: ReservationState | None = None


async def list_page(pool: ReaderPool, query: ReservationQuery, now: datetime) -> Page[Reservation]:
    """Reservations as they stand now, those booked last first. Raises BadCursor."""
    (before_id,) = _CURSORS.start(query)
    async with pool.reader() as q:
        rows = await _find_records(q, query, before_id, now)
    return _CURSORS.page(rows, query).map(lambda row: _reservation(row, now))


async def _find_records(q: Readers, query: ReservationQuery, before_id: int, now: datetime) -> list[ReservationRecord]:
    """One more than the page takes, where there are so many."""
    charge_point_id, status, page_size = query.charge_point_id, query.status, query.limit + 1
    expires_after = now if status is ReservationState.ACCEPTED else BEFORE_ALL
    if charge_point_id is not None and status is not None:
        return await q.list_reservations_of_charge_point_by_status(
            charge_point_id=charge_point_id,
            status=status,
            before_id=before_id,
            expires_after=expires_after,
            page_size=page_size,
        )
    if charge_point_id is not None:
        return await q.list_reservations_of_charge_point(
            charge_point_id=charge_point_id, before_id=before_id, page_size=page_size
        )
    if status is not None:
        return await q.list_reservations_by_status(
            status=status, before_id=before_id, expires_after=expires_after, page_size=page_size
        )
    return await q.list_reservations(before_id=before_id, page_size=page_size)


def _reservation(row: ReservationRecord, now: datetime) -> Reservation:
    return Reservation(
        reservation_id=row.reservation_id,
        charge_point_id=row.charge_point_id,
        connector_id=row.connector_id,
        evse_id=row.evse_id,
        id_tag=row.id_tag,
        parent_id_tag=row.parent_id_tag,
        expiry_date=row.expiry_date,
        status=status_at(row, now),
        created_at=row.created_at,
        transaction_id=row.transaction_id,
    )
