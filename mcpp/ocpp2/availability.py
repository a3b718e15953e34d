"""Availability (OCPP 2.0.1 part 2, block G): how connectors stand, told by StatusNotification or by NotifyEvent.

NotifyEvent (block N) tells of all that happens to variables; those of availability are states as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Final

from mcpp import bounds
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain.device_allowance import allow
from mcpp.domain.device_events import DeviceEvent, Trigger, note_events
from mcpp.domain.device_states import note_device_news
from mcpp.domain.evse_states import ReportedStatus
from mcpp.domain.evses import ReportEvseStatus, report_evse_status
from mcpp.ocpp2.keeping import is_much, portions
from mcpp.ocpp2.naming import ref_of
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ConnectorStatusEnumType,
    EventDataType,
    EventNotificationEnumType,
    EventTriggerEnumType,
    NotifyEventRequest,
    NotifyEventResponse,
    StatusNotificationRequest,
    StatusNotificationResponse,
)

_STATUS_STORED: Final = StatusNotificationResponse()
_EVENTS_STORED: Final = NotifyEventResponse()

_REPORTED: Final = {told: ReportedStatus(told.value) for told in ConnectorStatusEnumType}
_REPORTED_AS_TEXT: Final = {status.value.casefold(): status for status in ReportedStatus}
_TRIGGERS: Final = {told: Trigger(told.value) for told in EventTriggerEnumType}

_STATE: Final = "availabilitystate"
_PLACES: Final = frozenset({"connector", "evse", "chargingstation"})
"""Components that have such a state (part 2, appendix 3); names are compared whatever their case."""
_PROBLEM: Final = "problem"
"""A variable that says whether its component is out of order."""


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.STATUS_NOTIFICATION, status_notification)
    router.add(actions.NOTIFY_EVENT, notify_event)


def status_notification(
    context: CallContext, request: StatusNotificationRequest
) -> Pending[StatusNotificationResponse]:
    """G01: EVSE 0 with connector 0 is the station as a whole, though only some charge points tell of that."""
    report = ReportEvseStatus(
        evse_id=request.evse_id,
        connector_id=request.connector_id,
        reported=_REPORTED[request.connector_status],
        reported_at=request.timestamp,
    )
    return context.write_keeping(report_evse_status, report, context.services.memory).then(lambda _: _STATUS_STORED)


def notify_event(
    context: CallContext, request: NotifyEventRequest
) -> Pending[NotifyEventResponse] | Awaitable[NotifyEventResponse]:
    """N07, and G01 where it tells of availability."""
    told = request.event_data
    size = context.size_bytes + len(told) * bounds.DEVICE_EVENT_ROW
    states = [state for it in told if (state := _state_of(it)) is not None]
    has_problem = any(map(_is_problem, told))
    if is_much(context, len(told)):
        return _keep_much(context, told, states, size=size, has_problem=has_problem)
    events = [_event_of(it) for it in told]
    return context.write_keeping(
        note_device_news, events, states, context.services.memory, size=size, has_problem=has_problem
    ).then(lambda _: _EVENTS_STORED)


async def _keep_much(
    context: CallContext,
    told: Sequence[EventDataType],
    states: Sequence[ReportEvseStatus],
    *,
    size: int,
    has_problem: bool,
) -> NotifyEventResponse:
    """Store how all stands, and the events if that's allowed."""
    memory = context.services.memory
    for some in portions(states):
        await context.write_keeping(note_device_news, (), some, memory, size=0, has_problem=False)
    if has_problem:
        await context.write_keeping(note_device_news, (), (), memory, size=0, has_problem=True)
    if await context.write_keeping(allow, memory, size):
        for portion in portions(told):
            await context.write_keeping(note_events, [_event_of(it) for it in portion])
    return _EVENTS_STORED


def _event_of(told: EventDataType) -> DeviceEvent:
    # 2.0.1 requires it, too; but a repaired message may lack it.
    origin: EventNotificationEnumType | None = told.event_notification_type
    return DeviceEvent(
        subject=ref_of(told.component, told.variable),
        event_id=told.event_id,
        occurred_at=told.timestamp,
        value=told.actual_value,
        trigger=_TRIGGERS[told.trigger],
        cause=told.cause,
        severity=told.severity,
        cleared=bool(told.cleared),
        tech_code=told.tech_code,
        tech_info=told.tech_info,
        monitor_id=told.variable_monitoring_id,
        origin=None if origin is None else origin.value,
        ocpp_transaction_id=told.transaction_id,
    )


def _state_of(told: EventDataType) -> ReportEvseStatus | None:
    """How a connector, an EVSE or the station stands, where an event says that."""
    if told.variable.name.casefold() != _STATE or told.component.name.casefold() not in _PLACES:
        return None
    reported = _REPORTED_AS_TEXT.get(told.actual_value.strip().casefold())
    if reported is None:
        return None
    evse = told.component.evse
    return ReportEvseStatus(
        evse_id=0 if evse is None else evse.id,
        connector_id=None if evse is None else evse.connector_id,
        reported=reported,
        reported_at=told.timestamp,
        info=told.tech_info,
        vendor_error_code=told.tech_code,
    )


def _is_problem(told: EventDataType) -> bool:
    return (
        told.variable.name.casefold() == _PROBLEM
        and told.actual_value.strip().casefold() == "true"
        and not told.cleared
    )
