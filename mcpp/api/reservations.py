"""`/reservations`: what charge points have accepted, and what became of it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from mcpp.api.models import ReservationPage
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.reads import reservations as reads
from mcpp.reads.paging import Page
from mcpp.reads.reservations import Reservation, ReservationQuery

router = Routes(prefix="/reservations", tags=["reservations"])


@router.get("", response_model=ReservationPage, responses=AS_TABLE)
async def list_reservations(
    services: FromServices, tables: FromTables, query: Annotated[ReservationQuery, Query()]
) -> Page[Reservation] | Response:
    """Reservations, newest first."""
    read = partial(reads.list_page, services.readers, now=services.clock.now())
    return await tables.answer_page(query, ReservationPage, read)
