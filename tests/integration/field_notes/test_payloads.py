"""What real chargers put into frames and payloads."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import START, RawCharger, entry, minute, sampled, spelled
from tests.integration.field_notes.site import Central

GOOD: Final = sampled("4000")

DAY: Final = (START - timedelta(days=1)).replace(hour=9, minute=5, second=6)
DATE: Final = DAY.strftime("%Y-%m-%d")
SLASHED: Final = DAY.strftime("%Y/%m/%d")


def is_time_of_receipt(text: str) -> bool:
    """Whether the API shows a moment of the last minute."""
    return timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(text) < timedelta(minutes=1)


async def ended_session(central: Central, charger: RawCharger, stop: dict[str, JsonValue]) -> dict[str, Any]:
    """A session with readings, ended by a stop as it stands; `ID` in it is the transaction's."""
    transaction_id = await charger.start()
    await charger.meter([entry(minute(5), sampled("1500")), entry(minute(55), sampled("7500"))], transactionId=1)
    await charger.say("StopTransaction", {key: transaction_id if at == "ID" else at for key, at in stop.items()})
    return await central.transaction(transaction_id)


async def test_numbers_for_texts_and_texts_for_numbers(central: Central, charger: RawCharger) -> None:
    """mobilityhouse/ocpp#377, #353; lbbrhzn/ocpp#210"""
    answer = await charger.say(
        "StartTransaction", {"connectorId": "1", "idTag": 1234, "meterStart": "1000", "timestamp": minute(0)}
    )
    transaction_id = answer["transactionId"]
    payload = (
        f'{{"connectorId":"1","transactionId":"{transaction_id}","meterValue":[{{"timestamp":"{minute(5)}",'
        '"sampledValue":[{"value":230.10,"measurand":"Voltage","unit":"V"},{"value":1500}]}]}'
    )
    await charger.say("MeterValues", payload.encode())
    await charger.stop(str(transaction_id), meter="8000.0")

    transaction = await central.transaction(transaction_id)
    assert (transaction["id_tag"], transaction["connector_id"], transaction["energy_wh"]) == ("1234", 1, 7000)
    assert sorted(await central.values(transaction_id)) == ["1500", "230.10"]
    assert await central.deviations("MeterValues", rule="number_for_text") == 2
    assert await central.deviations("StopTransaction") > 0


