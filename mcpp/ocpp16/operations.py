"""What plugins want of charge points, as OCPP 1.6 has it (§5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from pydantic import BaseModel

from mcpp.csms.current_limits import STACK_LEVEL, limit_by_profiles
from mcpp.csms.decoding import contract_kept
from mcpp.csms.live import LiveChargePoints
from mcpp.csms.operations import ChangeOutcome, PrepareStart, RunningTransaction, TransactionIds, Transactions
from mcpp.domain.memory import NO_EVSE
from mcpp.ocppj.actions import AnyAction
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    ChangeConfigurationRequest,
    ChargingProfile,
    ChargingProfileKindType,
    ChargingProfilePurposeType,
    ChargingProfileStatus,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    ClearChargingProfileRequest,
    ConfigurationStatus,
    GetConfigurationRequest,
    RemoteStartStopStatus,
    RemoteStartTransactionRequest,
    RemoteStopTransactionRequest,
    SetChargingProfileRequest,
)

_OUTCOMES: Final = {
    ConfigurationStatus.ACCEPTED: ChangeOutcome.ACCEPTED,
    ConfigurationStatus.REBOOT_REQUIRED: ChangeOutcome.REBOOT_REQUIRED,
    ConfigurationStatus.REJECTED: ChangeOutcome.REJECTED,
    ConfigurationStatus.NOT_SUPPORTED: ChangeOutcome.NOT_SUPPORTED,
}


class Ocpp16Operations:
    """Implements `mcpp.csms.operations.Operations`; InvalidPayload, too, is raised where a text is too long."""

    def __init__(self, live: LiveChargePoints, running_transaction: RunningTransaction) -> None:
        self._live = live
        self._running_transaction = running_transaction

    async def remote_start(
        self,
        charge_point_id: str,
        connector_id: int,
        id_tag: str,
        evse_id: int = NO_EVSE,  # noqa: ARG002  this version knows none
    ) -> bool:
        """RemoteStartTransaction (§5.11)."""
        with contract_kept():
            request = RemoteStartTransactionRequest(connector_id=connector_id, id_tag=id_tag)
        response = await self._live.call(charge_point_id, actions.REMOTE_START_TRANSACTION, request)
        return response.status is RemoteStartStopStatus.ACCEPTED

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        """RemoteStopTransaction (§5.12)."""
        request = RemoteStopTransactionRequest(transaction_id=transaction_id)
        response = await self._live.call(charge_point_id, actions.REMOTE_STOP_TRANSACTION, request)
        return response.status is RemoteStartStopStatus.ACCEPTED

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        """GetConfiguration (§5.8). A key that was asked for has the spelling that it was asked by."""
        with contract_kept():
            request = GetConfigurationRequest(key=list(keys) or None)
        response = await self._live.call(charge_point_id, actions.GET_CONFIGURATION, request)
        asked = {key.casefold(): key for key in keys}
        return {asked.get(known.key.casefold(), known.key): known.value for known in response.configuration_key or ()}

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        """ChangeConfiguration (§5.3)."""
        with contract_kept():
            request = ChangeConfigurationRequest(key=key, value=value)
        response = await self._live.call(charge_point_id, actions.CHANGE_CONFIGURATION, request)
        return _OUTCOMES[response.status]

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = NO_EVSE
    ) -> bool:
        """SetChargingProfile (§5.16), or ClearChargingProfile (§5.5) to lift; see `limit_by_profiles`."""

        async def limit_default(profile_id: int, limit: Decimal) -> bool:
            return await self._set_profile(charge_point_id, connector_id, _profile(profile_id, limit))

        async def limit_running(profile_id: int, limit: Decimal) -> bool:
            running = await self._running_transaction(charge_point_id, connector_id, evse_id)
            if running is None:
                return True
            profile = _profile(profile_id, limit, running.transaction_id)
            return await self._set_profile(charge_point_id, connector_id, profile)

        return await limit_by_profiles(
            connector_id,
            amperes,
            clear=partial(self._clear_profile, charge_point_id),
            limit_default=limit_default,
            limit_running=limit_running,
        )

    async def _set_profile(self, charge_point_id: str, connector_id: int, profile: ChargingProfile) -> bool:
        request = SetChargingProfileRequest(connector_id=connector_id, cs_charging_profiles=profile)
        response = await self._live.call(charge_point_id, actions.SET_CHARGING_PROFILE, request)
        return response.status is ChargingProfileStatus.ACCEPTED

    async def _clear_profile(self, charge_point_id: str, profile_id: int) -> None:
        """Without a verdict: the other answer to Accepted is Unknown, and what isn't there limits nothing."""
        request = ClearChargingProfileRequest(id=profile_id)
        await self._live.call(charge_point_id, actions.CLEAR_CHARGING_PROFILE, request)


def operations(live: LiveChargePoints, transactions: Transactions, _prepare_start: PrepareStart) -> Ocpp16Operations:
    """For one server; a remote start has no number of its own in this version."""
    return Ocpp16Operations(live, transactions.running_transaction)


def remote_stop(transaction: TransactionIds) -> tuple[AnyAction, BaseModel]:
    """The CALL that asks to stop a transaction (§5.11)."""
    request = RemoteStopTransactionRequest(transaction_id=transaction.transaction_id)
    return actions.REMOTE_STOP_TRANSACTION, request


def _profile(profile_id: int, limit: Decimal, transaction_id: int | None = None) -> ChargingProfile:
    """A constant limit in A on each phase: the running transaction's, or that of all to come."""
    purposes = ChargingProfilePurposeType
    return ChargingProfile(
        charging_profile_id=profile_id,
        transaction_id=transaction_id,
        stack_level=STACK_LEVEL,
        charging_profile_purpose=purposes.TX_DEFAULT_PROFILE if transaction_id is None else purposes.TX_PROFILE,
        charging_profile_kind=ChargingProfileKindType.RELATIVE,
        charging_schedule=ChargingSchedule(
            charging_rate_unit=ChargingRateUnitType.A,
            charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=limit)],
        ),
    )
