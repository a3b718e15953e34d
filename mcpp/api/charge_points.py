"""`/charge-points`: the chargers, what they said of themselves, and which are connected."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import aiosqlite
from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter

from mcpp.api.models import ChargePoint, ChargePointPage, Connector
from mcpp.api.paging import Cursors, PageQuery, cut
from mcpp.api.problems import documented, not_found
from mcpp.api.services import ApiServices, FromServices
from mcpp_generated.db import models, readers

router = APIRouter(prefix="/charge-points", tags=["charge points"])

_CURSORS = Cursors(TypeAdapter(tuple[str]))

_IDENTITIES_AT_ONCE = 5000
"""Looked through in one step for those that are, or aren't, connected: some milliseconds."""


class ChargePointQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    connected: bool | None = Field(None, description="Only those that are connected now, or are not.")
    vendor: str | None = Field(None, description="Only this vendor's, as the chargers spell it.")


@router.get("", response_model=ChargePointPage, responses=documented(HTTPStatus.UNPROCESSABLE_ENTITY))
async def list_charge_points(services: FromServices, query: Annotated[ChargePointQuery, Query()]) -> ChargePointPage:
    """Charge points by identity."""
    (after,) = _CURSORS.decode(query.cursor, ("",))
    async with services.readers.connection() as connection:
        found = await _find_identities(connection, services, query, after)
        identities, last = cut(found, query.limit)
        items = await _read(connection, services, identities)
    return ChargePointPage(items=items, next_cursor=_CURSORS.encode((last,)) if last is not None else None)


@router.get(
    "/{id}",
    response_model=ChargePoint,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def get_charge_point(services: FromServices, id: str) -> ChargePoint:  # noqa: A002  the interface's name
    """One charge point."""
    async with services.readers.connection() as connection:
        items = await _read(connection, services, [id])
    if not items:
        raise not_found(f"there is no charge point {id!r}")
    return items[0]


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


async def _read(connection: aiosqlite.Connection, services: ApiServices, identities: list[str]) -> list[ChargePoint]:
    rows = await readers.get_charge_points(connection, identities=identities)
    connectors: dict[int, list[Connector]] = {row.id: [] for row in rows}
    for connector in await readers.list_connectors(connection, charge_point_ids=list(connectors)):
        connectors[connector.charge_point_id].append(_connector(connector))
    return [_charge_point(services, row, connectors[row.id]) for row in rows]


def _connector(row: models.ListConnectorsRow) -> Connector:
    return Connector(
        connector_id=row.connector_id,
        status=row.status,
        error_code=row.error_code,
        status_at=row.status_at,
        transaction_id=row.transaction_id,
    )


def _charge_point(services: ApiServices, row: models.ChargePoint, connectors: list[Connector]) -> ChargePoint:
    fresher = services.stamps.waiting(row.id)
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
