"""Frames that are nearly right: valid ones of each action, spoiled at random, and bytes that nobody would send."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""Whatever JSON holds, and what only Python's encoder spells, such as NaN."""

_TIMES: Final = (
    *("2026-05-01T12:00:00Z", "2026-05-01T12:00:00.123+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1969-12-31T23:59:59.999Z", "2026-02-30T00:00:00Z"),
    *("2026-05-01", "1777636800", "20260501T120000Z", "2026-05-01T24:00:00Z", "2026-05-01T12:00:60Z", "now", ""),
    *("2026-05-01T12:00:00.1234567890123456789Z", "+12026-05-01T12:00:00Z", "-0001-01-01T00:00:00Z"),
    *("٢٠٢٦-05-01T12:00:00Z", "2026-05-01T12:00:00ZZ", "2026-13-01T12:00:00Z", "0000-00-00T00:00:00Z"),
)
_TEXTS: Final = (
    *("", " ", "\0", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "é" * 30, "🔌" * 300, "x" * 5000, "a\nb\r\n", '"\\'),
    *("null", "true", "NaN", "Infinity", "-0", "1e400", "1E+400000", "9" * 400, "0x10", "1,5", "1_000", "٣", "1 Wh"),
    *(
        "../..",
        "%00",
        "';DROP TABLE transactions;--",
        "{}",
        "[]",
        "a" * 255,
        "\x7f\x1b[31m",
        "Authorization: Basic eA==",
    ),
    *("ftp://u:p@h/x", "-2147483648", "18446744073709551616", "0.1e-320", "\u0130\u0131", "ﬃ", "COM1"),
)
_NUMBERS: Final = (
    *(0, 1, -1, 2, 7, 255, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**53, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1),
    *(2**64, 10**30, 10**400, 1.5, -0.0, 1e-320, 1e308, 0.1, 1e16),
)
_RAW_NUMBERS: Final = (
    *(b"1e400", b"-1e400", b"1E+400000", b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"0x1"),
    *(b"9" * 5000, b"1." + b"0" * 5000, b"1e-400000", b"-0", b"--1"),
)
_WORDS: Final = (
    *("Accepted", "Available", "Charging", "Preparing", "Finishing", "Faulted", "NoError", "OtherError", "Local"),
    *("Remote", "PowerLoss", "EVDisconnected", "Energy.Active.Import.Register", "Power.Active.Import", "Voltage"),
    *(
        "Current.Import",
        "SoC",
        "Temperature",
        "Frequency",
        "L1",
        "L1-N",
        "N",
        "Wh",
        "kWh",
        "W",
        "kW",
        "V",
        "A",
        "Celsius",
    ),
    *(
        "Celcius",
        "Percent",
        "Raw",
        "SignedData",
        "Sample.Periodic",
        "Transaction.End",
        "Outlet",
        "Inlet",
        "Body",
        "Hertz",
    ),
)

_TIME = "2026-05-01T12:00:00Z"


def _sampled(random: Random) -> Json:
    value: Json = {"value": str(random.randrange(10**6))}
    for key, choices in (
        ("measurand", ("Energy.Active.Import.Register", "Power.Active.Import", "Voltage", "Current.Import", "SoC")),
        ("unit", ("Wh", "kWh", "W", "kW", "V", "A", "Percent")),
        ("phase", ("L1", "L2", "L3", "N", "L1-N")),
        ("context", ("Sample.Periodic", "Transaction.Begin", "Transaction.End", "Sample.Clock")),
        ("format", ("Raw", "SignedData")),
        ("location", ("Outlet", "Inlet", "Cable")),
    ):
        if random.random() < 0.4:
            value[key] = random.choice(choices)
    return value


def _meter_value(random: Random) -> Json:
    at = f"2026-05-01T{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}Z"
    return {"timestamp": at, "sampledValue": [_sampled(random) for _ in range(random.randrange(1, 4))]}


def _meter_values(random: Random) -> Json:
    payload: Json = {"connectorId": random.randrange(3), "meterValue": [_meter_value(random)]}
    if random.random() < 0.7:
        payload["transactionId"] = random.randrange(40)
    return payload


def _start(random: Random) -> Json:
    at = f"2026-05-01T12:{random.randrange(60):02}:00Z"
    tag, meter = f"TAG-{random.randrange(9)}", random.randrange(10**6)
    return {"connectorId": random.randrange(1, 3), "idTag": tag, "meterStart": meter, "timestamp": at}


def _stop(random: Random) -> Json:
    at = f"2026-05-01T13:{random.randrange(60):02}:00Z"
    payload: Json = {"transactionId": random.randrange(40), "meterStop": random.randrange(10**6), "timestamp": at}
    if random.random() < 0.5:
        payload |= {"idTag": "TAG-1", "reason": random.choice(("Local", "Remote", "PowerLoss"))}
    if random.random() < 0.3:
        payload["transactionData"] = [_meter_value(random)]
    return payload


