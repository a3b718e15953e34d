"""`/reservations`: what charge points have accepted, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from mcpp.api.models import ReservationPage
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.reads import reservations as reads
from mcpp.reads.paging import Page
from mcpp.reads.reservations import Reservation, ReservationQuery

router = Routes(prefix="/reservations", tags=["reservations"])


@router.get("", response_model=ReservationPage)
async def list_reservations(services: FromServices, query: Annotated[ReservationQuery, Query()]) -> Page[Reservation]:
    """Reservations, newest first."""
    return await reads.list_page(services.readers, query, services.clock.now())
