"""The security extension (OCPP 1.6 security whitepaper, edition 3): events, logs, signed firmware, certificates."""

from __future__ import annotations

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points
from mcpp.ocpp16.certificates import sign_certificate
from mcpp.redaction import redact_text
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import ReportKind
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    LogStatusNotificationRequest,
    LogStatusNotificationResponse,
    SecurityEventNotificationRequest,
    SecurityEventNotificationResponse,
    SignedFirmwareStatusNotificationRequest,
    SignedFirmwareStatusNotificationResponse,
)


def register(router: CallRouter) -> None:
    """Route the extension's CALLs to their handlers."""
    router.add(actions.LOG_STATUS_NOTIFICATION, log_status_notification)
    router.add(actions.SECURITY_EVENT_NOTIFICATION, security_event_notification)
    router.add(actions.SIGN_CERTIFICATE, sign_certificate)
    router.add(actions.SIGNED_FIRMWARE_STATUS_NOTIFICATION, signed_firmware_status_notification)


def log_status_notification(
    context: CallContext, request: LogStatusNotificationRequest
) -> Pending[LogStatusNotificationResponse]:
    """How far the upload of a log is (whitepaper, LogStatusNotification.req)."""
    return context.write(charge_points.report, ReportKind.LOG, request.status.value, request.request_id).then(
        lambda _: LogStatusNotificationResponse()
    )


def security_event_notification(
    context: CallContext, request: SecurityEventNotificationRequest
) -> Pending[SecurityEventNotificationResponse]:
    """Something that matters to security happened at the charge point (SecurityEventNotification.req)."""
    told = None if request.tech_info is None else redact_text(request.tech_info)
    return context.write(charge_points.security_event, request.type, request.timestamp, told).then(
        lambda _: SecurityEventNotificationResponse()
    )


def signed_firmware_status_notification(
    context: CallContext, request: SignedFirmwareStatusNotificationRequest
) -> Pending[SignedFirmwareStatusNotificationResponse]:
    """How far a signed firmware update is (SignedFirmwareStatusNotification.req)."""
    return context.write(
        charge_points.report, ReportKind.SIGNED_FIRMWARE, request.status.value, request.request_id
    ).then(lambda _: SignedFirmwareStatusNotificationResponse())