def _status(random: Random) -> Json:
    statuses = ("Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Faulted", "Unavailable", "Reserved")
    payload: Json = {"connectorId": random.randrange(3), "errorCode": "NoError", "status": random.choice(statuses)}
    if random.random() < 0.5:
        payload |= {"timestamp": _TIME, "info": "x", "vendorId": "acme", "vendorErrorCode": "E1"}
    return payload


_hash = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}

VALID: Final[dict[str, Callable[[Random], Json]]] = {
    "BootNotification": lambda _: {
        "chargePointVendor": "Acme",
        "chargePointModel": "One",
        "chargePointSerialNumber": "1",
        "chargeBoxSerialNumber": "2",
        "firmwareVersion": "1.0",
        "iccid": "8",
        "imsi": "9",
        "meterType": "m",
        "meterSerialNumber": "3",
    },
    "Heartbeat": lambda _: {},
    "Authorize": lambda random: {"idTag": f"TAG-{random.randrange(9)}"},
    "StatusNotification": _status,
    "StartTransaction": _start,
    "MeterValues": _meter_values,
    "StopTransaction": _stop,
    "DataTransfer": lambda _: {"vendorId": "acme", "messageId": "m", "data": '{"a": [1, {"password": "p"}]}'},
    "DiagnosticsStatusNotification": lambda _: {"status": "Uploaded"},
    "FirmwareStatusNotification": lambda _: {"status": "Installed"},
    "LogStatusNotification": lambda _: {"status": "Uploaded", "requestId": 1},
    "SecurityEventNotification": lambda _: {"type": "Other", "timestamp": _TIME, "techInfo": "t"},
    "SignCertificate": lambda _: {
        "csr": "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----"
    },
    "SignedFirmwareStatusNotification": lambda _: {"status": "Downloading", "requestId": 1},
    # What a charger has no business to send.
    "RemoteStartTransaction": lambda _: {"idTag": "T"},
    "InstallCertificate": lambda _: {"certificateType": "CentralSystemRootCertificate", "certificate": "x"},
    "DeleteCertificate": lambda _: {"certificateHashData": _hash},
    "NoSuchAction": lambda _: {"a": 1},
}
"""A payload that meets the contract, by action."""

COMMANDS: Final[dict[str, Json]] = {
    "GetConfiguration": {},
    "ChangeConfiguration": {"key": "MeterValueSampleInterval", "value": "60"},
    "ChangeAvailability": {"connectorId": 1, "type": "Inoperative"},
    "ReserveNow": {"connectorId": 1, "expiryDate": "2026-05-01T14:00:00Z", "idTag": "T", "reservationId": 1},
    "CancelReservation": {"reservationId": 1},
    "GetLocalListVersion": {},
    "SendLocalList": {"listVersion": 2, "updateType": "Full"},
    "GetDiagnostics": {"location": "ftp://h/d"},
    "UpdateFirmware": {"location": "ftp://h/f", "retrieveDate": _TIME},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 60},
    "RemoteStartTransaction": {"idTag": "T", "connectorId": 1},
    "RemoteStopTransaction": {"transactionId": 1},
    "Reset": {"type": "Soft"},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
    "UnlockConnector": {"connectorId": 1},
    "DataTransfer": {"vendorId": "acme"},
}
"""A payload for each CALL of ours whose answer is spoiled."""

_ANSWERS: Final[Sequence[Json]] = (
    *({"status": "Accepted"}, {"status": "Rejected"}, {"status": "Scheduled"}, {"status": "RebootRequired"}),
    {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}], "unknownKey": ["a"]},
    {"configurationKey": [{"key": "AuthorizationKey", "readonly": False}, {"key": "a", "readonly": True, "value": ""}]},
    *({"listVersion": 3}, {"listVersion": -1}, {"fileName": "log.txt"}, {}),
    {
        "status": "Accepted",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}],
        },
    },
)


@dataclass(frozen=True)
class Words:
    """What the chargers of a version say while nothing is spoiled."""

    calls: Mapping[str, Callable[[Random], Json]]
    """A payload that meets the contract, by action."""
    commands: Mapping[str, Json]
    """A payload for each CALL of ours whose answer is spoiled."""
    answer: Callable[[Random, str | None], Json]
    """To a command, or to none of ours."""
    sends: frozenset[str] = frozenset()
    """Those of the calls that are sent as SEND, where there is such a thing."""


WORDS_16: Final = Words(VALID, COMMANDS, lambda random, _: random.choice(_ANSWERS))


