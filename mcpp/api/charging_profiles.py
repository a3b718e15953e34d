"""`/charging-profiles`: `csChargingProfiles` objects in OCPP's spelling, for commands that name them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from mcpp.api.bodies import NewName
from mcpp.api.commands import any_of
from mcpp.api.models import ChargingProfilePage
from mcpp.api.problems import documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.csms.decoding import decode_payload
from mcpp.domain import charging_profiles
from mcpp.ocppj.errors import InvalidPayload
from mcpp.reads import charging_profiles as reads
from mcpp.reads.charging_profiles import NamedProfile
from mcpp.reads.paging import Page, PageQuery

STORED_PROFILE: Final = "StoredChargingProfile"
"""The OpenAPI component of a charging profile of any version."""

router = Routes(prefix="/charging-profiles", tags=["charging profiles"])

_PROFILE: Final[dict[str, Any]] = {
    "application/json": {"schema": any_of([STORED_PROFILE])},
}
_CHANGED: Final = documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("", response_model=ChargingProfilePage, responses=AS_TABLE)
async def list_charging_profiles(
    services: FromServices, tables: FromTables, query: Annotated[PageQuery, Query()]
) -> Page[NamedProfile] | Response:
    """Stored charging profiles."""
    return await tables.answer_page(query, ChargingProfilePage, partial(reads.list_page, services.readers))


@router.get(
    "/{name}",
    response_class=Response,
    responses={HTTPStatus.OK: {"content": _PROFILE}, **documented(HTTPStatus.NOT_FOUND)},
)
async def get_charging_profile(services: FromServices, name: str) -> Response:
    """One charging profile, as it was stored."""
    profile = found(
        await reads.find_text(services.readers, name), f"no charging profile is stored by the name {name!r}"
    )
    return Response(profile, media_type="application/json")


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
    version = _version_of(services.charging_profiles, payload)
    created = await services.writer.submit(charging_profiles.put, name, payload.decode(), version)
    return Response(payload, HTTPStatus.CREATED if created else HTTPStatus.OK, media_type="application/json")


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_charging_profile(services: FromServices, name: str) -> None:
    """Forget a charging profile; chargers that have it keep it."""
    await services.writer.submit(charging_profiles.delete, name)


def _version_of(models: Mapping[str, type[BaseModel]], payload: bytes) -> str:
    """The oldest version whose profile it is: the command that names it is checked again. Raises InvalidPayload."""
    refusals: list[InvalidPayload] = []
    for version, model in models.items():
        try:
            decode_payload(model, payload)
        except InvalidPayload as refusal:
            refusals.append(refusal)
        else:
            return version
    raise refusals[0]
