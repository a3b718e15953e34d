"""Monitors of variables (OCPP 2.0.1 part 2, N02 to N06): their reports, and what answers about them mean."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from functools import partial
from typing import Final

from mcpp import bounds
from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_model, device_reports
from mcpp.domain.device_model import Monitor
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep_report
from mcpp.ocpp2.naming import ref_of, reported_by
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ClearMonitoringStatusEnumType,
    ClearVariableMonitoringRequest,
    ClearVariableMonitoringResponse,
    EventNotificationEnumType,
    GenericDeviceModelStatusEnumType,
    GetMonitoringReportRequest,
    GetMonitoringReportResponse,
    MonitoringDataType,
    NotifyMonitoringReportRequest,
    NotifyMonitoringReportResponse,
    SetMonitoringDataType,
    SetMonitoringResultType,
    SetMonitoringStatusEnumType,
    SetVariableMonitoringRequest,
    SetVariableMonitoringResponse,
)

_GONE: Final = frozenset({ClearMonitoringStatusEnumType.ACCEPTED, ClearMonitoringStatusEnumType.NOT_FOUND})
_KIND: Final = DeviceReportKind.MONITORS


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.NOTIFY_MONITORING_REPORT, notify_monitoring_report)


def notify_monitoring_report(
    context: CallContext, request: NotifyMonitoringReportRequest
) -> Pending[NotifyMonitoringReportResponse] | Awaitable[NotifyMonitoringReportResponse]:
    """N02: a part of a report of monitors."""
    size = sum([len(told.variable_monitoring) for told in request.monitor or ()]) * bounds.DEVICE_MONITOR_ROW
    answer = NotifyMonitoringReportResponse()
    return keep_report(context, answer, size, device_model.note_monitors, partial(_read, request))


def _read(request: NotifyMonitoringReportRequest) -> tuple[list[Monitor], ReportChunk]:
    chunk = ReportChunk(
        kind=_KIND,
        request_id=request.request_id,
        seq_no=request.seq_no,
        is_last=not request.tbc,
        content=reported_by(request),
    )
    return [monitor for told in request.monitor or () for monitor in _monitors(told)], chunk


def _monitors(told: MonitoringDataType) -> Iterator[Monitor]:
    for monitor in told.variable_monitoring:
        # 2.0.1 doesn't say who made it (see repairs.py).
        origin: EventNotificationEnumType | None = monitor.event_notification_type
        yield Monitor(
            monitor_id=monitor.id,
            ref=ref_of(told.component, told.variable),
            type=monitor.type.value,
            value=monitor.value,
            severity=monitor.severity,
            transaction_only=monitor.transaction,
            origin=None if origin is None else origin.value,
        )


def _get_monitoring_report(
    request: GetMonitoringReportRequest, response: GetMonitoringReportResponse
) -> Meaning | None:
    """N02: without criteria it's a report of all that there are."""
    if response.status is not GenericDeviceModelStatusEnumType.ACCEPTED:
        return None
    is_full = not request.component_variable and not request.monitoring_criteria
    return Meaning(
        partial(device_reports.note_report_request, kind=_KIND, request_id=request.request_id, is_full=is_full)
    )


def _set_variable_monitoring(
    request: SetVariableMonitoringRequest, response: SetVariableMonitoringResponse
) -> Meaning | None:
    """N04. Results come in any order, and name no value."""
    left = list(request.set_monitoring_data)
    monitors: list[Monitor] = []
    for result in response.set_monitoring_result:
        wanted = next((it for it in left if _is_about(result, it)), None)
        if wanted is None:
            continue
        left.remove(wanted)
        if result.status is SetMonitoringStatusEnumType.ACCEPTED and result.id is not None:
            monitors.append(
                Monitor(
                    monitor_id=result.id,
                    ref=ref_of(wanted.component, wanted.variable),
                    type=wanted.type.value,
                    value=wanted.value,
                    severity=result.severity,
                    transaction_only=bool(wanted.transaction),
                    origin=EventNotificationEnumType.CUSTOM_MONITOR.value,
                )
            )
    return Meaning(partial(device_model.note_monitors, monitors=monitors)) if monitors else None


def _is_about(result: SetMonitoringResultType, wanted: SetMonitoringDataType) -> bool:
    told, asked = ref_of(result.component, result.variable), ref_of(wanted.component, wanted.variable)
    is_same = told.key.casefold() == asked.key.casefold() and result.type is wanted.type
    return is_same and (wanted.id is None or result.id is None or wanted.id == result.id)


def _clear_variable_monitoring(
    _: ClearVariableMonitoringRequest, response: ClearVariableMonitoringResponse
) -> Meaning | None:
    """N06."""
    gone = [result.id for result in response.clear_monitoring_result if result.status in _GONE]
    return Meaning(partial(device_model.note_monitors, monitors=(), gone=gone)) if gone else None


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.CLEAR_VARIABLE_MONITORING, _clear_variable_monitoring),
        means(actions.GET_MONITORING_REPORT, _get_monitoring_report),
        means(actions.SET_VARIABLE_MONITORING, _set_variable_monitoring),
    )
)
