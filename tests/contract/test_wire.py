"""The form on the wire that every generated model shares, by examples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import ValidationError

from mcpp_generated.ocpp16.actions import (
    AUTHORIZE,
    BOOT_NOTIFICATION,
    CHANGE_AVAILABILITY,
    DATA_TRANSFER,
    GET_COMPOSITE_SCHEDULE,
    GET_DIAGNOSTICS,
    HEARTBEAT,
    METER_VALUES,
    REMOTE_START_TRANSACTION,
    START_TRANSACTION,
)
from mcpp_generated.ocpp16.models import (
    AuthorizationStatus,
    AuthorizeRequest,
    AuthorizeResponse,
    BootNotificationResponse,
    ChargingRateUnitType,
    ChargingSchedule,
    ChargingSchedulePeriod,
    DataTransferRequest,
    GetCompositeScheduleResponse,
    GetCompositeScheduleStatus,
    HeartbeatResponse,
    IdTagInfo,
    RegistrationStatus,
    StartTransactionResponse,
)


def error_at(error: ValidationError) -> tuple[str, tuple[int | str, ...]]:
    (detail,) = error.errors()
    return detail["type"], detail["loc"]


def schedule(limit: str) -> bytes:
    periods = f'[{{"startPeriod":0,"limit":{limit}}}]'
    return (
        b'{"status":"Accepted","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":'
        + periods.encode()
        + b"}}"
    )


def limit_of(response: GetCompositeScheduleResponse) -> Decimal:
    assert response.charging_schedule is not None
    return response.charging_schedule.charging_schedule_period[0].limit


class TestNames:
    def test_the_wire_knows_only_its_own(self) -> None:
        assert AUTHORIZE.decode_request(b'{"idTag":"A"}') == AuthorizeRequest(id_tag="A")
        with pytest.raises(ValidationError):
            AUTHORIZE.decode_request(b'{"id_tag":"A"}')

    def test_python_knows_only_its_own(self) -> None:
        with pytest.raises(ValidationError):
            AuthorizeRequest.model_validate({"idTag": "A"})

    def test_other_fields_are_refused(self) -> None:
        with pytest.raises(ValidationError) as caught:
            AUTHORIZE.decode_request(b'{"idTag":"A","parentIdTag":"B"}')

        assert error_at(caught.value) == ("extra_forbidden", ("parentIdTag",))


class TestAbsence:
    def test_null_is_not_absence_on_the_wire(self) -> None:
        with pytest.raises(ValidationError) as caught:
            DATA_TRANSFER.decode_request(b'{"vendorId":"V","data":null}')

        assert error_at(caught.value) == ("string_type", ("data",))

    def test_none_is_absence_in_python(self) -> None:
        given = DataTransferRequest(vendor_id="V", message_id=None, data=None)

        assert given == DataTransferRequest(vendor_id="V")
        assert DATA_TRANSFER.encode_request(given) == b'{"vendorId":"V"}'

    def test_absent_fields_stay_out_of_every_dump(self) -> None:
        given = AuthorizeResponse(id_tag_info=IdTagInfo(status=AuthorizationStatus.ACCEPTED))

        assert given.model_dump() == {"idTagInfo": {"status": AuthorizationStatus.ACCEPTED}}
        assert given.model_dump_json() == '{"idTagInfo":{"status":"Accepted"}}'


class TestNoCoercion:
    @pytest.mark.parametrize("transaction_id", ['"1"', "true", "1.0", "1.5", "1e2", "null"])
    def test_only_an_integer_is_an_integer(self, transaction_id: str) -> None:
        with pytest.raises(ValidationError):
            START_TRANSACTION.decode_response(
                b'{"idTagInfo":{"status":"Accepted"},"transactionId":' + transaction_id.encode() + b"}"
            )

    @pytest.mark.parametrize("id_tag", ["1", "true", "1.5", "null", "[]", "{}"])
    def test_only_text_is_text(self, id_tag: str) -> None:
        with pytest.raises(ValidationError):
            AUTHORIZE.decode_request(b'{"idTag":' + id_tag.encode() + b"}")

    @pytest.mark.parametrize("status", ["operative", "OPERATIVE", "Operative "])
    def test_an_enum_value_is_exact(self, status: str) -> None:
        with pytest.raises(ValidationError):
            CHANGE_AVAILABILITY.decode_request(f'{{"connectorId":1,"type":"{status}"}}'.encode())

    def test_length_counts_characters(self) -> None:
        assert AUTHORIZE.decode_request(b'{"idTag":"%s"}' % ("ä" * 20).encode()).id_tag == "ä" * 20
        with pytest.raises(ValidationError):
            AUTHORIZE.decode_request(b'{"idTag":"%s"}' % ("ä" * 21).encode())


class TestTimestamps:
    def test_written_in_utc_with_milliseconds(self) -> None:
        noon_in_berlin = datetime(2026, 1, 31, 13, 0, 0, 999_999, timezone(timedelta(hours=1)))

        encoded = BOOT_NOTIFICATION.encode_response(
            BootNotificationResponse(status=RegistrationStatus.ACCEPTED, current_time=noon_in_berlin, interval=300)
        )

        assert encoded == b'{"status":"Accepted","currentTime":"2026-01-31T12:00:00.999Z","interval":300}'

    def test_three_digits_also_where_they_are_zero(self) -> None:
        response = HeartbeatResponse(current_time=datetime(2026, 1, 31, 12, tzinfo=UTC))

        assert HEARTBEAT.encode_response(response) == b'{"currentTime":"2026-01-31T12:00:00.000Z"}'

    @pytest.mark.parametrize(
        "text",
        ["2026-01-31T12:00:00.5Z", "2026-01-31T14:00:00.500000+02:00", "2026-01-31t12:00:00.500000999z"],
    )
    def test_read_as_utc(self, text: str) -> None:
        response = HEARTBEAT.decode_response(f'{{"currentTime":"{text}"}}'.encode())

        assert response.current_time == datetime(2026, 1, 31, 12, 0, 0, 500_000, UTC)
        assert response.current_time.tzinfo is UTC

    @pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "2026-01-31", "1769860800", "2026-01-31 12:00:00Z"])
    def test_zone_and_form_are_needed(self, text: str) -> None:
        with pytest.raises(ValidationError):
            HEARTBEAT.decode_response(f'{{"currentTime":"{text}"}}'.encode())

    def test_a_number_is_no_timestamp(self) -> None:
        with pytest.raises(ValidationError):
            HEARTBEAT.decode_response(b'{"currentTime":1769860800}')

    def test_beyond_the_calendar_is_refused(self) -> None:
        with pytest.raises(ValidationError) as caught:
            HEARTBEAT.decode_response(b'{"currentTime":"0001-01-01T00:00:00+14:00"}')

        assert error_at(caught.value) == ("greater_than_equal", ("currentTime",))

    def test_python_needs_a_zone_too(self) -> None:
        with pytest.raises(ValidationError):
            HeartbeatResponse(current_time=datetime(2026, 1, 31, 12))  # noqa: DTZ001


class TestTenths:
    @pytest.mark.parametrize("limit", ["8.1", "0.1", "16", "16.0", "-0.3", "1e1", "99999999999999.9"])
    def test_read_exactly(self, limit: str) -> None:
        assert limit_of(GET_COMPOSITE_SCHEDULE.decode_response(schedule(limit))) == Decimal(limit)

    @pytest.mark.parametrize("limit", ['"8.1"', "true", "8.15", "NaN", "Infinity", "null"])
    def test_nothing_else_is_one(self, limit: str) -> None:
        with pytest.raises(ValidationError):
            GET_COMPOSITE_SCHEDULE.decode_response(schedule(limit))

    @pytest.mark.parametrize(("limit", "written"), [("8.1", b"8.1"), ("16.0", b"16"), ("0.3", b"0.3"), ("-0.0", b"0")])
    def test_written_as_a_number(self, limit: str, written: bytes) -> None:
        response = GetCompositeScheduleResponse(
            status=GetCompositeScheduleStatus.ACCEPTED,
            charging_schedule=ChargingSchedule(
                charging_rate_unit=ChargingRateUnitType.A,
                charging_schedule_period=[ChargingSchedulePeriod(start_period=0, limit=Decimal(limit))],
            ),
        )

        assert b'"limit":' + written + b"}" in GET_COMPOSITE_SCHEDULE.encode_response(response)


class TestUris:
    def test_stay_as_written(self) -> None:
        payload = b'{"location":"FTP://User@Example.COM:21"}'

        assert GET_DIAGNOSTICS.encode_request(GET_DIAGNOSTICS.decode_request(payload)) == payload

    @pytest.mark.parametrize("location", ["example.com/logs", "ftp://example.com/a b", ""])
    def test_need_a_scheme_and_no_blanks(self, location: str) -> None:
        with pytest.raises(ValidationError):
            GET_DIAGNOSTICS.decode_request(f'{{"location":"{location}"}}'.encode())


def test_errors_name_the_place_as_the_wire_does() -> None:
    with pytest.raises(ValidationError) as caught:
        METER_VALUES.decode_request(
            b'{"connectorId":1,"meterValue":[{"timestamp":"2026-01-31T12:00:00Z","sampledValue":[{"value":230.1}]}]}'
        )

    assert error_at(caught.value) == ("string_type", ("meterValue", 0, "sampledValue", 0, "value"))


def test_models_are_immutable() -> None:
    request = REMOTE_START_TRANSACTION.decode_request(b'{"idTag":"A"}')

    with pytest.raises(ValidationError):
        setattr(request, "id_tag", "B")  # noqa: B010
    assert request.id_tag == "A"


def test_a_response_is_compact() -> None:
    response = StartTransactionResponse(
        id_tag_info=IdTagInfo(status=AuthorizationStatus.BLOCKED, parent_id_tag="P"), transaction_id=7
    )

    encoded = START_TRANSACTION.encode_response(response)

    assert encoded == b'{"idTagInfo":{"parentIdTag":"P","status":"Blocked"},"transactionId":7}'
