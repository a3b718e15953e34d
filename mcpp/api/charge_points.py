"""`/charge-points`: the chargers, what they said of themselves, which are connected, and what they are told to be."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import aiosqlite
from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from mcpp.api.bodies import NewIdentity, WantedChargePoint
from mcpp.api.commands import answer_command, answered_by
from mcpp.api.models import (
    ChargePoint,
    ChargePointDetail,
    ChargePointPage,
    ConfigurationKey,
    ConfigurationPage,
    Connector,
    OrderedAvailability,
    Report,
)
from mcpp.api.paging import Cursors, PageQuery, cut
from mcpp.api.problems import conflict, documented, not_found
from mcpp.api.services import ApiServices, FromServices
from mcpp.domain import charge_points
from mcpp.domain.charge_points import KEEP, Keep, Wanted
from mcpp_generated.db import models, readers

router = APIRouter(prefix="/charge-points", tags=["charge points"], responses=documented(HTTPStatus.BAD_REQUEST))

_CURSORS = Cursors(TypeAdapter(tuple[str]))

_IDENTITIES_AT_ONCE = 5000
"""Looked through in one step for those that are, or aren't, connected: some milliseconds."""


class ChargePointQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    connected: bool | None = Field(None, description="Only those that are connected now, or are not.")
    vendor: str | None = Field(None, description="Only this vendor's, as the chargers spell it.")


@router.get("", response_model=ChargePointPage)
async def list_charge_points(services: FromServices, query: Annotated[ChargePointQuery, Query()]) -> ChargePointPage:
    """Charge points by identity."""
    (after,) = _CURSORS.decode(query.cursor, ("",))
    async with services.readers.connection() as connection:
        found = await _find_identities(connection, services, query, after)
        identities, last = cut(found, query.limit)
        items = await _read(connection, services, identities)
    return ChargePointPage(items=items, next_cursor=_CURSORS.encode((last,)) if last is not None else None)


@router.get("/{id}", response_model=ChargePointDetail, responses=documented(HTTPStatus.NOT_FOUND))
async def get_charge_point(services: FromServices, id: str) -> ChargePointDetail:  # noqa: A002  the interface's name
    """One charge point."""
    return await _read_detail(services, id)


@router.put(
    "/{id}",
    response_model=ChargePointDetail,
    responses={
        HTTPStatus.CREATED: {"model": ChargePointDetail, "description": "It is a new one."},
        **documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
    },
)
async def put_charge_point(
    services: FromServices,
    response: Response,
    id: NewIdentity,  # noqa: A002
    wanted: WantedChargePoint,
) -> ChargePointDetail:
    """Register a charge point ahead of time, or change what was said of it; what isn't given stays as it is."""
    given = wanted.model_fields_set
    password_hash: str | Keep | None = KEEP
    if "password" in given:
        password = wanted.password
        password_hash = None if password is None else await services.hash_password(password.get_secret_value())
    registered = await services.writer.submit(
        charge_points.put_charge_point,
        id,
        Wanted(
            display_name=wanted.display_name if "display_name" in given else KEEP,
            auto_start=wanted.auto_start if "auto_start" in given else KEEP,
            password_hash=password_hash,
        ),
        datetime.now(UTC),
    )
    if registered.created:
        response.status_code = HTTPStatus.CREATED
    return await _read_detail(services, id)


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
            raise conflict(f"{id} is connected; purge=true ends its connection and forgets its transactions, too")
        services.disconnect(id)
    deletion = await services.change(charge_points.delete_charge_point, id, purge=purge)
    if deletion is None:
        raise _no_charge_point(id)
    if not deletion.deleted:
        raise conflict(f"{id} has {deletion.transactions} transactions; purge=true forgets them, too")
    if services.files is not None:
        await services.files.sweep()


