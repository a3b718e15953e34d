"""Distributed energy resources (OCPP 2.1 part 2, block R) and battery swap (block S): kept and shown only."""

from __future__ import annotations

from functools import partial
from typing import Final, TypeVar

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_events, device_reports
from mcpp.domain.device_events import DeviceEvent
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import content_of, reported_by
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    BatterySwapRequest,
    BatterySwapResponse,
    DERControlStatusEnumType,
    GetDERControlRequest,
    GetDERControlResponse,
    NotifyDERAlarmRequest,
    NotifyDERAlarmResponse,
    NotifyDERStartStopRequest,
    NotifyDERStartStopResponse,
    ReportDERControlRequest,
    ReportDERControlResponse,
)

R = TypeVar("R")

_CONTROLS: Final = DeviceReportKind.DER_CONTROLS


def register(router: CallRouter) -> None:
    """Route the blocks' CALLs to their handlers."""
    router.add(actions.BATTERY_SWAP, battery_swap)
    router.add(actions.NOTIFY_DER_ALARM, notify_der_alarm)
    router.add(actions.NOTIFY_DER_START_STOP, notify_der_start_stop)
    router.add(actions.REPORT_DER_CONTROL, report_der_control)


def battery_swap(context: CallContext, request: BatterySwapRequest) -> Pending[BatterySwapResponse]:
    """S01 to S03: batteries were put in or taken out."""
    event = DeviceEvent(
        subject=f"battery swap {request.event_type.value}",
        kind=DeviceEventKind.BATTERY_SWAP,
        event_id=request.request_id,
        value=request.event_type.value,
        details=content_of(request),
    )
    return _keep(context, event, BatterySwapResponse())


def notify_der_alarm(context: CallContext, request: NotifyDERAlarmRequest) -> Pending[NotifyDERAlarmResponse]:
    """R05: the grid is out of bounds that a control watches, or is back in them."""
    fault = request.grid_event_fault
    event = DeviceEvent(
        subject=request.control_type.value,
        kind=DeviceEventKind.DER_ALARM,
        occurred_at=request.timestamp,
        value=None if fault is None else fault.value,
        cleared=bool(request.alarm_ended),
        tech_info=request.extra_info,
        details=content_of(request),
    )
    return _keep(context, event, NotifyDERAlarmResponse())


def notify_der_start_stop(
    context: CallContext, request: NotifyDERStartStopRequest
) -> Pending[NotifyDERStartStopResponse]:
    """R06: a control begins or ends to work."""
    event = DeviceEvent(
        subject=request.control_id,
        kind=DeviceEventKind.DER_CONTROL,
        occurred_at=request.timestamp,
        value="started" if request.started else "stopped",
        details=content_of(request),
    )
    return _keep(context, event, NotifyDERStartStopResponse())


def report_der_control(context: CallContext, request: ReportDERControlRequest) -> Pending[ReportDERControlResponse]:
    """R04: a part of the controls that a charge point has."""
    chunk = ReportChunk(
        kind=_CONTROLS,
        request_id=request.request_id,
        is_last=not request.tbc,
        content=reported_by(request),
    )
    return keep(context, ReportDERControlResponse(), device_reports.note_report_chunk, chunk)


def _keep(context: CallContext, event: DeviceEvent, answer: R) -> Pending[R]:
    return keep(context, answer, device_events.note_events, (event,))


def _get_der_control(request: GetDERControlRequest, response: GetDERControlResponse) -> Meaning | None:
    """R04."""
    if response.status is not DERControlStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(device_reports.note_report_request, kind=_CONTROLS, request_id=request.request_id))


ANSWERS: Final[dict[str, AnyMeaning]] = dict((means(actions.GET_DER_CONTROL, _get_der_control),))
