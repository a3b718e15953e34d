"""What plugins want of charge points, as OCPP 2.0.1 and 2.1 have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from pydantic import BaseModel

from mcpp.csms.current_limits import STACK_LEVEL, limit_by_profiles
from mcpp.csms.decoding import contract_kept
from mcpp.csms.operations import ChangeOutcome, PrepareStart, TransactionIds, Transactions
from mcpp.domain.memory import NO_EVSE, WHOLE
from mcpp.domain.variables import BadKey, VariableRef, read_key
from mcpp.ocpp2.naming import attribute_of, component_of, ref_of, variable_of
from mcpp.ocpp2.tokens import CENTRAL, token_of
from mcpp.ocpp2.widening import Calls
from mcpp.ocppj.actions import AnyAction
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    ChargingProfileKindEnumType,
    ChargingProfilePurposeEnumType,
    ChargingProfileStatusEnumType,
    ChargingProfileType,
    ChargingRateUnitEnumType,
    ChargingSchedulePeriodType,
    ChargingScheduleType,
    ClearChargingProfileRequest,
    GetVariableDataType,
    GetVariablesRequest,
    GetVariableStatusEnumType,
    RequestStartStopStatusEnumType,
    RequestStartTransactionRequest,
    RequestStopTransactionRequest,
    SetChargingProfileRequest,
    SetVariableDataType,
    SetVariablesRequest,
    SetVariableStatusEnumType,
)

_OUTCOMES: Final = {
    SetVariableStatusEnumType.ACCEPTED: ChangeOutcome.ACCEPTED,
    SetVariableStatusEnumType.REBOOT_REQUIRED: ChangeOutcome.REBOOT_REQUIRED,
    SetVariableStatusEnumType.REJECTED: ChangeOutcome.REJECTED,
    SetVariableStatusEnumType.UNKNOWN_COMPONENT: ChangeOutcome.NOT_SUPPORTED,
    SetVariableStatusEnumType.UNKNOWN_VARIABLE: ChangeOutcome.NOT_SUPPORTED,
    SetVariableStatusEnumType.NOT_SUPPORTED_ATTRIBUTE_TYPE: ChangeOutcome.NOT_SUPPORTED,
}

_AT_ONCE: Final = 10
"""Variables that are asked for by one message: every charge point has a limit, which few tell."""

_SCHEDULE_ID: Final = 1


class Ocpp2Operations:
    """Implements `mcpp.csms.operations.Operations`; InvalidPayload, too, is raised where a text is too long."""

    def __init__(self, calls: Calls, transactions: Transactions, prepare_start: PrepareStart) -> None:
        self._calls = calls
        self._transactions = transactions
        self._prepare_start = prepare_start

    async def remote_start(
        self,
        charge_point_id: str,
        connector_id: int,  # noqa: ARG002  an EVSE charges by one connector at a time
        id_tag: str,
        evse_id: int = NO_EVSE,
    ) -> bool:
        """RequestStartTransaction (F01, F02), which names an EVSE, no connector."""
        prepared = await self._prepare_start(id_tag)
        with contract_kept():
            request = RequestStartTransactionRequest(
                evse_id=evse_id if evse_id != NO_EVSE else None,
                id_token=token_of(id_tag, prepared.token_type or (CENTRAL if prepared.is_own else None)),
                remote_start_id=prepared.remote_start_id,
            )
        response = await self._calls.call(charge_point_id, actions.REQUEST_START_TRANSACTION, request)
        return response.status is RequestStartStopStatusEnumType.ACCEPTED

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        """RequestStopTransaction (F03)."""
        ids = await self._transactions.ids_of(transaction_id)
        if ids is None or ids.ocpp_transaction_id is None:
            return False
        request = RequestStopTransactionRequest(transaction_id=ids.ocpp_transaction_id)
        response = await self._calls.call(charge_point_id, actions.REQUEST_STOP_TRANSACTION, request)
        return response.status is RequestStartStopStatusEnumType.ACCEPTED

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        """GetVariables (B06) of keys as `mcpp.domain.variables` spells them; all that are known where none is named."""
        asked: dict[str, VariableRef] = {}
        for key in keys or await self._transactions.known_keys(charge_point_id):
            try:
                asked[key] = read_key(key)
            except BadKey:
                continue  # no variable has such a key, such as one of OCPP 1.6
        spelled = {ref.key.casefold(): key for key, ref in asked.items()}
        values: dict[str, str | None] = {}
        refs = [*asked.values()]
        for first in range(0, len(refs), _AT_ONCE):
            with contract_kept():
                request = GetVariablesRequest(
                    get_variable_data=[_asked_for(ref) for ref in refs[first : first + _AT_ONCE]]
                )
            response = await self._calls.call(charge_point_id, actions.GET_VARIABLES, request)
            for result in response.get_variable_result:
                key = ref_of(result.component, result.variable, result.attribute_type).key
                if result.attribute_status is GetVariableStatusEnumType.ACCEPTED:
                    values[spelled.get(key.casefold(), key)] = result.attribute_value
        return values

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        """SetVariables (B05)."""
        try:
            ref = read_key(key)
        except BadKey:
            return ChangeOutcome.NOT_SUPPORTED
        with contract_kept():
            wanted = SetVariableDataType(
                attribute_type=attribute_of(ref),
                attribute_value=value,
                component=component_of(ref),
                variable=variable_of(ref),
            )
        request = SetVariablesRequest(set_variable_data=[wanted])
        response = await self._calls.call(charge_point_id, actions.SET_VARIABLES, request)
        return _OUTCOMES[response.set_variable_result[0].attribute_status]

    async def limit_current(
        self,
        charge_point_id: str,
        connector_id: int,  # noqa: ARG002
        amperes: Decimal | None,
        evse_id: int = NO_EVSE,
    ) -> bool:
        """SetChargingProfile (K01), or ClearChargingProfile (K10) to lift; see `limit_by_profiles`.

        The limit is the EVSE's, whichever connector is named.
        """

        async def limit_default(profile_id: int, limit: Decimal) -> bool:
            return await self._set_profile(charge_point_id, evse_id, _profile(profile_id, limit))

        async def limit_running(profile_id: int, limit: Decimal) -> bool:
            running = await self._transactions.running_transaction(charge_point_id, WHOLE, evse_id)
            if running is None or running.ocpp_transaction_id is None:
                return True
            profile = _profile(profile_id, limit, running.ocpp_transaction_id)
            return await self._set_profile(charge_point_id, evse_id, profile)

        return await limit_by_profiles(
            evse_id,
            amperes,
            clear=partial(self._clear_profile, charge_point_id),
            limit_default=limit_default,
            limit_running=limit_running,
        )

    async def _set_profile(self, charge_point_id: str, evse_id: int, profile: ChargingProfileType) -> bool:
        request = SetChargingProfileRequest(evse_id=evse_id, charging_profile=profile)
        response = await self._calls.call(charge_point_id, actions.SET_CHARGING_PROFILE, request)
        return response.status is ChargingProfileStatusEnumType.ACCEPTED

    async def _clear_profile(self, charge_point_id: str, profile_id: int) -> None:
        """Without a verdict: the other answer to Accepted is Unknown, and what isn't there limits nothing."""
        request = ClearChargingProfileRequest(charging_profile_id=profile_id)
        await self._calls.call(charge_point_id, actions.CLEAR_CHARGING_PROFILE, request)


