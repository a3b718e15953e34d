"""Strict first, repair second: each rule, and what no rule mends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Deviation
from mcpp.ocppj.repair import repair
from mcpp.ocppj.rules import FIELD_RULES
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizeRequest,
    MeterValuesRequest,
    StartTransactionRequest,
    StatusNotificationRequest,
)

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": "2026-01-01T10:00:00Z"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def mended(decode: Callable[[bytes], BaseModel], payload: object) -> tuple[BaseModel, list[Deviation]]:
    return repair(decode, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), FIELD_RULES)


@pytest.mark.parametrize(
    ("change", "rule", "location", "name", "expected"),
    [
        ({"connectorId": "1"}, "text_for_number", "connectorId", "connector_id", 1),
        ({"meterStart": " 12.0 "}, "text_for_number", "meterStart", "meter_start", 12),
        ({"meterStart": 12.6}, "decimal_for_integer", "meterStart", "meter_start", 13),
        ({"idTag": 4711}, "number_for_text", "idTag", "id_tag", "4711"),
        ({"reservationId": None}, "null_field", "reservationId", "reservation_id", None),
        ({"vendorExtra": {"a": 1}}, "unknown_field", "vendorExtra", "id_tag", "TAG"),
        ({"idTag": "A" * 22}, "text_too_long", "idTag", "id_tag", "A" * 22),
        (
            {"timestamp": "2026-01-01T10:00:00"},
            "timestamp_without_zone",
            "timestamp",
            "timestamp",
            datetime(2026, 1, 1, 10, tzinfo=UTC),
        ),
        (
            {"timestamp": "2026-01-01 10:00:00,250+0200"},
            "timestamp_format",
            "timestamp",
            "timestamp",
            datetime(2026, 1, 1, 8, 0, 0, 250_000, tzinfo=UTC),
        ),
    ],
)
def test_a_rule_mends_and_is_named(
    change: dict[str, object], rule: str, location: str, name: str, expected: object
) -> None:
    request, deviations = mended(actions.START_TRANSACTION.decode_request, START | change)

    assert isinstance(request, StartTransactionRequest)
    assert getattr(request, name) == expected
    assert deviations == [Deviation(rule, location)]


def test_letter_case_of_an_enum() -> None:
    request, deviations = mended(actions.STATUS_NOTIFICATION.decode_request, STATUS | {"status": "AVAILABLE"})

    assert isinstance(request, StatusNotificationRequest)
    assert request.status.value == "Available"
    assert deviations == [Deviation("letter_case", "status")]


def test_a_number_meant_as_text_keeps_its_digits() -> None:
    payload = (
        b'{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T10:00:00Z",'
        b'"sampledValue":[{"value":"1"},{"value":230.10,"phase":"l1"}]}]}'
    )

    request, deviations = mended(actions.METER_VALUES.decode_request, payload)

    assert isinstance(request, MeterValuesRequest)
    second = request.meter_value[0].sampled_value[1]
    assert (second.value, second.phase) == ("230.10", "L1")
    assert deviations == [
        Deviation("number_for_text", "meterValue[0].sampledValue[1].value"),
        Deviation("letter_case", "meterValue[0].sampledValue[1].phase"),
    ]


def test_what_one_round_of_repairs_uncovers_is_repaired_too() -> None:
    """The digits of a number become text, and only then prove too long."""
    request, deviations = mended(actions.AUTHORIZE.decode_request, {"idTag": int("9" * 25)})

    assert isinstance(request, AuthorizeRequest)
    assert request.id_tag == "9" * 25
    assert [deviation.rule for deviation in deviations] == ["number_for_text", "text_too_long"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"idTag":', ErrorCode.FORMAT_VIOLATION),
        (b'{"idTag":"a"}{}', ErrorCode.FORMAT_VIOLATION),
        (b'{"idTag":NaN}', ErrorCode.FORMAT_VIOLATION),
        (b"[]", ErrorCode.FORMAT_VIOLATION),
        (b"\xff", ErrorCode.FORMAT_VIOLATION),
        (b"[" * 100_000, ErrorCode.FORMAT_VIOLATION),
        (b"{}", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        (b'{"idTag":null}', ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        (b'{"idTag":["a"]}', ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        (b'{"idTag":true}', ErrorCode.TYPE_CONSTRAINT_VIOLATION),
    ],
)
def test_what_no_rule_mends_is_a_fault(payload: bytes, code: ErrorCode) -> None:
    with pytest.raises(CallFault) as raised:
        mended(actions.AUTHORIZE.decode_request, payload)

    assert raised.value.code is code


def test_a_fault_says_where() -> None:
    with pytest.raises(CallFault, match=r"^status: "):
        mended(actions.STATUS_NOTIFICATION.decode_request, STATUS | {"status": "Dancing"})
