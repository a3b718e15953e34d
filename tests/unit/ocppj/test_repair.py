"""Strict first, repair second: each rule, what no rule mends, and what one payload may cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from pydantic import BaseModel, ValidationError

from mcpp import bounds
from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocppj.actions import decode, encode
from mcpp.ocppj.crowded import MOST_ENTRIES
from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Deviation
from mcpp.ocppj.readers import MOST_STEPS
from mcpp.ocppj.repair import repair, thinned
from mcpp.ocppj.work import MOST_TOLD
from mcpp_generated.ocpp16.models import (
    AuthorizeRequest,
    ChangeConfigurationResponse,
    DataTransferRequest,
    FirmwareStatusNotificationRequest,
    GetCompositeScheduleResponse,
    GetConfigurationResponse,
    MeterValuesRequest,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
)

M = TypeVar("M", bound=BaseModel)

NOW = datetime(2026, 4, 1, 9, 30, 0, 123_000, tzinfo=UTC)
AT = "2026-01-01T10:00:00Z"
TEN = datetime(2026, 1, 1, 10, tzinfo=UTC)
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": AT}
STOP = {"transactionId": 7, "idTag": "TAG", "meterStop": 5, "timestamp": AT}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def mended(model: type[M], payload: object) -> tuple[M, list[Deviation]]:
    """As a CALL's payload is read that strict validation refuses."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with pytest.raises(ValidationError):
        decode(model, text)
    return repair(model, text, REPAIRS, NOW)


def rules_of(deviations: list[Deviation]) -> list[str]:
    return [deviation.rule for deviation in deviations]


@pytest.mark.parametrize(
    ("change", "rule", "name", "expected"),
    [
        ({"connectorId": "1"}, "text_for_number", "connector_id", 1),
        ({"meterStart": " 12.0 "}, "text_for_number", "meter_start", 12),
        ({"meterStart": "1.2e3"}, "text_for_number", "meter_start", 1200),
        ({"meterStart": 12.6}, "decimal_for_integer", "meter_start", 13),
        ({"meterStart": "12.6"}, "decimal_for_integer", "meter_start", 13),
        ({"meterStart": None}, "null_field", "meter_start", -1),
        ({"meterStart": ""}, "empty_field", "meter_start", -1),
        ({"meterStart": "many"}, "unreadable_field", "meter_start", -1),
        ({"meterStart": {}}, "empty_field", "meter_start", -1),
        ({"meterStart": True}, "unreadable_field", "meter_start", -1),
        ({"meterStart": 2**63}, "unreadable_field", "meter_start", -1),
        ({"meterStart": "1E+400000"}, "unreadable_field", "meter_start", -1),
        ({"connectorId": None}, "null_field", "connector_id", 0),
        ({"idTag": 4711}, "number_for_text", "id_tag", "4711"),
        ({"idTag": True}, "boolean_for_text", "id_tag", "true"),
        ({"idTag": None}, "null_field", "id_tag", ""),
        ({"idTag": ["TAG"]}, "unreadable_field", "id_tag", ""),
        ({"idTag": "A" * 22}, "text_too_long", "id_tag", "A" * 22),
        ({"idTag": "A" * bounds.NAME}, "text_too_long", "id_tag", "A" * bounds.NAME),
        ({"idTag": "A" * 2000}, "text_cut", "id_tag", "A" * (bounds.NAME - 3) + "…"),
        ({"idTag": "T\ud800"}, "broken_text", "id_tag", "T?"),
        ({"reservationId": None}, "null_field", "reservation_id", None),
        ({"reservationId": "none"}, "unreadable_field", "reservation_id", None),
        ({"reservationId": ""}, "empty_field", "reservation_id", None),
        ({"vendorExtra": {"a": 1}}, "unknown_field", "id_tag", "TAG"),
        ({"timestamp": "2026-01-01T10:00:00"}, "timestamp_without_zone", "timestamp", TEN),
        ({"timestamp": 1_767_261_600}, "timestamp_as_number", "timestamp", TEN),
        ({"timestamp": "2026/01/01 10:00:00 UTC"}, "timestamp_format", "timestamp", TEN),
        ({"timestamp": "2026-01-01"}, "unreadable_field", "timestamp", NOW),
        ({"timestamp": ""}, "empty_field", "timestamp", NOW),
        ({"timestamp": None}, "null_field", "timestamp", NOW),
    ],
)
def test_a_rule_mends_and_is_named(change: dict[str, object], rule: str, name: str, expected: object) -> None:
    request, deviations = mended(StartTransactionRequest, START | change)

    assert getattr(request, name) == expected
    assert [(deviation.rule, deviation.location) for deviation in deviations] == [(rule, next(iter(change)))]


