"""The device model of charge points (OCPP 2.x): variables, monitors, events, and the reports that came in chunks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict

from pydantic import Field, JsonValue, TypeAdapter

from mcpp.domain.device_reports import missing
from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, by_name, newest_first
from mcpp.redaction import redact
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind, Mutability, VariableAttribute
from mcpp_generated.db.models import DeviceEvent, DeviceMonitor, DeviceReport, DeviceReportChunk, DeviceVariable


class VariableQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    component: str | None = Field(None, description="Letter case doesn't matter, nor does it in `variable`.")
    variable: str | None = None
    evse_id: int | None = Field(None, ge=0, le=2**63 - 1, description="0: of the charge point as a whole.")
    search: str = Field("", max_length=300, description="A part of the key.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What names a variable; None for what its charge point doesn't say."""

    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVariable(_Named):
    """An attribute of a variable, as last known."""

    key: str
    """As mcpp.domain.variables spells it."""
    attribute: VariableAttribute
    value: str | None
    """None where it's secret, or has none."""
    mutability: Mutability | None
    data_type: str | None
    unit: str | None
    min_limit: str | None
    max_limit: str | None
    max_elements: int | None
    values_list: str | None
    supports_monitoring: bool | None
    persistent: bool | None
    constant: bool | None
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMonitor(_Named):
    """A monitor of a variable."""

    monitor_id: int
    key: str
    """The variable's."""
    type: str
    value: str
    severity: int
    transaction_only: bool
    origin: str | None
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDeviceEvent(_Named):
    """What happened in the devices of a charge point."""

    id: int
    kind: DeviceEventKind
    event_id: int
    occurred_at: datetime
    received_at: datetime
    subject: str
    value: str | None
    trigger: str | None
    cause: int | None
    severity: int | None
    cleared: bool
    tech_code: str | None
    tech_info: str | None
    monitor_id: int | None
    origin: str | None
    ocpp_transaction_id: str | None
    details: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """A report that comes in chunks, and how far it is."""

    kind: DeviceReportKind
    request_id: int
    requested_at: datetime | None
    """When the charge point agreed to send it; None where that isn't known."""
    first_at: datetime | None
    last_at: datetime | None
    full: bool
    """Of all that there is of its kind."""
    complete: bool
    """Its last chunk came."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers that no chunk of a report had."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDetail(ShownReport):
    """A report with what its chunks say together."""

    chunks: int
    gaps: list[Gap]
    content: Mapping[str, JsonValue]


_VARIABLES: Final[Cursors[DeviceVariable, tuple[str]]] = by_name(lambda row: row.key)
_MONITORS: Final[Cursors[DeviceMonitor, tuple[RowId]]] = Cursors(
    TypeAdapter(tuple[RowId]), (-(2**63),), lambda row: (row.monitor_id,)
)
_EVENTS: Final[Cursors[DeviceEvent, tuple[RowId]]] = newest_first(lambda row: row.id)
_REPORTS: Final[Cursors[DeviceReport, tuple[RowId]]] = newest_first(lambda row: row.id)


async def list_variables(pool: ReaderPool, charge_point_id: str, query: VariableQuery) -> Page[ShownVariable] | None:
    """A charge point's variables by key; None where it's unknown. Raises BadCursor."""
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        key = charge_point.key

        async def fetch(after: tuple[str], count: int) -> list[DeviceVariable]:
            return await q.list_variables(
                charge_point_key=key,
                after=after[0],
                component=query.component,
                variable=query.variable,
                evse_id=query.evse_id,
                search=query.search,
                page_size=count,
            )

        page = await _VARIABLES.read(query, fetch)
    return page.map(_variable)


async def has_variables(pool: ReaderPool, charge_point_id: str) -> bool:
    """Whether anything is known of a charge point's device model."""
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        return charge_point is not None and await q.find_variable(charge_point_key=charge_point.key) is not None


async def list_monitors(pool: ReaderPool, charge_point_id: str, query: PageQuery) -> Page[ShownMonitor] | None:
    """A charge point's monitors by their ids; None where it's unknown. Raises BadCursor."""
    (after,) = _MONITORS.start(query)
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        rows = await q.list_monitors(charge_point_key=charge_point.key, after=after, page_size=query.limit + 1)
    return _MONITORS.page(rows, query).map(_monitor)


async def list_events(pool: ReaderPool, charge_point_id: str, query: PageQuery) -> Page[ShownDeviceEvent] | None:
    """What happened in a charge point's devices, the newest first; None where it's unknown. Raises BadCursor."""
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        key = charge_point.key

        async def fetch(before: tuple[RowId], count: int) -> list[DeviceEvent]:
            return await q.list_device_events(charge_point_key=key, before_id=before[0], page_size=count)

        page = await _EVENTS.read(query, fetch)
    return page.map(_event)


