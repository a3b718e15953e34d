"""Where a model and the official JSON schema differ on what is valid, and why. There is no other place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from jsonschema import FormatChecker, ValidationError
from pydantic_core import ErrorDetails

from tests.contract.official import CONTRACT, Message


@dataclass(frozen=True)
class Leniency:
    """The model accepts what the schema refuses."""

    reason: str
    excuses: Callable[[Message, ValidationError], bool]


@dataclass(frozen=True)
class Severity:
    """The model refuses what the schema accepts."""

    reason: str
    excuses: Callable[[Message, ErrorDetails], bool]


def _lower_case_rfc_3339(_: Message, error: ValidationError) -> bool:
    return error.validator_value == "date-time" and FormatChecker().conforms(str(error.instance).upper(), "date-time")


def _tenth_in_binary64(_: Message, error: ValidationError) -> bool:
    return error.validator == "multipleOf" and Decimal(repr(float(str(error.instance)))) % Decimal("0.1") == 0


LENIENCIES = [
    Leniency(
        CONTRACT.differences["UnitOfMeasure/enum"],
        lambda message, error: str(message) == "StopTransactionRequest" and error.instance == "Hertz",
    ),
    Leniency(
        CONTRACT.differences["MeterValue.sampledValue/minItems"],
        lambda message, error: str(message) == "MeterValuesRequest" and error.path[-1] == "sampledValue",
    ),
    Leniency("RFC 3339 §5.6 lets T and Z be lower case; the checker of jsonschema doesn't.", _lower_case_rfc_3339),
    Leniency(
        "Of a URI only scheme and characters are checked, not the grammar of its parts: a charger's to judge.",
        lambda _, error: error.validator_value == "uri" and ":" in str(error.instance),
    ),
    Leniency("Numbers are read as binary64 (RFC 8259 §6): what it can't tell from a tenth is one.", _tenth_in_binary64),
]

SEVERITIES = [
    Severity(
        "RFC 3339 §5.6 ends with the zone; the checker of jsonschema lets a line break follow.",
        lambda _, error: error["type"] == "string_pattern_mismatch" and str(error["input"]).endswith("\n"),
    ),
    Severity(
        "A moment before year 1 or after year 9999 of UTC has no datetime.",
        lambda _, error: error["type"] == "datetime_range",
    ),
    Severity(
        "Draft 6, which the security extension names, calls 1.0 an integer; OCPP's integers have no fraction.",
        lambda _, error: error["type"] == "int_type" and isinstance(error["input"], float),
    ),
]
