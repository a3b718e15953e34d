"""Firmware (OCPP 2.0.1 part 2, block L): how far a charge point is with installing or publishing one."""

from __future__ import annotations

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    FirmwareStatusNotificationRequest,
    FirmwareStatusNotificationResponse,
    PublishFirmwareStatusNotificationRequest,
    PublishFirmwareStatusNotificationResponse,
)


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.FIRMWARE_STATUS_NOTIFICATION, firmware_status_notification)
    router.add(actions.PUBLISH_FIRMWARE_STATUS_NOTIFICATION, publish_firmware_status_notification)


def firmware_status_notification(
    context: CallContext, request: FirmwareStatusNotificationRequest
) -> Pending[FirmwareStatusNotificationResponse]:
    """L01, L02."""
    return context.write(charge_points.report, ReportKind.FIRMWARE, request.status.value, request.request_id).then(
        lambda _: FirmwareStatusNotificationResponse()
    )


def publish_firmware_status_notification(
    context: CallContext, request: PublishFirmwareStatusNotificationRequest
) -> Pending[PublishFirmwareStatusNotificationResponse]:
    """L03: a local controller offers a firmware to those behind it."""
    return context.write(
        charge_points.report, ReportKind.PUBLISHED_FIRMWARE, request.status.value, request.request_id
    ).then(lambda _: PublishFirmwareStatusNotificationResponse())