@pytest.mark.parametrize("missing", [*START])
def test_a_start_without_a_field_has_what_stands_for_it(missing: str) -> None:
    request, deviations = mended(StartTransactionRequest, {name: START[name] for name in START if name != missing})

    assert rules_of(deviations) == ["missing_field"]
    stand_ins = {"connectorId": 0, "idTag": "", "meterStart": -1, "timestamp": NOW}
    names = {"connectorId": "connector_id", "idTag": "id_tag", "meterStart": "meter_start", "timestamp": "timestamp"}
    assert getattr(request, names[missing]) == stand_ins[missing]


def test_what_came_and_what_was_made_of_it_are_told() -> None:
    _, deviations = mended(StartTransactionRequest, {"connectorId": "1", "idTag": "A" * 200, "x": [1, {"y": None}]})

    assert deviations == [
        Deviation("text_for_number", "connectorId", '"1"', "1"),
        Deviation("text_too_long", "idTag", '"' + "A" * 98 + "…", '"' + "A" * 98 + "…"),
        Deviation("missing_field", "meterStart", "", "-1"),
        Deviation("missing_field", "timestamp", "", '"2026-04-01T09:30:00.123Z"'),
        Deviation("unknown_field", "x", '[1,{"y":null}]', ""),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7", 7), (7.0, 7), ("", 0), (None, 0), (False, 0), (2**63, 0), (2**64, 0), (-(2**70), 0), ("abc", 0), ([7], 0)],
)
def test_the_transaction_that_a_stop_names(value: object, expected: int) -> None:
    request, _ = mended(StopTransactionRequest, STOP | {"transactionId": value})

    assert request.transaction_id == expected


@pytest.mark.parametrize("digits", [100, 4_300, 500_000])
def test_an_integer_of_any_length_is_read(digits: int) -> None:
    payload = b'{"transactionId":%b,"meterStop":5,"timestamp":"2026-01-01T10:00:00Z"}' % (b"9" * digits)

    request, _ = mended(StopTransactionRequest, payload)

    assert (request.transaction_id, request.meter_stop) == (0, 5)


@pytest.mark.parametrize("text", [b"1e400000", b"1E+400000", b"-1e999999999999999999999", b"NaN", b"Infinity"])
def test_a_number_beyond_all_measure_is_none(text: bytes) -> None:
    request, _ = mended(StopTransactionRequest, b'{"transactionId":7,"meterStop":%b}' % text)

    assert (request.transaction_id, request.meter_stop, request.timestamp) == (7, -1, NOW)


@pytest.mark.parametrize(
    ("reason", "expected", "rule"),
    [
        ("REMOTE", "Remote", "letter_case"),
        ("ev_disconnected", "EVDisconnected", "letter_case"),
        ("Deauthorised", "DeAuthorized", "outside_list"),
        ("Cable", "Other", "outside_list"),
        (3, "Other", "number_for_text"),
        ("", None, "empty_field"),
        ({"a": 1}, None, "unreadable_field"),
    ],
)
def test_the_reason_of_a_stop(reason: object, expected: str | None, rule: str) -> None:
    request, deviations = mended(StopTransactionRequest, STOP | {"reason": reason})

    assert request.reason == expected
    assert deviations[0].rule == rule


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "AVAILABLE"}, ("Available", "NoError", None, None)),
        ({"status": "Occupied"}, ("Preparing", "NoError", "Occupied", None)),
        ({"status": "Dancing"}, ("Unavailable", "NoError", "Dancing", None)),
        ({"errorCode": "Error"}, ("Available", "OtherError", None, "Error")),
        ({"errorCode": "E17", "vendorErrorCode": "17"}, ("Available", "OtherError", "E17", "17")),
        ({"errorCode": "E17", "vendorErrorCode": "17", "info": "i"}, ("Available", "OtherError", "i", "17")),
        ({"errorCode": "Mode3Error"}, ("Available", "EVCommunicationError", None, "Mode3Error")),
        ({"errorCode": ""}, ("Available", "NoError", None, None)),
        ({"errorCode": 0}, ("Available", "NoError", None, None)),
        ({"errorCode": "E1", "status": "Odd"}, ("Unavailable", "OtherError", "Odd", "E1")),
    ],
)
def test_a_status_and_an_error_outside_their_lists(change: dict[str, object], expected: tuple[str | None, ...]) -> None:
    request, _ = mended(StatusNotificationRequest, STATUS | change)

    assert (request.status, request.error_code, request.info, request.vendor_error_code) == expected