async def test_members_outside_an_enum_or_in_other_case(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#1248, #1576"""
    await charger.say("StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "charging"})
    await charger.say("StatusNotification", {"connectorId": 2, "errorCode": "NOERROR", "status": "FAULTED"})
    transaction_id = await charger.start()
    await charger.meter([entry(minute(5), sampled("50.0", "Frequency", unit="Hz"), GOOD)], transactionId=transaction_id)
    await charger.stop(transaction_id, reason="ChargedEnough")

    first, second = await central.connector(), await central.connector(connector_id=2)
    assert (first["status"], first["error_code"] != "NoError") == ("Charging", True)
    assert (second["status"], second["error_code"]) == ("Faulted", "NoError")
    assert ("Frequency", "Hz", "50.0") in [
        (sample["measurand"], sample["unit"], sample["value"]) for sample in await central.samples(transaction_id)
    ]
    assert (await central.transaction(transaction_id))["energy_wh"] == 7000
    assert await central.deviations("StatusNotification") >= 3
    assert await central.deviations("StopTransaction") > 0


@pytest.mark.parametrize("length", [21, 22, 256])
async def test_texts_too_long(central: Central, charger: RawCharger, length: int) -> None:
    """lbbrhzn/ocpp#213, #1803, #2030: whole, as it's an id."""
    tag, serial = "T" * length, "S" * length
    await charger.boot(chargePointSerialNumber=serial)
    assert (await charger.say("Authorize", {"idTag": tag}))["idTagInfo"]["status"] == "Accepted"
    transaction_id = await charger.start(tag=tag)
    await charger.stop(transaction_id, idTag=tag)

    transaction = await central.transaction(transaction_id)
    assert (transaction["id_tag"], transaction["energy_wh"]) == (tag, 7000)
    assert (await central.get("charge-points/CP-1"))["serial_number"] == serial
    assert await central.deviations("StartTransaction", rule="text_too_long") == 1


async def test_texts_too_long_for_anything(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#213, #1803, #2030: cut, and still the same one each time."""
    tag = "T" * 5000
    await charger.boot(chargePointSerialNumber=tag, firmwareVersion=tag)
    await charger.status("Available", minute(-1), info=tag, vendorErrorCode=tag)
    transaction_id = await charger.start(tag=tag)
    await charger.stop(transaction_id, idTag=tag)

    transaction = await central.transaction(transaction_id)
    assert transaction["id_tag"] == tag[:253] + "…"
    assert transaction["energy_wh"] == 7000
    assert (await central.get("charge-points/CP-1"))["serial_number"] == tag[:253] + "…"
    assert await central.deviations("StartTransaction") > 0


async def test_unknown_null_and_empty_fields(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#466"""
    await charger.boot(imsi=None, color="red")  # type: ignore[arg-type]  # the mistake
    transaction_id = await charger.start(reservationId=None, mood="good")
    await charger.meter(
        [
            {"timestamp": minute(5), "sampledValue": []},
            entry(minute(6), {"value": "1600", "phase": None, "unit": None, "extra": {"a": [1]}}),
            {"timestamp": minute(7), "sampledValue": None},
        ],
        transactionId=transaction_id,
        nothing=None,
    )
    await charger.meter([], transactionId=transaction_id)
    await charger.stop(transaction_id, idTag=None, reason=None, transactionData=None)

    assert await central.values(transaction_id) == ["1600"]
    assert (await central.transaction(transaction_id))["energy_wh"] == 7000
    for action in ("BootNotification", "StartTransaction", "MeterValues", "StopTransaction"):
        assert await central.deviations(action) > 0


@pytest.mark.parametrize(
    "frame",
    [
        '[2,"odd","Heartbeat",{',
        '[2,"odd","Heartbeat",{}',
        '[2,"odd","Heartbeat",{},]',
        '[2,"odd","Heartbeat",{"a":1,}]',
        '[2,"odd","Heartbeat",{}]\0',
        '\ufeff[2,"odd","Heartbeat",{}]',
        '[2,"odd","Heartbeat",{}]\n\r\n',
        '[2,"odd"]',
    ],
)
async def test_broken_json(central: Central, charger: RawCharger, frame: str) -> None:
    """lbbrhzn/ocpp#176, #1078; evcc#3685"""
    answer = await charger.answer_to("odd", frame)

    assert (answer[0], answer[1]) in {(3, "odd"), (4, "odd")}
    await charger.boot()
    assert (await central.get("charge-points/CP-1"))["connected"] is True


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (f"{DATE}T09:05:06", spelled(DAY)),
        (f"{DATE}T09:05:06,250Z", spelled(DAY + timedelta(milliseconds=250))),
        (f"{DATE} 09:05:06", spelled(DAY)),
        (spelled(START + timedelta(hours=5)), spelled(START + timedelta(hours=5))),
        ("1970-01-01T00:00:07Z", "1970-01-01T00:00:07.000Z"),
        ("2106-02-07T06:28:15Z", "2106-02-07T06:28:15.000Z"),
    ],
    ids=["no zone", "a comma", "a blank and no zone", "local time marked Z", "1970", "far in the future"],
)
async def test_odd_clocks(central: Central, charger: RawCharger, sent: str, taken: str) -> None:
    """ocpp-go#237, evcc#10399, MicroOcpp#311, steve#136"""
    transaction_id = await charger.start(sent)
    later = spelled(datetime.fromisoformat(taken) + timedelta(minutes=60))
    await charger.meter([entry(later, sampled("7000"))], transactionId=transaction_id)
    await charger.stop(transaction_id, later)

    transaction = await central.transaction(transaction_id)
    assert (transaction["started_at"], transaction["stopped_at"]) == (taken, later)
    assert (transaction["energy_wh"], transaction["energy_implausible"]) == (7000, False)
    assert await central.values(transaction_id) == ["7000"]
    connection = sqlite3.connect(central.database)
    received = connection.execute("SELECT start_received_at, stop_received_at FROM transactions").fetchone()
    connection.close()
    assert all(is_time_of_receipt(spelled(datetime.fromtimestamp(at / 1000, UTC))) for at in received)


@pytest.mark.parametrize("limit", [8.1, 16.3, 0.1, 31.9])
async def test_tenths_in_binary_floats(central: Central, charger: RawCharger, limit: float) -> None:
    """citrineos-core PR#959"""
    schedule: JsonValue = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    profile: JsonValue = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    charger.answers["SetChargingProfile"] = {"status": "Accepted"}
    charger.answers["GetCompositeSchedule"] = {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}
    await charger.boot()

    await central.accepted("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": profile})
    answer = await central.accepted("GetCompositeSchedule", {"connectorId": 1, "duration": 600})

    sent = (await charger.asked_for("SetChargingProfile"))[0]
    assert sent["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == limit
    assert answer["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == limit
    assert await central.deviations("GetCompositeSchedule") == 0


async def test_mixed_units_and_phases(central: Central, charger: RawCharger) -> None:
    """openevse_esp32_firmware#703"""
    transaction_id = await charger.start()
    await charger.status("Charging", minute(0))
    values = [
        sampled("1.5", unit="kWh"),
        sampled("7.2", "Power.Active.Import", unit="kW"),
        sampled("231.5", "Voltage", unit="V", phase="L1-N"),
        sampled("31.1", "Current.Import", unit="A", phase="L1"),
        sampled("55", "SoC", unit="Percent"),
    ]
    await charger.meter([entry(minute(5), *values)], transactionId=transaction_id)

    assert await central.values(transaction_id) == ["1.5", "7.2", "231.5", "31.1", "55"]
    transaction, connector = await central.transaction(transaction_id), await central.connector()
    assert (transaction["energy_wh"], transaction["power_w"]) == (500, 7200)
    assert (connector["power_w"], connector["soc_percent"]) == (7200, 55)
    assert [*connector["voltage_v"].values()] == [231.5]
    assert await central.metric("mcpp_connector_power_watts", charge_point="CP-1", connector="1") == 7200


async def test_mixed_units_and_phases_kwh_said_to_be_wh(central: Central, charger: RawCharger) -> None:
    """openevse_esp32_firmware#703: the stop's register is the bill, what is labelled wrongly mustn't take it away."""
    transaction_id = await charger.start()
    await charger.meter(
        [entry(minute(5), sampled("1.5", unit="Wh")), entry(minute(55), sampled("7.5", unit="Wh"))],
        transactionId=transaction_id,
    )
    await charger.stop(transaction_id)

    transaction = await central.transaction(transaction_id)
    assert (transaction["energy_wh"], transaction["energy_implausible"]) == (7000, False)
    assert [(sample["value"], sample["unit"]) for sample in await central.samples(transaction_id)] == [
        ("1.5", "Wh"),
        ("7.5", "Wh"),
    ]


@pytest.mark.parametrize("lack", ["missing", "null", "empty"])
@pytest.mark.parametrize("field", ["timestamp", "meterStart", "idTag", "connectorId"])
async def test_required_fields_missing_in_a_start(central: Central, charger: RawCharger, field: str, lack: str) -> None:
    """OCPP.Core#29, MicroOcpp#88, citrineos#166, libocpp#678"""
    start = lacking({"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": minute(0)}, field, lack)
    transaction_id = (await charger.say("StartTransaction", start))["transactionId"]

    transaction = await central.transaction(transaction_id)
    assert transaction["stopped_at"] is None
    if field == "timestamp":
        assert is_time_of_receipt(transaction["started_at"])
    else:
        assert transaction["started_at"] == minute(0)
    if (field, lack) != ("idTag", "empty"):  # which the schema allows
        assert await central.deviations("StartTransaction") > 0
    await charger.stop(transaction_id, spelled(datetime.now(UTC)))
    ended = await central.transaction(transaction_id)
    assert ended["stopped_at"] is not None
    assert ended["energy_wh"] == 7000 or ended["energy_implausible"] or field == "meterStart"
    if field == "meterStart":  # nothing else says where it began
        assert ended["energy_implausible"] is True


@pytest.mark.parametrize("lack", ["missing", "null", "empty"])
@pytest.mark.parametrize("field", ["timestamp", "meterStop", "transactionId"])
async def test_required_fields_missing_in_a_stop(central: Central, charger: RawCharger, field: str, lack: str) -> None:
    """OCPP.Core#29, MicroOcpp#88, citrineos#166, libocpp#678"""
    stop = lacking({"transactionId": "ID", "meterStop": 8000, "timestamp": minute(60), "idTag": "TAG"}, field, lack)

    transaction = await ended_session(central, charger, stop)

    assert transaction["stopped_at"] is not None
    if field == "timestamp":
        assert is_time_of_receipt(transaction["stopped_at"])
    if field == "meterStop":
        assert transaction["energy_wh"] == 6500 or transaction["energy_implausible"]
    else:
        assert (transaction["energy_wh"], transaction["energy_implausible"]) == (7000, False)
    assert await central.unmatched() == []
    assert await central.deviations("StopTransaction") > 0


def lacking(payload: dict[str, JsonValue], field: str, lack: str) -> dict[str, JsonValue]:
    """The payload without a field, or with nothing in it."""
    others = {key: value for key, value in payload.items() if key != field}
    return others if lack == "missing" else others | {field: None if lack == "null" else ""}


async def test_required_fields_missing_elsewhere(central: Central, charger: RawCharger) -> None:
    """OCPP.Core#29, MicroOcpp#88, citrineos#166, libocpp#678"""
    assert (await charger.say("BootNotification", {"chargePointVendor": "Acme"}))["status"] == "Accepted"
    assert (await charger.say("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": None}))["interval"]
    assert (await central.get("charge-points/CP-1"))["vendor"] == "Acme"
    await charger.say("StatusNotification", {"connectorId": 1, "status": "Charging", "timestamp": ""})
    assert (await central.connector())["status"] == "Charging"
    transaction_id = await charger.start()
    await charger.meter(
        [
            entry(minute(5), sampled("1500")),
            {"timestamp": "", "sampledValue": [sampled("2000")]},
            entry(minute(7), {"unit": "Wh"}, {"value": None}, {"value": ""}, sampled("2500")),
            {},
        ],
        transactionId=transaction_id,
    )
    await charger.say("MeterValues", {"connectorId": 1, "transactionId": transaction_id})
    await charger.say("MeterValues", {"connectorId": 1, "transactionId": transaction_id, "meterValue": None})
    await charger.say("MeterValues", {"transactionId": transaction_id, "meterValue": [entry(minute(8), GOOD)]})

    stored = await central.samples(transaction_id)
    assert {"1500", "2000", "2500", "4000"} <= {sample["value"] for sample in stored}
    # Between others of its message it's of their time.
    assert next(sample["timestamp"] for sample in stored if sample["value"] == "2000") in {minute(5), minute(7)}
    await charger.meter([{"timestamp": "", "sampledValue": [sampled("5000")]}], transactionId=transaction_id)
    (alone,) = [sample for sample in await central.samples(transaction_id) if sample["value"] == "5000"]
    assert is_time_of_receipt(alone["timestamp"])


async def test_an_object_for_a_list_or_a_text(central: Central, charger: RawCharger) -> None:
    """lbbrhzn/ocpp#1144, mobilityhouse/ocpp#462, #619, MicroOcpp#395"""
    transaction_id = await charger.start()
    await charger.meter(entry(minute(5), sampled("1500")), transactionId=transaction_id)
    await charger.meter([{"timestamp": minute(6), "sampledValue": sampled("1600")}], transactionId=transaction_id)
    await charger.meter({"timestamp": minute(7), "sampledValue": sampled("1700")}, transactionId=transaction_id)
    await charger.stop(transaction_id, transactionData={"timestamp": minute(60), "sampledValue": sampled("8000")})
    answer = await charger.say("DataTransfer", {"vendorId": "acme", "data": {"a": [1, 2.50]}})

    assert answer["status"] == "UnknownVendorId"
    assert await central.values(transaction_id) == ["1500", "1600", "1700", "8000"]
    assert (await central.transaction(transaction_id))["energy_wh"] == 7000
    for action in ("MeterValues", "StopTransaction", "DataTransfer"):
        assert await central.deviations(action) > 0


# Names of their own, since the dates are today's: every process must know the tests by the same ones.
ODD_TIMES: Final[dict[str, tuple[JsonValue, datetime | None]]] = {
    "hour without its zero": (f"{DATE}T9:05:06Z", DAY),
    "hour without its zero after a blank": (f"{DATE} 9:05:06", DAY),
    "slashes": (f"{SLASHED} 09:05:06", DAY),
    "slashes and T": (f"{SLASHED}T09:05:06Z", DAY),
    "Unix seconds": (int(DAY.timestamp()), DAY),
    "Unix seconds as text": (str(int(DAY.timestamp())), DAY),
    "Unix milliseconds": (int(DAY.timestamp() * 1000), DAY),
    "Unix milliseconds as text": (str(int(DAY.timestamp() * 1000)), DAY),
    "UTC": (f"{DATE}T09:05:06 UTC", DAY),
    "UTC after a blank": (f"{DATE} 09:05:06 UTC", DAY),
    "two zones": (f"{DATE}T09:05:06+00:00Z", DAY),
    "short zone": (f"{DATE}T11:05:06+02", DAY),
    "zone without a colon": (f"{DATE}T11:05:06+0200", DAY),
    "second 60": (f"{DATE}T09:05:60Z", DAY.replace(minute=6, second=0)),
    "24 hours": (f"{DATE}T24:00:00Z", DAY.replace(hour=0, minute=0, second=0) + timedelta(days=1)),
    "all noughts": ("0000-00-00T00:00:00Z", None),
    "year 0": ("0000-01-01T00:00:00Z", None),
    "hour 25": (f"{DATE}T25:05:06Z", None),
    "a word": ("soon", None),
    "no end of digits": ("9" * 5000, None),
    "minus one": (-1, None),
    "true": (True, None),
    "a list": ([], None),
    "an object": ({"a": 1}, None),
}


@pytest.mark.parametrize("name", ODD_TIMES)
async def test_odd_spellings_of_a_time(central: Central, charger: RawCharger, name: str) -> None:
    """OCPP.Core#16, mobilityhouse/ocpp#358"""
    sent, taken = ODD_TIMES[name]
    start: JsonValue = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": sent}
    transaction_id = (await charger.say("StartTransaction", start))["transactionId"]
    await charger.say(
        "StatusNotification", {"connectorId": 2, "errorCode": "NoError", "status": "Available", "timestamp": sent}
    )

    started_at = (await central.transaction(transaction_id))["started_at"]
    assert started_at == spelled(taken) if taken else is_time_of_receipt(started_at)
    status_at = (await central.connector(connector_id=2))["status_at"]
    assert status_at == spelled(taken) if taken else is_time_of_receipt(status_at)
    assert await central.deviations("StartTransaction") > 0


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("context", "Sample.Sometimes"),
        ("measurand", "CurrentMax"),
        ("unit", "kilowatthour"),
        ("phase", "L4"),
        ("location", "Wall"),
        ("format", "Hex"),
    ],
)
async def test_sampled_values_outside_their_enums(central: Central, charger: RawCharger, field: str, text: str) -> None:
    """lbbrhzn/ocpp#361, #45"""
    transaction_id = await charger.start()
    odd = {**sampled("32", "Current.Import"), field: text}
    await charger.meter(
        [entry(minute(5), sampled("1500"), odd, sampled("230", "Voltage"))], transactionId=transaction_id
    )

    stored = await central.samples(transaction_id)
    assert [sample["value"] for sample in stored] == ["1500", "32", "230"]
    assert stored[1][field] == text
    assert (await central.transaction(transaction_id))["energy_wh"] == 500
    assert await central.deviations("MeterValues") == 1


