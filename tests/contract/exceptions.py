"""Where a model and the official JSON schema differ on what is valid, and why. There is no other place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pydantic
from jsonschema import ValidationError
from pydantic_core import ErrorDetails

from tests.contract.official import OCPP16, Shape


@dataclass(frozen=True)
class Leniency:
    """The model accepts what the schema refuses."""

    reason: str
    shape: str
    example: bytes
    excuses: Callable[[Shape, ValidationError], bool]


@dataclass(frozen=True)
class Severity:
    """The model refuses what the schema accepts."""

    reason: str
    shape: str
    example: bytes
    excuses: Callable[[Shape, ErrorDetails], bool]


def _tenth_in_binary64(_: Shape, error: ValidationError) -> bool:
    return error.validator == "multipleOf" and Decimal(repr(float(str(error.instance)))) % Decimal("0.1") == 0


LENIENCIES = [
    Leniency(
        OCPP16.contract.differences["UnitOfMeasure/enum"],
        "1.6 StopTransactionRequest",
        b'{"transactionId":1,"meterStop":0,"timestamp":"2026-01-31T12:00:00Z","transactionData":'
        b'[{"timestamp":"2026-01-31T12:00:00Z","sampledValue":[{"value":"50","unit":"Hertz"}]}]}',
        lambda message, error: str(message) == "1.6 StopTransactionRequest" and error.instance == "Hertz",
    ),
    Leniency(
        OCPP16.contract.differences["MeterValue.sampledValue/minItems"],
        "1.6 MeterValuesRequest",
        b'{"connectorId":1,"meterValue":[{"timestamp":"2026-01-31T12:00:00Z","sampledValue":[]}]}',
        lambda message, error: str(message) == "1.6 MeterValuesRequest" and error.path[-1] == "sampledValue",
    ),
    Leniency(
        "Of a URI only scheme and characters are checked, not the grammar of its parts: the charger's to judge.",
        "1.6 GetDiagnosticsRequest",
        b'{"location":"ftp://[example.com"}',
        lambda _, error: error.validator_value == "uri" and ":" in str(error.instance),
    ),
    Leniency(
        "Numbers are read as binary64 (RFC 8259 §6): what it can't tell from a tenth is one.",
        "1.6 GetCompositeScheduleResponse",
        b'{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[],'
        b'"minChargingRate":8.1000000000000000001}}',
        _tenth_in_binary64,
    ),
]

SEVERITIES = [
    Severity(
        "RFC 3339 §5.6 ends with the zone; the checker of jsonschema lets a line break follow.",
        "1.6 HeartbeatResponse",
        b'{"currentTime":"2026-01-31T12:00:00Z\\n"}',
        lambda _, error: error["type"] == "string_pattern_mismatch" and str(error["input"]).endswith("\n"),
    ),
    Severity(
        "A moment before year 1 or after year 9999 of UTC has no datetime.",
        "1.6 HeartbeatResponse",
        b'{"currentTime":"9999-12-31T23:59:59-01:00"}',
        lambda _, error: error["type"] == "less_than_equal",
    ),
    Severity(
        "An integer of more than 64 bits counts nothing and has no room in a database; it's repaired by rule.",
        "1.6 LogStatusNotificationRequest",
        b'{"status":"Idle","requestId":9223372036854775808}',
        lambda _, error: (
            error["type"] in ("less_than_equal", "greater_than_equal")
            and isinstance(error["input"], int)
            and abs(error["input"]) >= 2**63
        ),
    ),
    Severity(
        OCPP16.contract.bounds["SampledValue.value"].reason,
        "1.6 MeterValuesRequest",
        b'{"connectorId":1,"meterValue":[{"timestamp":"2026-01-31T12:00:00Z","sampledValue":[{"value":"%b"}]}]}'
        % (b"9" * 16385),
        lambda _, error: (
            error["type"] == "string_too_long" and error["loc"][-1] == "value" and len(error["input"]) > 16384
        ),
    ),
    Severity(
        "Draft 6, which the security extension names, calls 1.0 an integer; OCPP's integers have no fraction.",
        "1.6 LogStatusNotificationRequest",
        b'{"status":"Idle","requestId":1.0}',
        lambda _, error: error["type"] == "int_type" and isinstance(error["input"], float),
    ),
    Severity(
        "A number that binary64 can't hold measures nothing.",
        "2.0.1 CostUpdatedRequest",
        b'{"totalCost":1e400,"transactionId":"1"}',
        lambda _, error: error["type"] in ("decimal_type", "finite_number") and abs(Decimal(error["input"])) > 10**308,
    ),
]


def assert_agree(shape: Shape, payload: bytes) -> None:
    """Model and schema both accept or both refuse, or the table of exceptions says why not."""
    official = shape.official_errors(payload)
    try:
        shape.decode(payload)
    except pydantic.ValidationError as error:
        if not official:
            unexcused = [e for e in error.errors() if not any(s.excuses(shape, e) for s in SEVERITIES)]
            assert not unexcused, f"only the model refuses {payload!r}"
    else:
        unexcused_official = [e for e in official if not any(s.excuses(shape, e) for s in LENIENCIES)]
        assert not unexcused_official, f"only the schema refuses {payload!r}"