def anything(random: Random, depth: int = 3) -> Json:
    """Any JSON value."""
    match random.randrange(9 if depth else 6):
        case 0:
            return random.choice(_TEXTS)
        case 1:
            return random.choice(_NUMBERS)
        case 2:
            return random.choice(_TIMES)
        case 3:
            return random.choice((None, True, False))
        case 4:
            return random.choice(_WORDS)
        case 5:
            return float("nan") if random.random() < 0.3 else "".join(chr(random.randrange(0x500)) for _ in range(5))
        case 6:
            return [anything(random, depth - 1) for _ in range(random.randrange(4))]
        case _:
            return {str(anything(random, 0)): anything(random, depth - 1) for _ in range(random.randrange(4))}


def spoiled(random: Random, value: Json) -> Json:
    """The value with one thing in it changed."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        match random.randrange(10):
            case 0:
                return {name: member for name, member in value.items() if name != key}
            case 1:
                return {**value, str(anything(random, 0)): anything(random)}
            case 2:
                other = random.choice((key.swapcase(), key + " ", key[:-1], key * 20))
                return {other if name == key else name: member for name, member in value.items()}
            case _:
                return {**value, key: spoiled(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        match random.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value * random.choice((2, 3, 50))
            case 2:
                return [*value[:at], anything(random), *value[at:]]
            case _:
                return [*value[:at], spoiled(random, value[at]), *value[at + 1 :]]
    match random.randrange(8):
        case 0:
            return [value]
        case 1:
            return {"value": value}
        case 2:
            return str(value)
        case 3 if isinstance(value, str):
            return value + random.choice(_TEXTS)
        case 4 if isinstance(value, str):
            return random.choice(_TIMES)
        case 5:
            return random.choice(_NUMBERS)
        case _:
            return anything(random)


def frame(random: Random, words: Words = WORDS_16) -> bytes:
    """One frame's text, as a charger might send it on a very bad day."""
    kind = random.random()
    if kind < 0.03:
        return random.randbytes(random.randrange(200))
    if kind < 0.12:
        message_id = random.choice(("1", "2", "", random.choice(_TEXTS), 7, None))
        if random.random() < 0.5:
            return answer_to(random, message_id, words)
        kind_of_error = random.choice((4, 5)) if words.sends else 4
        elements: Json = [kind_of_error, message_id, random.choice(("GenericError", random.choice(_TEXTS))), "", {}]
    else:
        action = random.choice(list(words.calls))
        payload = words.calls[action](random)
        for _ in range(random.choice((0, 1, 1, 1, 2, 3, 5))):
            payload = spoiled(random, payload)
        is_send = action in words.sends or (words.sends and random.random() < 0.02)
        elements = [6 if is_send else 2, str(random.randrange(1000)), action, payload]
    if random.random() < 0.08:
        elements = spoiled(random, elements)
    return _damaged(random, _encoded(random, elements))


def answer_to(random: Random, message_id: Json, words: Words = WORDS_16, action: str | None = None) -> bytes:
    """The text of an answer to a CALL of ours."""
    if random.random() < 0.1:
        elements: Json = [4, message_id, anything(random), anything(random), anything(random)]
    else:
        payload = words.answer(random, action)
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            payload = spoiled(random, payload)
        elements = [3, message_id, payload]
    return _damaged(random, _encoded(random, elements))


def written(elements: Json, *, escaped: bool = False, compact: bool = True) -> bytes:
    """As a frame's text, also what JSON and UTF-8 have no room for."""
    text = json.dumps(elements, ensure_ascii=escaped, separators=(",", ":") if compact else None)
    return text.encode(errors="surrogatepass")


def _encoded(random: Random, elements: Json) -> bytes:
    return written(elements, escaped=random.random() < 0.5, compact=random.random() < 0.8)


def _damaged(random: Random, data: bytes) -> bytes:
    if random.random() < 0.75 or not data:
        return data
    at = random.randrange(len(data))
    match random.randrange(9):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + random.randbytes(random.randrange(1, 4)) + data[at:]
        case 2:
            return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        case 3:
            return _with_number(random, data)
        case 4:
            return data.replace(b"{", b'{"connectorId":1,', random.choice((1, -1)))  # a key that is there twice
        case 5:
            return b"\xef\xbb\xbf" + data + b"\0" * random.randrange(3)
        case 6:
            return data.replace(b":", b":" + b"[" * random.choice((1, 500, 20_000)), 1)
        case 7:
            return data + data
        case _:
            return data[:-1] + b"," + data[-1:]


def _with_number(random: Random, data: bytes) -> bytes:
    """With a number in it that JSON's grammar has no room for, or no program."""
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return data
    at = random.choice(digits)
    return data[:at] + random.choice(_RAW_NUMBERS) + data[at + 1 :]
