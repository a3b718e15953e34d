"""The domain's own words for how a connector stands and why a transaction ended, whatever version a charger speaks.

They are spelled as OCPP 1.6 does, which is how the API, the metrics, the log and the database have them; each version's
room translates its own into them. What a status means is decided here: the functions take any text, since the database
and plugins hand on plain ones, and an unknown one means as little as it says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ConnectorStatus(StrEnum):
    """How a connector stands (OCPP 1.6 §7.7 ChargePointStatus)."""

    AVAILABLE = "Available"
    """For a new user."""
    PREPARING = "Preparing"
    """A cable or a card is there, but no transaction yet."""
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    """In a transaction, but the charge point offers no energy."""
    SUSPENDED_EV = "SuspendedEV"
    """In a transaction, but the car takes no energy."""
    FINISHING = "Finishing"
    """The transaction is over, but the connector isn't free yet."""
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ConnectorError(StrEnum):
    """What is wrong with a connector, reported beside its status (OCPP 1.6 §7.6 ChargePointErrorCode)."""

    CONNECTOR_LOCK_FAILURE = "ConnectorLockFailure"
    EV_COMMUNICATION_ERROR = "EVCommunicationError"
    GROUND_FAILURE = "GroundFailure"
    HIGH_TEMPERATURE = "HighTemperature"
    INTERNAL_ERROR = "InternalError"
    LOCAL_LIST_CONFLICT = "LocalListConflict"
    NO_ERROR = "NoError"
    OTHER_ERROR = "OtherError"
    OVER_CURRENT_FAILURE = "OverCurrentFailure"
    POWER_METER_FAILURE = "PowerMeterFailure"
    POWER_SWITCH_FAILURE = "PowerSwitchFailure"
    READER_FAILURE = "ReaderFailure"
    RESET_FAILURE = "ResetFailure"
    UNDER_VOLTAGE = "UnderVoltage"
    OVER_VOLTAGE = "OverVoltage"
    WEAK_SIGNAL = "WeakSignal"


NO_ERROR: Final = ConnectorError.NO_ERROR


class StopReason(StrEnum):
    """Why a transaction ended (OCPP 1.6 §7.36 Reason); what newer versions add stands below, in their spelling."""

    EMERGENCY_STOP = "EmergencyStop"
    EV_DISCONNECTED = "EVDisconnected"
    HARD_RESET = "HardReset"
    LOCAL = "Local"
    """At the charge point, by who charged; also where no reason is reported (§6.49)."""
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    SOFT_RESET = "SoftReset"
    UNLOCK_COMMAND = "UnlockCommand"
    DE_AUTHORIZED = "DeAuthorized"

    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    GROUND_FAULT = "GroundFault"
    IMMEDIATE_RESET = "ImmediateReset"
    LOCAL_OUT_OF_CREDIT = "LocalOutOfCredit"
    MASTER = "MasterPass"
    """By somebody who may stop all transactions."""
    OVERCURRENT_FAULT = "OvercurrentFault"
    POWER_QUALITY = "PowerQuality"
    REQUEST_REJECTED = "ReqEnergyTransferRejected"
    SOC_LIMIT_REACHED = "SOCLimitReached"
    STOPPED_BY_EV = "StoppedByEV"
    TIME_LIMIT_REACHED = "TimeLimitReached"
    TIMEOUT = "Timeout"


_IN_TRANSACTION: Final = frozenset(
    {ConnectorStatus.CHARGING, ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE}
)
_OUT_OF_SERVICE: Final = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
_WITHOUT_CURRENT: Final = _OUT_OF_SERVICE | {
    ConnectorStatus.AVAILABLE,
    ConnectorStatus.RESERVED,
    ConnectorStatus.FINISHING,
}


def is_free(status: str | None) -> bool:
    """Whether a new user may come: whatever was plugged in is gone."""
    return status == ConnectorStatus.AVAILABLE


def awaits_start(status: str | None) -> bool:
    """Whether somebody is there, and a transaction may begin."""
    return status == ConnectorStatus.PREPARING


def is_in_transaction(status: str | None) -> bool:
    """Whether a transaction runs, with or without current."""
    return status in _IN_TRANSACTION


def had_transaction(status: str | None) -> bool:
    """Whether who is there has or had a transaction: it runs, or it's over and the connector isn't free yet."""
    return is_in_transaction(status) or status == ConnectorStatus.FINISHING


def is_out_of_service(status: str | None) -> bool:
    """Whether nothing can begin until somebody or something repairs or releases it."""
    return status in _OUT_OF_SERVICE


def may_draw_current(status: str | None) -> bool:
    """Whether a car may draw current, now or in a moment; of an unknown text that is assumed, of no status it isn't."""
    return status is not None and status not in _WITHOUT_CURRENT