def remote_stop(transaction: TransactionIds) -> tuple[AnyAction, BaseModel]:
    """The CALL that asks to stop a transaction (F03)."""
    name = transaction.ocpp_transaction_id or str(transaction.transaction_id)
    return actions.REQUEST_STOP_TRANSACTION, RequestStopTransactionRequest(transaction_id=name)


def _asked_for(ref: VariableRef) -> GetVariableDataType:
    return GetVariableDataType(attribute_type=attribute_of(ref), component=component_of(ref), variable=variable_of(ref))


def _profile(profile_id: int, limit: Decimal, transaction_id: str | None = None) -> ChargingProfileType:
    """A constant limit in A on each phase: the running transaction's, or that of all to come."""
    purposes = ChargingProfilePurposeEnumType
    schedule = ChargingScheduleType(
        id=_SCHEDULE_ID,
        charging_rate_unit=ChargingRateUnitEnumType.A,
        charging_schedule_period=[ChargingSchedulePeriodType(start_period=0, limit=limit)],
    )
    return ChargingProfileType(
        id=profile_id,
        transaction_id=transaction_id,
        stack_level=STACK_LEVEL,
        charging_profile_purpose=purposes.TX_DEFAULT_PROFILE if transaction_id is None else purposes.TX_PROFILE,
        charging_profile_kind=ChargingProfileKindEnumType.RELATIVE,
        charging_schedule=[schedule],
    )
