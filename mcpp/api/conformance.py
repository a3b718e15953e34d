"""`/conformance`: what chargers depart in from OCPP's contract, one by one or by vendor, model and firmware."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from mcpp.api.models import DeparturePage, SharedDeparturePage
from mcpp.api.problems import documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain.errors import no_charge_point
from mcpp.reads import conformance
from mcpp.reads.conformance import ConformanceQuery, Departure, SharedDeparture
from mcpp.reads.paging import Page

router = Routes(tags=["conformance"])


@router.get("/conformance", response_model=SharedDeparturePage, responses=AS_TABLE)
async def list_conformance(
    services: FromServices, tables: FromTables, query: Annotated[ConformanceQuery, Query()]
) -> Page[SharedDeparture] | Response:
    """What chargers depart in from the contract, summed up by vendor, model and firmware. Some seconds behind."""
    return await tables.answer_page(query, SharedDeparturePage, partial(conformance.list_page, services.readers))


@router.get(
    "/charge-points/{id}/conformance",
    response_model=DeparturePage,
    responses=AS_TABLE | documented(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
)
async def list_conformance_of_charge_point(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002  the interface's name
    query: Annotated[ConformanceQuery, Query()],
) -> Page[Departure] | Response:
    """What one charge point departs in from the contract, by firmware. Some seconds behind."""

    async def read(query: ConformanceQuery) -> Page[Departure]:
        page = await conformance.list_page_of(services.readers, id, query)
        return found(page, no_charge_point(id))

    return await tables.answer_page(query, DeparturePage, read)
