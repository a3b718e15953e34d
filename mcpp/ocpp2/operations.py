"""What plugins want of charge points, as OCPP 2.0.1 and 2.1 have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel

from mcpp.csms.operations import ChangeOutcome, TransactionIds, Transactions
from mcpp.domain.memory import NO_EVSE
from mcpp.ocpp2.widening import Calls
from mcpp.ocppj.actions import AnyAction
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import RequestStartStopStatusEnumType, RequestStopTransactionRequest


class Ocpp2Operations:
    """Implements `mcpp.csms.operations.Operations`; InvalidPayload, too, is raised where a text is too long."""

    def __init__(self, calls: Calls, transactions: Transactions) -> None:
        self._calls = calls
        self._transactions = transactions

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = NO_EVSE) -> bool:
        """RequestStartTransaction (F01, F02)."""
        raise NotImplementedError

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        """RequestStopTransaction (F03)."""
        ids = await self._transactions.ids_of(transaction_id)
        if ids is None or ids.ocpp_transaction_id is None:
            return False
        request = RequestStopTransactionRequest(transaction_id=ids.ocpp_transaction_id)
        response = await self._calls.call(charge_point_id, actions.REQUEST_STOP_TRANSACTION, request)
        return response.status is RequestStartStopStatusEnumType.ACCEPTED

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        """GetVariables (B06)."""
        raise NotImplementedError

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        """SetVariables (B05)."""
        raise NotImplementedError

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = NO_EVSE
    ) -> bool:
        """SetChargingProfile (K01), or ClearChargingProfile (K10) to lift."""
        raise NotImplementedError


def remote_stop(transaction: TransactionIds) -> tuple[AnyAction, BaseModel]:
    """The CALL that asks to stop a transaction (F03)."""
    name = transaction.ocpp_transaction_id or str(transaction.transaction_id)
    return actions.REQUEST_STOP_TRANSACTION, RequestStopTransactionRequest(transaction_id=name)
