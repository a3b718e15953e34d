"""Every operation that a 1.6 central system sends: a request, and what a charge point may answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import JsonValue

_HASH: Final[JsonValue] = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": "01",
}
_PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
_SCHEDULE: Final[JsonValue] = {
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}, {"startPeriod": 3600, "limit": 6.5}],
}
_PROFILE: Final[JsonValue] = {
    "chargingProfileId": 7,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": _SCHEDULE,
}
_AT: Final = "2030-01-01T00:00:00Z"
_AT_MS: Final = "2030-01-01T00:00:00.000Z"
"""As the server spells times; a payload it passes on as given, an answer it has read."""


class Operation(NamedTuple):
    action: str
    request: JsonValue
    answer: dict[str, JsonValue]


OPERATIONS: Final = (
    Operation("CancelReservation", {"reservationId": 5}, {"status": "Accepted"}),
    Operation("CertificateSigned", {"certificateChain": _PEM}, {"status": "Accepted"}),
    Operation("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, {"status": "Scheduled"}),
    Operation("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}, {"status": "RebootRequired"}),
    Operation("ClearCache", {}, {"status": "Accepted"}),
    Operation("ClearChargingProfile", {"id": 7, "stackLevel": 0}, {"status": "Unknown"}),
    Operation(
        "DataTransfer", {"vendorId": "acme", "messageId": "m", "data": "ü {}"}, {"status": "Accepted", "data": "é"}
    ),
    Operation("DeleteCertificate", {"certificateHashData": _HASH}, {"status": "NotFound"}),
    Operation("ExtendedTriggerMessage", {"requestedMessage": "LogStatusNotification"}, {"status": "NotImplemented"}),
    Operation(
        "GetCompositeSchedule",
        {"connectorId": 1, "duration": 600, "chargingRateUnit": "A"},
        {"status": "Accepted", "connectorId": 1, "scheduleStart": _AT_MS, "chargingSchedule": _SCHEDULE},
    ),
    Operation(
        "GetConfiguration",
        {"key": ["HeartbeatInterval", "Colour"]},
        {
            "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "60"}],
            "unknownKey": ["Colour"],
        },
    ),
    Operation("GetDiagnostics", {"location": "ftp://h/d", "retries": 1, "startTime": _AT}, {"fileName": "d.zip"}),
    Operation(
        "GetInstalledCertificateIds",
        {"certificateType": "CentralSystemRootCertificate"},
        {"status": "Accepted", "certificateHashData": [_HASH]},
    ),
    Operation("GetLocalListVersion", {}, {"listVersion": 3}),
    Operation(
        "GetLog",
        {"logType": "SecurityLog", "requestId": 9, "log": {"remoteLocation": "http://h/l", "latestTimestamp": _AT}},
        {"status": "Accepted", "filename": "l.txt"},
    ),
    Operation(
        "InstallCertificate",
        {"certificateType": "ManufacturerRootCertificate", "certificate": _PEM},
        {"status": "Rejected"},
    ),
    Operation("RemoteStartTransaction", {"idTag": "TAG", "connectorId": 1}, {"status": "Accepted"}),
    Operation("RemoteStopTransaction", {"transactionId": 1}, {"status": "Rejected"}),
    Operation(
        "ReserveNow",
        {"reservationId": 5, "connectorId": 1, "expiryDate": _AT, "idTag": "TAG"},
        {"status": "Occupied"},
    ),
    Operation("Reset", {"type": "Soft"}, {"status": "Accepted"}),
    Operation(
        "SendLocalList",
        {
            "listVersion": 4,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "TAG", "idTagInfo": {"status": "Accepted", "expiryDate": _AT}}],
        },
        {"status": "Accepted"},
    ),
    Operation("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": _PROFILE}, {"status": "Accepted"}),
    Operation(
        "SignedUpdateFirmware",
        {
            "requestId": 10,
            "firmware": {
                "location": "https://h/f",
                "retrieveDateTime": _AT,
                "signingCertificate": _PEM,
                "signature": "c2ln",
            },
        },
        {"status": "AcceptedCanceled"},
    ),
    Operation("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}, {"status": "Accepted"}),
    Operation("UnlockConnector", {"connectorId": 1}, {"status": "UnlockFailed"}),
    Operation("UpdateFirmware", {"location": "https://h/f", "retrieveDate": _AT, "retries": 2}, {}),
)
