"""`/charge-points/{id}/variables` and its like: the device model of a charge point (OCPP 2.x)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Path, Query
from starlette.responses import Response

from mcpp.api.device_models import (
    DeviceEventPage,
    DeviceReportDetail,
    DeviceReportPage,
    MonitorPage,
    VariablePage,
)
from mcpp.api.problems import documented, found
from mcpp.api.routes import Routes
from mcpp.api.services import FromServices
from mcpp.api.tables import AS_TABLE, FromTables
from mcpp.domain.errors import no_charge_point
from mcpp.reads import device_model
from mcpp.reads.device_model import (
    ReportDetail,
    ShownDeviceEvent,
    ShownMonitor,
    ShownReport,
    ShownVariable,
    VariableQuery,
)
from mcpp.reads.paging import Page, PageQuery
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import DeviceReportKind

Item = TypeVar("Item")
Wanted = TypeVar("Wanted", bound=PageQuery)

_List = Callable[[ReaderPool, str, Wanted], Awaitable[Page[Item] | None]]

router = Routes(prefix="/charge-points/{id}", tags=["device model"], responses=documented(HTTPStatus.BAD_REQUEST))

_LIST = AS_TABLE | documented(HTTPStatus.NOT_FOUND)


@router.get("/variables", response_model=VariablePage, responses=_LIST)
async def list_variables(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002  the interface's name
    query: Annotated[VariableQuery, Query()],
) -> Page[ShownVariable] | Response:
    """The variables of a charge point (OCPP 2.x) as last known, an item for each attribute; secrets have no value."""
    return await tables.answer_page(query, VariablePage, _of(services.readers, id, device_model.list_variables))


@router.get("/monitors", response_model=MonitorPage, responses=_LIST)
async def list_monitors(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002
    query: Annotated[PageQuery, Query()],
) -> Page[ShownMonitor] | Response:
    """The monitors of a charge point's variables, as last known."""
    return await tables.answer_page(query, MonitorPage, _of(services.readers, id, device_model.list_monitors))


@router.get("/device-events", response_model=DeviceEventPage, responses=_LIST)
async def list_device_events(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002
    query: Annotated[PageQuery, Query()],
) -> Page[ShownDeviceEvent] | Response:
    """What happened in a charge point's devices: what its monitors said, and other matters; the newest 1,000."""
    return await tables.answer_page(query, DeviceEventPage, _of(services.readers, id, device_model.list_events))


@router.get("/reports", response_model=DeviceReportPage, responses=_LIST)
async def list_device_reports(
    services: FromServices,
    tables: FromTables,
    id: str,  # noqa: A002
    query: Annotated[PageQuery, Query()],
) -> Page[ShownReport] | Response:
    """Reports that a charge point sent in chunks, the newest 20."""
    return await tables.answer_page(query, DeviceReportPage, _of(services.readers, id, device_model.list_reports))


@router.get("/reports/{request_id}", response_model=DeviceReportDetail, responses=documented(HTTPStatus.NOT_FOUND))
async def get_device_report(
    services: FromServices,
    id: str,  # noqa: A002
    request_id: Annotated[int, Path(ge=-(2**63), le=2**63 - 1)],
    kind: Annotated[DeviceReportKind | None, Query(description="Where several have that id; else the newest.")] = None,
) -> ReportDetail:
    """What the chunks of a report say together, by the id of the request that asked for it."""
    report = await device_model.find_report(services.readers, id, request_id, kind)
    return found(report, f"there is no report {request_id} of a charge point {id!r}")


def _of(
    readers: ReaderPool, charge_point_id: str, read: _List[Wanted, Item]
) -> Callable[[Wanted], Awaitable[Page[Item]]]:
    """A list of one charge point; 404 where it's unknown."""

    async def page(query: Wanted) -> Page[Item]:
        rows = await read(readers, charge_point_id, query)
        return found(rows, no_charge_point(charge_point_id))

    return page
