"""Messages on displays (OCPP 2.0.1 part 2, block O)."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_reports
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import reported_by
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    GetDisplayMessagesRequest,
    GetDisplayMessagesResponse,
    GetDisplayMessagesStatusEnumType,
    NotifyDisplayMessagesRequest,
    NotifyDisplayMessagesResponse,
)

_KIND: Final = DeviceReportKind.DISPLAY_MESSAGES


def register(router: CallRouter) -> None:
    """Route the block's CALLs to their handlers."""
    router.add(actions.NOTIFY_DISPLAY_MESSAGES, notify_display_messages)


def notify_display_messages(
    context: CallContext, request: NotifyDisplayMessagesRequest
) -> Pending[NotifyDisplayMessagesResponse]:
    """O03, O04: a part of the messages that a charge point shows."""
    chunk = ReportChunk(
        kind=_KIND,
        request_id=request.request_id,
        is_last=not request.tbc,
        content=reported_by(request),
    )
    return keep(context, NotifyDisplayMessagesResponse(), device_reports.note_report_chunk, chunk)


def _get_display_messages(request: GetDisplayMessagesRequest, response: GetDisplayMessagesResponse) -> Meaning | None:
    """O03, O04."""
    if response.status is not GetDisplayMessagesStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(device_reports.note_report_request, kind=_KIND, request_id=request.request_id))


ANSWERS: Final[dict[str, AnyMeaning]] = dict((means(actions.GET_DISPLAY_MESSAGES, _get_display_messages),))
