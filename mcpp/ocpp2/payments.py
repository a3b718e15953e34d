"""Tariffs and payments (OCPP 2.1 part 2, blocks C and I): settlements are kept, tariffs are typed commands."""

from __future__ import annotations

from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import device_events, device_reports
from mcpp.domain.device_events import DeviceEvent
from mcpp.domain.device_reports import ReportChunk
from mcpp.ocpp2.keeping import keep
from mcpp.ocpp2.naming import content_of
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.storage.pending import Pending
from mcpp_generated.db.enums import DeviceEventKind, DeviceReportKind
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    GenericStatusEnumType,
    GetTariffsRequest,
    GetTariffsResponse,
    NotifySettlementRequest,
    NotifySettlementResponse,
    TariffGetStatusEnumType,
    VatNumberValidationRequest,
    VatNumberValidationResponse,
)

_TARIFFS: Final = DeviceReportKind.TARIFFS
_LONGEST_VAT_NUMBER: Final = 20


def register(router: CallRouter) -> None:
    """Route the blocks' CALLs to their handlers."""
    router.add(actions.NOTIFY_SETTLEMENT, notify_settlement)
    router.add(actions.VAT_NUMBER_VALIDATION, vat_number_validation)


def notify_settlement(context: CallContext, request: NotifySettlementRequest) -> Pending[NotifySettlementResponse]:
    """C18 to C21: what a payment terminal has taken for a transaction."""
    event = DeviceEvent(
        subject=f"settlement {request.psp_ref}",
        kind=DeviceEventKind.SETTLEMENT,
        occurred_at=request.settlement_time,
        value=request.status.value,
        ocpp_transaction_id=request.transaction_id,
        details=content_of(request),
    )
    return keep(context, NotifySettlementResponse(), device_events.note_events, (event,))


def vat_number_validation(_: CallContext, request: VatNumberValidationRequest) -> VatNumberValidationResponse:
    """C22: nothing here knows companies, so that no number is taken for valid."""
    # One that was read by rule may be longer than the answer, which repeats it, can be.
    if len(request.vat_number) > _LONGEST_VAT_NUMBER:
        raise CallFault(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"vatNumber has {len(request.vat_number)} characters")
    return VatNumberValidationResponse(
        vat_number=request.vat_number, evse_id=request.evse_id, status=GenericStatusEnumType.REJECTED
    )


def _get_tariffs(request: GetTariffsRequest, response: GetTariffsResponse) -> Meaning | None:
    """I09: of an EVSE, or of all with 0."""
    if response.status is TariffGetStatusEnumType.REJECTED:
        return None
    chunk = ReportChunk(kind=_TARIFFS, request_id=request.evse_id, content=content_of(response, without=("status",)))
    return Meaning(partial(device_reports.note_snapshot, chunk=chunk))


ANSWERS: Final[dict[str, AnyMeaning]] = dict((means(actions.GET_TARIFFS, _get_tariffs),))