async def list_reports(pool: ReaderPool, charge_point_id: str, query: PageQuery) -> Page[ShownReport] | None:
    """A charge point's reports, those first whose request is the newest; None where it's unknown. Raises BadCursor."""
    (before_id,) = _REPORTS.start(query)
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        rows = await q.list_device_reports(
            charge_point_key=charge_point.key, before_id=before_id, page_size=query.limit + 1
        )
    return _REPORTS.page(rows, query).map(lambda row: ShownReport(**_facts(row)))


async def find_report(
    pool: ReaderPool, charge_point_id: str, request_id: int, kind: DeviceReportKind | None
) -> ReportDetail | None:
    """A report by the id of its request, the newest one where no kind is asked for; None where there is none."""
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        key = charge_point.key
        if kind is None:
            row = await q.find_device_report(charge_point_key=key, request_id=request_id)
        else:
            row = await q.find_device_report_of_kind(charge_point_key=key, kind=kind, request_id=request_id)
        chunks = [] if row is None else await q.list_report_chunks(report_id=row.id)
    if row is None:
        return None
    content = redact(_together(sorted(chunks, key=_place_of)))  # once more: a text may have been cut within a secret
    assert isinstance(content, dict)
    return ReportDetail(
        **_facts(row),
        chunks=len(chunks),
        gaps=[Gap(first, last) for first, last in missing(chunk.seq_no for chunk in chunks)],
        content=content,
    )


def _place_of(chunk: DeviceReportChunk) -> tuple[int, int]:
    return chunk.seq_no, chunk.position


def _together(chunks: list[DeviceReportChunk]) -> dict[str, JsonValue]:
    """What chunks say as one: lists and texts one behind the other, of anything else the last."""
    whole: dict[str, JsonValue] = {}
    for chunk in chunks:
        content: dict[str, JsonValue] = json.loads(chunk.content)
        for name, value in content.items():
            before = whole.get(name)
            if isinstance(before, list) and isinstance(value, list):
                before.extend(value)
            elif isinstance(before, str) and isinstance(value, str):
                whole[name] = before + value
            else:
                whole[name] = value
    return whole


class _Facts(TypedDict):
    kind: DeviceReportKind
    request_id: int
    requested_at: datetime | None
    first_at: datetime | None
    last_at: datetime | None
    full: bool
    complete: bool


def _facts(row: DeviceReport) -> _Facts:
    return {
        "kind": row.kind,
        "request_id": row.request_id,
        "requested_at": row.requested_at,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "full": row.is_full,
        "complete": row.is_complete,
    }


class _Names(TypedDict):
    component: str | None
    component_instance: str | None
    evse_id: int | None
    connector_id: int | None
    variable: str | None
    variable_instance: str | None


def _names(row: DeviceVariable | DeviceMonitor | DeviceEvent) -> _Names:
    return {
        "component": row.component or None,
        "component_instance": row.component_instance or None,
        "evse_id": row.evse_id or None,
        "connector_id": row.connector_id or None,
        "variable": row.variable or None,
        "variable_instance": row.variable_instance or None,
    }


def _variable(row: DeviceVariable) -> ShownVariable:
    return ShownVariable(
        **_names(row),
        key=row.key,
        attribute=row.attribute,
        value=row.value,
        mutability=row.mutability,
        data_type=row.data_type,
        unit=row.unit,
        min_limit=None if row.min_limit is None else str(row.min_limit),
        max_limit=None if row.max_limit is None else str(row.max_limit),
        max_elements=row.max_elements,
        values_list=row.values_list,
        supports_monitoring=row.supports_monitoring,
        persistent=row.is_persistent,
        constant=row.is_constant,
        known_at=row.known_at,
    )


def _monitor(row: DeviceMonitor) -> ShownMonitor:
    return ShownMonitor(
        **_names(row),
        monitor_id=row.monitor_id,
        key=row.variable_key,
        type=row.type,
        value=str(row.value),
        severity=row.severity,
        transaction_only=row.is_transaction_only,
        origin=row.origin,
        known_at=row.known_at,
    )


def _event(row: DeviceEvent) -> ShownDeviceEvent:
    return ShownDeviceEvent(
        **_names(row),
        id=row.id,
        kind=row.kind,
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        subject=row.subject,
        value=row.value,
        trigger=row.trigger,
        cause=row.cause,
        severity=row.severity,
        cleared=row.is_cleared,
        tech_code=row.tech_code,
        tech_info=row.tech_info,
        monitor_id=row.monitor_id,
        origin=row.origin,
        ocpp_transaction_id=row.ocpp_transaction_id,
        details=json.loads(row.details),
    )