@pytest.mark.parametrize(
    "number",
    [2**31, 2**32 - 1, 2**63 - 1, 2**64, -(2**63), 10**400],
    ids=["2^31", "2^32-1", "2^63-1", "2^64", "-2^63", "10^400"],
)
async def test_ids_no_transaction_can_have(central: Central, charger: RawCharger, number: int) -> None:
    """lbbrhzn/ocpp#45"""
    await charger.status("Charging", minute(0))
    for at in (1, 2, 3):
        await charger.meter(
            [entry(minute(at), sampled("7.2", "Power.Active.Import", unit="kW"), sampled(str(1000 * at)))],
            transactionId=number,
        )

    assert central.idle_values() == ["7.2", "1000", "7.2", "2000", "7.2", "3000"]
    assert await central.unmatched() == []
    assert await central.metric("mcpp_connector_power_watts", charge_point="CP-1", connector="1") == 7200
    transaction_id = await charger.start(minute(4))
    await charger.meter([entry(minute(5), sampled("1500"))], transactionId=number)
    assert await central.values(transaction_id) == ["1500"]


async def test_faulty_answers_to_commands(central: Central, charger: RawCharger) -> None:
    """evcc#26253, #17836; steve#45; mobilityhouse/ocpp#619"""
    await charger.boot()
    good: list[JsonValue] = [{"key": f"Key{number}", "readonly": False, "value": "1"} for number in range(20)]
    odd: list[JsonValue] = [
        {"key": "Zero", "readonly": 0, "value": "1"},
        {"key": "One", "readonly": 1, "value": "1"},
        {"key": "Text", "readonly": "true", "value": "1"},
        {"key": "Word", "readonly": "perhaps", "value": "1"},
        {"key": "None", "value": "1"},
        {"key": "Null", "readonly": None, "value": None},
        {"key": "Number", "readonly": False, "value": 7},
    ]
    charger.answers["GetConfiguration"] = {"configurationKey": [*good, *odd]}
    answer = await central.accepted("GetConfiguration", {})
    assert len(answer["configurationKey"]) == 27
    known = {item["key"]: item for item in await central.items("charge-points/CP-1/configuration")}
    assert len(known) == 27
    assert [known[key]["readonly"] for key in ("Zero", "One", "Text")] == [False, True, True]
    assert (known["None"]["value"], known["Number"]["value"]) == ("1", "7")
    assert await central.deviations("GetConfiguration") > 0

    charger.answers["GetCompositeSchedule"] = {
        "status": "Rejected",
        "connectorId": "none",
        "scheduleStart": "",
        "chargingSchedule": {},
    }
    assert (await central.accepted("GetCompositeSchedule", {"connectorId": 1, "duration": 60}))["status"] == "Rejected"

    charger.answers["DataTransfer"] = {"status": "Accepted", "data": {"a": [1]}}
    answer = await central.accepted("DataTransfer", {"vendorId": "acme"})
    assert (answer["status"], json.loads(answer["data"])) == ("Accepted", {"a": [1]})


@pytest.mark.parametrize(
    "rest", ['"InternalError",null,{}', '"InternalError","","text"', '"InternalError",null', '"InternalError"']
)
async def test_faulty_answers_to_commands_that_are_errors(central: Central, charger: RawCharger, rest: str) -> None:
    """steve#45"""
    await charger.boot()
    charger.answers["ClearCache"] = lambda message_id: f'[4,"{message_id}",{rest}]'

    refused = await central.command("ClearCache", {})

    assert refused.status_code == 502
    assert (refused.json()["code"], refused.json()["error_code"]) == ("call_error", "InternalError")
