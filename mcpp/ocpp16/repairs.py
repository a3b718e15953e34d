"""What OCPP 1.6 adds to the rules of repair: what stands for fields that are missing, and what texts mean.

A StartTransaction, StopTransaction and MeterValues is never refused as long as it is an object: a charge point repeats
what is refused for ever, or forgets it.
"""

from __future__ import annotations

from typing import Final

from mcpp.ocppj.readers import Moment, Repairs
from mcpp_generated.ocpp16.models import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    DataTransferRequest,
    DataTransferResponse,
    DiagnosticsStatus,
    FirmwareStatus,
    FirmwareStatusEnumType,
    KeyValue,
    MeterValue,
    MeterValuesRequest,
    Reason,
    SecurityEventNotificationRequest,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
    UploadLogStatus,
)

NOT_TOLD: Final = -1
"""A meter's register that wasn't told; no meter shows it."""
NO_TRANSACTION: Final = 0
"""An id that no transaction has."""
NO_TAG: Final = ""
CHARGE_POINT: Final = 0
"""The connector that stands for the whole charge point (OCPP 1.6 §6.7)."""

_STATUSES: Final = {
    # OCPP 1.5, and what programs make of it.
    "occupied": ChargePointStatus.PREPARING,
    "connected": ChargePointStatus.PREPARING,
    "pluggedin": ChargePointStatus.PREPARING,
    "evconnected": ChargePointStatus.PREPARING,
    "inuse": ChargePointStatus.CHARGING,
    "suspended": ChargePointStatus.SUSPENDED_EVSE,
    "paused": ChargePointStatus.SUSPENDED_EVSE,
    "charged": ChargePointStatus.FINISHING,
    "finished": ChargePointStatus.FINISHING,
    "completed": ChargePointStatus.FINISHING,
    "idle": ChargePointStatus.AVAILABLE,
    "free": ChargePointStatus.AVAILABLE,
    "operative": ChargePointStatus.AVAILABLE,
    "fault": ChargePointStatus.FAULTED,
    "error": ChargePointStatus.FAULTED,
}

_ERRORS: Final = {
    "": ChargePointErrorCode.NO_ERROR,
    "none": ChargePointErrorCode.NO_ERROR,
    "ok": ChargePointErrorCode.NO_ERROR,
    "0": ChargePointErrorCode.NO_ERROR,
    "noerrors": ChargePointErrorCode.NO_ERROR,
    # OCPP 1.5.
    "mode3error": ChargePointErrorCode.EV_COMMUNICATION_ERROR,
}

_REASONS: Final = {
    "evdisconnect": Reason.EV_DISCONNECTED,
    "disconnected": Reason.EV_DISCONNECTED,
    "unlock": Reason.UNLOCK_COMMAND,
    "remotestop": Reason.REMOTE,
    "localstop": Reason.LOCAL,
    "deauthorised": Reason.DE_AUTHORIZED,
}

REPAIRS: Final = Repairs(
    stand_ins={
        (BootNotificationRequest, "charge_point_vendor"): "",
        (BootNotificationRequest, "charge_point_model"): "",
        (DataTransferRequest, "vendor_id"): "",
        (KeyValue, "readonly"): False,
        (MeterValue, "timestamp"): Moment.NEARBY,
        (MeterValue, "sampled_value"): [],
        (MeterValuesRequest, "connector_id"): CHARGE_POINT,
        (MeterValuesRequest, "meter_value"): [],
        (SecurityEventNotificationRequest, "type"): "",
        (SecurityEventNotificationRequest, "timestamp"): Moment.RECEIPT,
        (StartTransactionRequest, "connector_id"): CHARGE_POINT,
        (StartTransactionRequest, "id_tag"): NO_TAG,
        (StartTransactionRequest, "meter_start"): NOT_TOLD,
        (StartTransactionRequest, "timestamp"): Moment.RECEIPT,
        (StatusNotificationRequest, "connector_id"): CHARGE_POINT,
        (StatusNotificationRequest, "error_code"): ChargePointErrorCode.NO_ERROR,
        (StopTransactionRequest, "meter_stop"): NOT_TOLD,
        (StopTransactionRequest, "timestamp"): Moment.RECEIPT,
        (StopTransactionRequest, "transaction_id"): NO_TRANSACTION,
    },
    meanings={ChargePointStatus: _STATUSES, ChargePointErrorCode: _ERRORS, Reason: _REASONS},
    others={
        # Nothing begins on such a connector, and nothing that runs there ends.
        ChargePointStatus: ChargePointStatus.UNAVAILABLE,
        ChargePointErrorCode: ChargePointErrorCode.OTHER_ERROR,
        Reason: Reason.OTHER,
    },
    # They are only stored and shown.
    open_lists=frozenset({DiagnosticsStatus, FirmwareStatus, FirmwareStatusEnumType, UploadLogStatus}),
    kept_in={
        (StatusNotificationRequest, "error_code"): ("vendor_error_code", "info"),
        (StatusNotificationRequest, "status"): ("info", "vendor_error_code"),
    },
    object_texts=frozenset({(DataTransferRequest, "data"), (DataTransferResponse, "data")}),
)
