"""`/charge-points`: the chargers, what they reported, which are connected, and what operators have set for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api import models
from mcpp.api.bodies import NewIdentity, WantedChargePoint
from mcpp.api.commands import ANY_ANSWER, answer_command, answered_by
from mcpp.api.problems import Mistake, conflict, documented, found, invalid_payload, not_found
from mcpp.api.routes import Routes
from mcpp.api.services import ApiServices, FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain import charge_points
from mcpp.domain.charge_points import KEEP, Keep, Wanted
from mcpp.domain.errors import no_charge_point
from mcpp.domain.retention import purge_portion
from mcpp.phrases import Phrase, phrase_of
from mcpp.reads import configuration
from mcpp.reads.charge_points import ChargePoint, ChargePointDetail, ChargePointQuery
from mcpp.reads.paging import Page, PageQuery

router = Routes(prefix="/charge-points", tags=["charge points"], responses=documented(HTTPStatus.BAD_REQUEST))


STILL_CONNECTED: Final = "{identity} is connected; purge=true ends its connection and forgets its transactions, too"
STILL_HAS_TRANSACTIONS: Final = "{identity} has {count} transactions; purge=true forgets them, too"
"""For whoever asks by the API; the pages have words of their own for both."""


@router.get("", response_model=models.ChargePointPage, responses=AS_TABLE)
async def list_charge_points(
    services: FromServices, tables: FromTables, query: Annotated[ChargePointQuery, Query()]
) -> Page[ChargePoint] | Response:
    """Charge points by identity."""
    return await tables.answer_page(query, models.ChargePointPage, services.charge_points.list_page)


@router.get("/{id}", response_model=models.ChargePointDetail, responses=documented(HTTPStatus.NOT_FOUND))
async def get_charge_point(services: FromServices, id: str) -> ChargePointDetail:  # noqa: A002  the interface's name
    """One charge point."""
    return await _find_detail(services, id)


@router.put(
    "/{id}",
    response_model=models.ChargePointDetail,
    responses={
        HTTPStatus.CREATED: {"model": models.ChargePointDetail, "description": "It is a new one."},
        **documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def put_charge_point(
    services: FromServices,
    response: Response,
    id: NewIdentity,  # noqa: A002
    wanted: WantedChargePoint,
) -> ChargePointDetail:
    """Register a charge point ahead of time, or change its settings; what isn't given stays as it is."""
    given = wanted.model_fields_set
    if wanted.security_profile is not None:
        try:
            services.check_profile(wanted.security_profile)
        except ValueError as error:
            raise invalid_payload([Mistake(location="body.security_profile", message=phrase_of(error))]) from error
    unspoken = [version for version in wanted.ocpp_versions or () if version not in services.ocpp_versions]
    if unspoken:
        message = Phrase(
            "should be among those that this server speaks: {versions}", versions=", ".join(services.ocpp_versions)
        )
        raise invalid_payload([Mistake(location="body.ocpp_versions", message=message)])
    password_hash: str | Keep | None = KEEP
    if "password" in given:
        password = wanted.password
        password_hash = None if password is None else await services.hash_password(password.get_secret_value())
    registered = await services.change(
        charge_points.change_charge_point,
        id,
        Wanted(
            display_name=wanted.display_name if "display_name" in given else KEEP,
            auto_start=wanted.auto_start if "auto_start" in given else KEEP,
            rated_power_w=wanted.rated_power_w if "rated_power_w" in given else KEEP,
            password_hash=password_hash,
            security_profile=wanted.security_profile if "security_profile" in given else KEEP,
            certificate_serial=wanted.certificate_serial if "certificate_serial" in given else KEEP,
            ocpp_versions=wanted.ocpp_versions if "ocpp_versions" in given else KEEP,
        ),
    )
    if registered.created:
        response.status_code = HTTPStatus.CREATED
    return await _find_detail(services, id)


@router.delete(
    "/{id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def delete_charge_point(
    services: FromServices,
    id: str,  # noqa: A002
    purge: Annotated[bool, Query(description="Its connection and its transactions go with it.")] = False,
) -> None:
    """Forget a charge point. One that is connected is forgotten with `purge` only, which ends its connection."""
    if services.live.connected(id):
        if not purge:
            raise conflict(Phrase(STILL_CONNECTED, identity=id))
        services.disconnect(id)
    if purge:
        async with services.readers.reader() as reader:
            (known,) = await reader.get_charge_points(identities=[id]) or (None,)
        while known is not None and await services.writer.submit_about(known.key, purge_portion, known.key):
            pass  # other charge points' messages have their turn
    deletion = await services.change(charge_points.delete_charge_point, id, purge=purge)
    if deletion is None:
        raise not_found(no_charge_point(id))
    if not deletion.deleted:
        raise conflict(Phrase(STILL_HAS_TRANSACTIONS, identity=id, count=deletion.transactions))
    services.frames.forget(id)
    if services.files is not None:
        await services.files.sweep()


@router.get(
    "/{id}/configuration",
    response_model=models.ConfigurationPage,
    responses=AS_TABLE | documented(HTTPStatus.NOT_FOUND),
)
async def get_configuration(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002
    query: Annotated[PageQuery, Query()],
) -> Page[configuration.KnownKey] | Response:
    """The configuration as last known: what the charger reported, and what it accepted to be changed.

    Of OCPP 1.6 its keys; of 2.x the variables of its device model, with keys such as `OCPPCommCtrlr.HeartbeatInterval`.
    """

    async def read(query: PageQuery) -> Page[configuration.KnownKey]:
        return found(await configuration.list_page(services.readers, id, query), no_charge_point(id))

    return await tables.answer_page(query, models.ConfigurationPage, read)


@router.post("/{id}/local-list/sync", response_class=Response, responses=answered_by(ANY_ANSWER))
async def sync_local_list(request: Request, services: FromServices, id: str) -> Response:  # noqa: A002
    """Bring the charge point's local list in line with the stored tags; answers as the last command that was sent."""
    return await answer_command(request, services, id, services.sync_local_list(id))


async def _find_detail(services: ApiServices, charge_point_id: str) -> ChargePointDetail:
    return found(await services.charge_points.find_detail(charge_point_id), no_charge_point(charge_point_id))