def test_a_report_keeps_a_status_that_is_in_no_list() -> None:
    request, deviations = mended(FirmwareStatusNotificationRequest, {"status": "DownloadScheduled"})

    assert request.status.value == "DownloadScheduled"
    assert rules_of(deviations) == ["outside_list"]


def entry(*sampled: object, **more: object) -> dict[str, object]:
    return {"timestamp": AT, "sampledValue": list(sampled)} | more


def test_a_number_meant_as_text_keeps_its_digits() -> None:
    payload = b'{"connectorId":1,"meterValue":[{"timestamp":"%b","sampledValue":[{"value":"1"},{"value":230.10}]}]}'

    request, deviations = mended(MeterValuesRequest, payload % AT.encode())

    assert request.meter_value[0].sampled_value[1].value == "230.10"
    location = "meterValue[0].sampledValue[1].value"
    assert deviations == [Deviation("number_for_text", location, "230.10", '"230.10"')]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("context", "Sample.Odd"),
        ("measurand", "Energy.Active.Import.Total"),
        ("unit", "Hz"),
        ("phase", "L4"),
        ("location", "Wall"),
        ("format", "CurrentMax"),
    ],
)
def test_a_sampled_value_outside_a_list_keeps_its_text(name: str, text: str) -> None:
    sampled = [{"value": "1"}, {"value": "2", name: text}, {"value": "3"}]

    request, deviations = mended(MeterValuesRequest, {"connectorId": 1, "meterValue": [entry(*sampled)]})

    values = request.meter_value[0].sampled_value
    assert [value.value for value in values] == ["1", "2", "3"]
    assert getattr(values[1], name) == text
    assert deviations == [
        Deviation("outside_list", f"meterValue[0].sampledValue[1].{name}", json.dumps(text), json.dumps(text))
    ]


@pytest.mark.parametrize(
    "junk", [None, 1, "x", [], {}, {"value": None}, {"value": {}}, {"measurand": "SoC"}, [[{"value": "2"}]]]
)
def test_an_entry_that_cannot_be_understood_is_left_out_and_its_neighbours_stay(junk: object) -> None:
    payload = {"connectorId": 1, "meterValue": [entry({"value": "1"}, junk, {"value": "3"})]}

    request, deviations = mended(MeterValuesRequest, payload)

    assert [value.value for value in request.meter_value[0].sampled_value] == ["1", "3"]
    assert deviations[-1].rule == "entry_left_out"
    assert deviations[-1].location == "meterValue[0].sampledValue[1]"


@pytest.mark.parametrize(
    ("meter_value", "values"),
    [
        (entry({"value": "1"}), [["1"]]),
        ([{"timestamp": AT, "sampledValue": {"value": "1"}}], [["1"]]),
        ([{"timestamp": AT}], [[]]),
        ([{"timestamp": AT, "sampledValue": None}, entry({"value": "1"})], [[], ["1"]]),
        ([entry({"value": "1"}), "junk", None], [["1"]]),
        ([], []),
        (None, []),
        ("", []),
        ("junk", []),
        ({}, [[]]),
    ],
)
def test_meter_values_of_any_shape(meter_value: object, values: list[list[str]]) -> None:
    request, _ = mended(MeterValuesRequest, {"connectorId": 1, "meterValue": meter_value})

    assert [[value.value for value in entry.sampled_value] for entry in request.meter_value] == values


def hour(number: int) -> datetime:
    return datetime(2026, 1, 1, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([None], [10]),
        ([8, None], [8, 10]),
        ([8, None, 9], [8, 8, 9]),
        ([None, 8], [8, 8]),
        ([None, None, 9, None], [9, 9, 9, 10]),
    ],
)
def test_an_entry_of_a_stop_without_a_time_has_one_from_nearby(hours: list[int | None], expected: list[int]) -> None:
    data = [entry({"value": "1"}, timestamp="" if hour is None else f"2026-01-01T{hour:02}:00:00Z") for hour in hours]

    request, deviations = mended(StopTransactionRequest, STOP | {"transactionData": data})

    assert request.transaction_data is not None
    assert [value.timestamp for value in request.transaction_data] == [hour(number) for number in expected]
    assert rules_of(deviations) == ["empty_field"] * hours.count(None)


