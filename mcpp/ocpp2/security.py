"""Security (OCPP 2.0.1 part 2, block A): security events."""

from __future__ import annotations

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points
from mcpp.redaction import redact_text
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import SecurityEventNotificationRequest, SecurityEventNotificationResponse


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.SECURITY_EVENT_NOTIFICATION, security_event_notification)


def security_event_notification(
    context: CallContext, request: SecurityEventNotificationRequest
) -> Pending[SecurityEventNotificationResponse]:
    """A04: something that matters to security happened at the charge point."""
    told = None if request.tech_info is None else redact_text(request.tech_info)
    return context.write(charge_points.security_event, request.type, request.timestamp, told).then(
        lambda _: SecurityEventNotificationResponse()
    )
