"""Every message that a charger sends, each of its texts and numbers whatever a hostile one makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

HOLE: Final = "HOLE"
"""Stands for the text that is put in, in its quotation marks."""

_NOW: Final = "2026-03-01T12:00:00Z"
_MEMBERS: Final = ("value", "measurand", "phase", "unit", "context", "location", "format", HOLE)
_SAMPLED: Final = dict.fromkeys(_MEMBERS, HOLE)
_BOOT: Final = (
    *("chargePointVendor", "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber"),
    *("firmwareVersion", "iccid", "imsi", "meterType", "meterSerialNumber"),
)

FORMS: Final[Mapping[str, Mapping[str, object]]] = {
    "Authorize": {"idTag": HOLE},
    "BootNotification": dict.fromkeys(_BOOT, HOLE),
    "DataTransfer": {"vendorId": HOLE, "messageId": HOLE, "data": HOLE},
    "DiagnosticsStatusNotification": {"status": HOLE},
    "FirmwareStatusNotification": {"status": HOLE},
    "Heartbeat": {HOLE: HOLE},
    "LogStatusNotification": {"status": HOLE, "requestId": HOLE},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": HOLE,
        "meterValue": [{"timestamp": HOLE, "sampledValue": [_SAMPLED, {"value": HOLE}]}],
    },
    "SecurityEventNotification": {"type": HOLE, "timestamp": _NOW, "techInfo": HOLE},
    "SignCertificate": {"csr": HOLE},
    "SignedFirmwareStatusNotification": {"status": HOLE, "requestId": HOLE},
    "StartTransaction": {
        "connectorId": 1,
        "idTag": HOLE,
        "meterStart": 1000,
        "timestamp": _NOW,
        "reservationId": HOLE,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": HOLE,
        "status": HOLE,
        "timestamp": HOLE,
        "info": HOLE,
        "vendorId": HOLE,
        "vendorErrorCode": HOLE,
    },
    "StopTransaction": {
        "idTag": HOLE,
        "meterStop": 2000,
        "timestamp": _NOW,
        "transactionId": 99,
        "reason": HOLE,
        "transactionData": [{"timestamp": _NOW, "sampledValue": [_SAMPLED]}],
    },
}
"""By action."""

MUST_BE_ANSWERED: Final = ("StartTransaction", "StopTransaction", "MeterValues")
"""Never by a CALLERROR."""


def filled(form: object, filling: bytes) -> bytes:
    """The form as JSON text, or as what a hostile charger takes for it: this in place of each hole."""
    text = json.dumps(form).encode()
    if not filling.startswith(b'"'):  # a name is a text at least
        text = text.replace(f'"{HOLE}":'.encode(), b'"made up":')
    return text.replace(f'"{HOLE}"'.encode(), filling)