def test_meter_values_without_any_time_are_of_the_time_of_receipt() -> None:
    payload = {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "1"}]}, {"timestamp": "soon"}]}

    request, _ = mended(MeterValuesRequest, payload)

    assert [value.timestamp for value in request.meter_value] == [NOW, NOW]


def test_an_object_for_text_is_kept_as_it_was_sent() -> None:
    data = rb'{"a": [1.50, "\"}"], "b": 123456789012345678901234567890}'

    request, deviations = mended(DataTransferRequest, b'{"x":"}","data" : %b,"vendorId":"v"}' % data)

    assert (request.vendor_id, request.data) == ("v", data.decode())
    assert rules_of(deviations) == ["object_for_text", "unknown_field"]


@pytest.mark.parametrize(
    ("readonly", "expected"),
    [(0, False), (1, True), ("true", True), ("False", False), (None, False), ("?", False), ({}, False), (2, False)],
)
def test_one_odd_configuration_key_leaves_the_others(readonly: object, expected: bool) -> None:
    keys: list[object] = [{"key": f"K{number}", "readonly": True, "value": str(number)} for number in range(100)]
    keys[50] = {"key": "K50", "readonly": readonly, "value": 50}

    response, _ = mended(GetConfigurationResponse, {"configurationKey": keys, "unknownKey": "U"})

    assert response.configuration_key is not None
    assert [key.key for key in response.configuration_key] == [f"K{number}" for number in range(100)]
    assert (response.configuration_key[50].readonly, response.configuration_key[50].value) == (expected, "50")
    assert response.unknown_key == ["U"]


def test_a_configuration_key_without_name_value_or_readonly() -> None:
    keys = [{"key": "A"}, {"readonly": True, "value": "b"}, {"key": "C", "readonly": True, "value": None}, "junk"]

    response, _ = mended(GetConfigurationResponse, {"configurationKey": keys})

    assert response.configuration_key is not None
    assert [(key.key, key.readonly, key.value) for key in response.configuration_key] == [
        ("A", False, None),
        ("C", True, None),
    ]


def test_a_long_configuration_value_is_kept() -> None:
    key = {"key": "Certificate", "readonly": False, "value": "A" * 5_000}

    response, _ = mended(GetConfigurationResponse, {"configurationKey": [key, key | {"value": "B" * 100_000}]})

    assert response.configuration_key is not None
    assert [len(found.value or "") for found in response.configuration_key] == [5_000, bounds.LONG_TEXT - 2]


def test_a_rejected_schedule_with_junk_is_rejected() -> None:
    payload = {"status": "rejected", "connectorId": "", "scheduleStart": 0, "chargingSchedule": {"duration": "x"}}

    response, _ = mended(GetCompositeScheduleResponse, payload)

    assert (response.status, response.connector_id) == ("Rejected", None)
    assert (response.schedule_start, response.charging_schedule) == (None, None)


def test_a_limit_with_hundredths_is_kept() -> None:
    schedule = {"chargingRateUnit": "a", "chargingSchedulePeriod": {"startPeriod": 0, "limit": "16.25"}}

    response, deviations = mended(GetCompositeScheduleResponse, {"status": "Accepted", "chargingSchedule": schedule})

    assert response.charging_schedule is not None
    assert str(response.charging_schedule.charging_schedule_period[0].limit) == "16.25"
    assert "too_many_decimals" in rules_of(deviations)
    assert b'"limit":16.25' in encode(response)


@pytest.mark.parametrize("text", ["Reboot Required", "REBOOTREQUIRED", "reboot_required"])
def test_the_letter_case_of_an_answer(text: str) -> None:
    response, deviations = mended(ChangeConfigurationResponse, {"status": text})

    assert response.status.value == "RebootRequired"
    assert deviations == [Deviation("letter_case", "status", json.dumps(text), '"RebootRequired"')]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"transactionId":7,"meterStop":5,}', "stray_comma"),
        (b'{"transactionId":7,"meterStop":5,"transactionData":[ , ]}', "stray_comma"),
        (b'{"transactionId":7,"meterStop":5,"x":"\xff"}', "broken_text"),
        (b'{"transactionId":7,"meterStop":5,"idTag":"A\tB"}', "broken_text"),
        (b'{"transactionId":7,"meterStop":5,"idTag":"A\nB"}', "broken_text"),
        (b'{"transactionId":7,"meterStop":5,"x":"\x00",}', "broken_text"),
        (b'{"transactionId":7,"meterStop":5,"x":[,],"y":"\x1f"}', "broken_text"),
    ],
)
def test_what_is_almost_json(payload: bytes, expected: str) -> None:
    request, deviations = mended(StopTransactionRequest, payload)

    assert (request.transaction_id, request.meter_stop) == (7, 5)
    assert expected in rules_of(deviations)


