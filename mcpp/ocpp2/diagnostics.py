"""Diagnostics (OCPP 2.0.1 part 2, block N): logs and customer information; monitors have a module of their own."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import charge_points, device_reports
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import reported_by
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind, ReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    CustomerInformationRequest,
    CustomerInformationResponse,
    CustomerInformationStatusEnumType,
    LogStatusNotificationRequest,
    LogStatusNotificationResponse,
    NotifyCustomerInformationRequest,
    NotifyCustomerInformationResponse,
)

_KIND: Final = DeviceReportKind.CUSTOMER_INFORMATION


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.LOG_STATUS_NOTIFICATION, log_status_notification)
    router.add(actions.NOTIFY_CUSTOMER_INFORMATION, notify_customer_information)


def log_status_notification(
    context: CallContext, request: LogStatusNotificationRequest
) -> Pending[LogStatusNotificationResponse]:
    """N01: how far the upload of a log is."""
    return context.write(charge_points.report, ReportKind.LOG, request.status.value, request.request_id).then(
        lambda _: LogStatusNotificationResponse()
    )


def notify_customer_information(
    context: CallContext, request: NotifyCustomerInformationRequest
) -> Pending[NotifyCustomerInformationResponse]:
    """N09: a part of what a charge point has stored about a customer."""
    chunk = ReportChunk(
        kind=_KIND,
        request_id=request.request_id,
        seq_no=request.seq_no,
        is_last=not request.tbc,
        content=reported_by(request),
    )
    return keep(context, NotifyCustomerInformationResponse(), device_reports.note_report_chunk, chunk)


def _customer_information(request: CustomerInformationRequest, response: CustomerInformationResponse) -> Meaning | None:
    """N09, N10."""
    if response.status is not CustomerInformationStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(device_reports.note_report_request, kind=_KIND, request_id=request.request_id))


ANSWERS: Final[dict[str, AnyMeaning]] = dict((means(actions.CUSTOMER_INFORMATION, _customer_information),))
