"""Asking a charge point about a transaction (OCPP 2.0.1 part 2, E14)."""

from __future__ import annotations

from mcpp.csms.inquiries import AskTransaction
from mcpp.domain.inquiries import TransactionAnswer, answer_of
from mcpp.ocpp2.widening import Calls
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import GetTransactionStatusRequest


def ask_transaction(calls: Calls) -> AskTransaction:
    """For one server."""

    async def ask(charge_point_id: str, ocpp_transaction_id: str) -> TransactionAnswer:
        request = GetTransactionStatusRequest(transaction_id=ocpp_transaction_id)
        response = await calls.call(charge_point_id, actions.GET_TRANSACTION_STATUS, request)
        return answer_of(ongoing=response.ongoing_indicator, messages_in_queue=response.messages_in_queue)

    return ask
