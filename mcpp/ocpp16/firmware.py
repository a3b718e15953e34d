"""The Firmware Management profile (OCPP 1.6 §4.4, §4.5): how far a charge point is."""

from __future__ import annotations

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    DiagnosticsStatusNotificationRequest,
    DiagnosticsStatusNotificationResponse,
    FirmwareStatusNotificationRequest,
    FirmwareStatusNotificationResponse,
)


def register(router: CallRouter) -> None:
    """Route the profile's CALLs to their handlers."""
    router.add(actions.DIAGNOSTICS_STATUS_NOTIFICATION, diagnostics_status_notification)
    router.add(actions.FIRMWARE_STATUS_NOTIFICATION, firmware_status_notification)


def diagnostics_status_notification(
    context: CallContext, request: DiagnosticsStatusNotificationRequest
) -> Pending[DiagnosticsStatusNotificationResponse]:
    """OCPP 1.6 §4.4."""
    return context.write(charge_points.report, ReportKind.DIAGNOSTICS, request.status.value).then(
        lambda _: DiagnosticsStatusNotificationResponse()
    )


def firmware_status_notification(
    context: CallContext, request: FirmwareStatusNotificationRequest
) -> Pending[FirmwareStatusNotificationResponse]:
    """OCPP 1.6 §4.5."""
    return context.write(charge_points.report, ReportKind.FIRMWARE, request.status.value).then(
        lambda _: FirmwareStatusNotificationResponse()
    )