def test_what_one_repair_uncovers_is_repaired_too() -> None:
    """The digits of a number become text, and only then prove too long."""
    request, deviations = mended(AuthorizeRequest, {"idTag": int("9" * 25)})

    assert request.id_tag == "9" * 25
    assert rules_of(deviations) == ["number_for_text", "text_too_long"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"idTag":', ErrorCode.FORMAT_VIOLATION),
        (b'{"idTag":"a"}{}', ErrorCode.FORMAT_VIOLATION),
        (b"[]", ErrorCode.FORMAT_VIOLATION),
        (b"null", ErrorCode.FORMAT_VIOLATION),
        (b'"text"', ErrorCode.FORMAT_VIOLATION),
        (b"\xff", ErrorCode.FORMAT_VIOLATION),
        (b"[" * 100_000, ErrorCode.FORMAT_VIOLATION),
        (b"{}", ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        (b'{"idTag":null}', ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        (b'{"idTag":NaN}', ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        (b'{"idTag":["a"]}', ErrorCode.TYPE_CONSTRAINT_VIOLATION),
    ],
)
def test_what_no_rule_mends_is_a_fault(payload: bytes, code: ErrorCode) -> None:
    with pytest.raises(CallFault) as raised:
        mended(AuthorizeRequest, payload)

    assert raised.value.code is code


def test_a_fault_says_where() -> None:
    with pytest.raises(CallFault, match=r"^status: ") as raised:
        mended(ChangeConfigurationResponse, {"status": "Dancing"})

    assert raised.value.code is ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


def test_what_one_payload_may_cause_is_bounded_and_the_rest_is_read() -> None:
    data = [entry(*[{"value": number} for number in range(20_000)]), entry({"value": "1"})]

    request, deviations = repair(
        StopTransactionRequest, json.dumps({"transactionData": data, "meterStop": 5}).encode(), REPAIRS, NOW
    )

    assert request.transaction_data is not None
    read = sum(len(value.sampled_value) for value in request.transaction_data)
    assert MOST_STEPS / 3 - 10 < read < MOST_STEPS / 3
    assert request.meter_stop == 5
    assert len(deviations) == MOST_TOLD + 1
    assert deviations[-1].rule == "more_deviations"


@pytest.mark.parametrize("sampled", ["{}", "0", '"x"', "[]", '{"value":1}', '{"value":"1"}'])
def test_a_crowded_payload_is_cut_before_it_is_read(sampled: str) -> None:
    data = f'[{{"timestamp":"{AT}","sampledValue":[{",".join([sampled] * 80_000)}],"odd":[[],"]"]}}]'
    payload = f'{{"vendor":[1,{{}}],"transactionData":{data}, "meterStop":5,"odd":"\\"}}"}}'.encode()

    thin, deviations = thinned(StopTransactionRequest, payload, REPAIRS)

    assert rules_of(deviations) == ["crowded_payload"]
    document = json.loads(thin)
    assert len(document["transactionData"][0]["sampledValue"]) == MOST_ENTRIES
    assert document["meterStop"] == 5
    assert "vendor" not in document


def test_a_large_message_of_a_correct_charger_is_not_crowded() -> None:
    sampled = {"value": "12345.6", "context": "Sample.Periodic", "measurand": "Current.Import", "unit": "A"}
    payload = json.dumps({"connectorId": 1, "meterValue": [entry(*[sampled] * 7_500)]}, separators=(",", ":")).encode()

    assert thinned(MeterValuesRequest, payload, REPAIRS) == (payload, [])


def test_a_crowded_payload_that_is_not_json_is_a_fault() -> None:
    for payload in (b'{"a":' + b"[" * 200_000, b'{"a":1,' * 80_000, b'{"idTag":["",' * 80_000):
        with pytest.raises(CallFault):
            thinned(AuthorizeRequest, payload, REPAIRS)
