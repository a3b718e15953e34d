"""`/charging-profiles`: `csChargingProfiles` objects in OCPP's spelling, for commands that name them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.responses import Response

from mcpp.api.bodies import NewName
from mcpp.api.models import ChargingProfilePage, NamedProfile
from mcpp.api.paging import Cursors, PageQuery, cut
from mcpp.api.problems import documented, not_found
from mcpp.api.services import FromServices
from mcpp.domain import charging_profiles
from mcpp_generated.db import readers

router = APIRouter(prefix="/charging-profiles", tags=["charging profiles"])

_CURSORS = Cursors(TypeAdapter(tuple[str]))

_PROFILE: Final[dict[str, Any]] = {
    "application/json": {"schema": {"$ref": "#/components/schemas/ChargingProfile"}},
}
_CHANGED: Final = documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("", response_model=ChargingProfilePage)
async def list_charging_profiles(services: FromServices, query: Annotated[PageQuery, Query()]) -> ChargingProfilePage:
    """Stored charging profiles."""
    (after,) = _CURSORS.decode(query.cursor, ("",))
    async with services.readers.connection() as connection:
        rows = await readers.list_charging_profiles(connection, after=after, page_size=query.limit + 1)
    page, last = cut(rows, query.limit)
    items = [NamedProfile(name=row.name, profile=json.loads(row.profile)) for row in page]
    return ChargingProfilePage(items=items, next_cursor=_CURSORS.encode((last.name,)) if last is not None else None)


@router.get(
    "/{name}",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": _PROFILE}, **documented(HTTPStatus.NOT_FOUND)},
)
async def get_charging_profile(services: FromServices, name: str) -> Response:
    """One charging profile, as it was stored."""
    async with services.readers.connection() as connection:
        row = await readers.get_charging_profile(connection, name=name)
    if row is None:
        raise not_found(f"no charging profile is stored by the name {name!r}")
    return Response(row.profile, media_type="application/json")


@router.put(
    "/{name}",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": _PROFILE},
        HTTPStatus.CREATED: {"content": _PROFILE, "description": "It is a new one."},
        **_CHANGED,
    },
    openapi_extra={"requestBody": {"required": True, "content": _PROFILE}},
)
async def put_charging_profile(services: FromServices, request: Request, name: NewName) -> Response:
    """Store a charging profile under a name, in place of the one that had it.

    Commands name it as `{"chargingProfile": {"$ref": "name"}}` or `{"csChargingProfiles": {"$ref": "name"}}`.
    """
    payload = await request.body()
    services.check_charging_profile(payload)
    created = await services.writer.submit(charging_profiles.put, name, payload.decode())
    return Response(payload, HTTPStatus.CREATED if created else HTTPStatus.OK, media_type="application/json")


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_charging_profile(services: FromServices, name: str) -> None:
    """Forget a charging profile; chargers that have it keep it."""
    await services.writer.submit(charging_profiles.delete, name)
