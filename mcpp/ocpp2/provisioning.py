"""Provisioning (OCPP 2.0.1 part 2, block B) and Heartbeat (block G)."""

from __future__ import annotations

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points
from mcpp.domain.events import HeartbeatReceived
from mcpp.ocppj.actions import EncodedResponse
from mcpp.ocppj.wire import to_rfc_3339
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    BootNotificationRequest,
    BootNotificationResponse,
    HeartbeatRequest,
    HeartbeatResponse,
    RegistrationStatusEnumType,
)


def register(router: CallRouter) -> None:
    """Route the blocks' CALLs to their handlers."""
    router.add(actions.BOOT_NOTIFICATION, boot_notification)
    router.add(actions.HEARTBEAT, heartbeat)


def boot_notification(context: CallContext, request: BootNotificationRequest) -> Pending[BootNotificationResponse]:
    """B01: every charge point that may connect is accepted."""
    station = request.charging_station
    modem = station.modem
    boot = charge_points.Boot(
        vendor=station.vendor_name,
        model=station.model,
        serial_number=station.serial_number,
        charge_box_serial_number=None,
        firmware_version=station.firmware_version,
        iccid=None if modem is None else modem.iccid,
        imsi=None if modem is None else modem.imsi,
        meter_type=None,
        meter_serial_number=None,
    )
    services, accepted = context.services, RegistrationStatusEnumType.ACCEPTED
    return context.write(charge_points.boot, boot, services.departures.take_of(context.charge_point_id)).then(
        lambda _: BootNotificationResponse(
            current_time=services.now(), interval=services.heartbeat_interval, status=accepted
        )
    )


def heartbeat(context: CallContext, request: HeartbeatRequest) -> EncodedResponse[HeartbeatResponse]:
    """G02."""
    now, services = context.received_at, context.services
    services.stamps.heartbeat_at[context.key] = now
    if services.wanted[HeartbeatReceived]:
        occasion = context.occasion()
        context.publish(
            HeartbeatReceived(charge_point_id=occasion.charge_point_id, correlation_id=occasion.correlation_id, at=now)
        )
    return EncodedResponse(f'{{"currentTime":"{to_rfc_3339(now)}"}}'.encode())