@router.get(
    "/{id}/configuration",
    response_model=ConfigurationPage,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_configuration(
    services: FromServices,
    id: str,  # noqa: A002
    query: Annotated[PageQuery, Query()],
) -> ConfigurationPage:
    """The configuration keys as last known: from GetConfiguration, and from each accepted ChangeConfiguration."""
    (after,) = _CURSORS.decode(query.cursor, ("",))
    async with services.readers.connection() as connection:
        row = await readers.get_charge_point(connection, identity=id)
        if row is None:
            raise _no_charge_point(id)
        keys = await readers.list_configuration_page(
            connection, charge_point_key=row.key, after=after, page_size=query.limit + 1
        )
    page, last = cut(keys, query.limit)
    items = [ConfigurationKey(key=k.key, value=k.value, readonly=k.readonly, known_at=k.known_at) for k in page]
    return ConfigurationPage(items=items, next_cursor=_CURSORS.encode((last.key,)) if last is not None else None)


@router.post("/{id}/local-list/sync", response_class=Response, responses=answered_by("SendLocalList"))
async def sync_local_list(request: Request, services: FromServices, id: str) -> Response:  # noqa: A002
    """Bring the charge point's local list in line with the stored tags; answers as its last SendLocalList."""
    return await answer_command(request, services, id, services.sync_local_list(id))


def _no_charge_point(identity: str) -> Exception:
    return not_found(f"there is no charge point {identity!r}")


async def _find_identities(
    connection: aiosqlite.Connection, services: ApiServices, query: ChargePointQuery, after: str
) -> list[str]:
    """Identities behind `after` that the filters let through: one more than the page takes, where there are so many."""
    wanted = query.limit + 1
    step = wanted if query.connected is None else _IDENTITIES_AT_ONCE
    found: list[str] = []
    while len(found) < wanted:
        if query.vendor is None:
            identities = await readers.list_identities(connection, after=after, page_size=step)
        else:
            identities = await readers.list_identities_by_vendor(
                connection, vendor=query.vendor, after=after, page_size=step
            )
        found += [i for i in identities if query.connected in {None, services.live.connected(i)}]
        if len(identities) < step:
            break
        after = identities[-1]
    return found[:wanted]


async def _read_detail(services: ApiServices, identity: str) -> ChargePointDetail:
    async with services.readers.connection() as connection:
        row = await readers.get_charge_point(connection, identity=identity)
        if row is None:
            raise _no_charge_point(identity)
        connectors = await readers.list_connectors(connection, charge_point_keys=[row.key])
        reports = await readers.list_reports(connection, charge_point_key=row.key)
        local_list = await readers.get_local_list(connection, charge_point_key=row.key)
    return ChargePointDetail(
        **dict(_charge_point(services, row, [_connector(connector) for connector in connectors])),
        ordered_availability=[
            OrderedAvailability(connector_id=c.connector_id, availability=c.ordered_availability)
            for c in connectors
            if c.ordered_availability is not None
        ],
        reports=[
            Report(kind=r.kind, status=r.status, request_id=r.request_id, reported_at=r.reported_at) for r in reports
        ],
        local_list_version=local_list.version if local_list is not None else None,
    )


async def _read(connection: aiosqlite.Connection, services: ApiServices, identities: list[str]) -> list[ChargePoint]:
    rows = await readers.get_charge_points(connection, identities=identities)
    connectors: dict[int, list[Connector]] = {row.key: [] for row in rows}
    for connector in await readers.list_connectors(connection, charge_point_keys=list(connectors)):
        connectors[connector.charge_point_key].append(_connector(connector))
    return [_charge_point(services, row, connectors[row.key]) for row in rows]


def _connector(row: models.ListConnectorsRow) -> Connector:
    return Connector(
        connector_id=row.connector_id,
        status=row.status,
        error_code=row.error_code,
        status_at=row.status_at,
        transaction_id=row.transaction_id,
    )


def _charge_point(services: ApiServices, row: models.ChargePoint, connectors: list[Connector]) -> ChargePoint:
    fresher = services.stamps.waiting(row.key)
    return ChargePoint(
        id=row.identity,
        connected=services.live.connected(row.identity),
        ocpp_version=row.ocpp_version,
        display_name=row.display_name,
        vendor=row.vendor,
        model=row.model,
        serial_number=row.serial_number,
        firmware_version=row.firmware_version,
        connectors=connectors,
        auto_start=row.auto_start,
        last_connect_at=row.last_connect_at,
        last_disconnect_at=row.last_disconnect_at,
        last_boot_at=row.last_boot_at,
        last_heartbeat_at=fresher.heartbeat_at or row.last_heartbeat_at,
        last_status_at=row.last_status_at,
        last_meter_values_at=fresher.meter_values_at or row.last_meter_values_at,
        last_tx_start_at=row.last_tx_start_at,
        last_tx_stop_at=row.last_tx_stop_at,
        last_error_at=row.last_error_at,
    )
