"""Vendors' messages of their own (OCPP 2.0.1 part 2, block P)."""

from __future__ import annotations

import json
from collections.abc import Awaitable

from pydantic import JsonValue

from mcpp.csms.calls import CallContext, CallRouter
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import DataTransferRequest, DataTransferResponse, DataTransferStatusEnumType


def register(router: CallRouter) -> None:
    """Route the block's CALL to its handler."""
    router.add(actions.DATA_TRANSFER, data_transfer)


def data_transfer(
    context: CallContext, request: DataTransferRequest
) -> DataTransferResponse | Awaitable[DataTransferResponse]:
    """P02: the server itself knows no vendor's extension."""
    if context.services.ask_data_transfer is not None:
        return _answer(context, request)
    return DataTransferResponse(status=DataTransferStatusEnumType.UNKNOWN_VENDOR_ID)


async def _answer(context: CallContext, request: DataTransferRequest) -> DataTransferResponse:
    answer = await context.ask_data_transfer(request.vendor_id, request.message_id, _as_text(request.data))
    if answer is None:
        return DataTransferResponse(status=DataTransferStatusEnumType.UNKNOWN_VENDOR_ID)
    return DataTransferResponse(status=DataTransferStatusEnumType(answer.status.value), data=answer.data)


def _as_text(data: JsonValue) -> str | None:
    """Plugins get a text, as from OCPP 1.6; what is no text, as JSON."""
    if data is None or isinstance(data, str):
        return data
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
