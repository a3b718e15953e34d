"""The Firmware Management profile (OCPP 1.6 §4.4, §4.5): how far a charge point is."""

from __future__ import annotations

from mcpp.csms.context import CallContext
from mcpp.domain import charge_points
from mcpp.ocppj.router import Router
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    DiagnosticsStatusNotificationRequest,
    DiagnosticsStatusNotificationResponse,
    FirmwareStatusNotificationRequest,
    FirmwareStatusNotificationResponse,
)


def register(router: Router[CallContext]) -> None:
    """Route the profile's CALLs to their handlers."""
    router.add(actions.DIAGNOSTICS_STATUS_NOTIFICATION, diagnostics_status_notification)
    router.add(actions.FIRMWARE_STATUS_NOTIFICATION, firmware_status_notification)


async def diagnostics_status_notification(
    context: CallContext, request: DiagnosticsStatusNotificationRequest
) -> DiagnosticsStatusNotificationResponse:
    """OCPP 1.6 §4.4."""
    await context.write(charge_points.report, ReportKind.DIAGNOSTICS, request.status.value)
    return DiagnosticsStatusNotificationResponse()


async def firmware_status_notification(
    context: CallContext, request: FirmwareStatusNotificationRequest
) -> FirmwareStatusNotificationResponse:
    """OCPP 1.6 §4.5."""
    await context.write(charge_points.report, ReportKind.FIRMWARE, request.status.value)
    return FirmwareStatusNotificationResponse()
