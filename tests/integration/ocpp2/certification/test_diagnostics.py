"""Certification cases of diagnostics and displays: monitors and their events, logs, customers' data, messages shown."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, REJECTED, Station

pytestmark = pytest.mark.asyncio(loop_scope="module")

POWER: Final[dict[str, JsonValue]] = {
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "Power"},
}
STATE: Final[dict[str, JsonValue]] = {
    "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
    "variable": {"name": "AvailabilityState"},
}
UNKNOWN: Final[dict[str, JsonValue]] = {"status": "Unknown"}


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param({"monitoringCriteria": ["ThresholdMonitoring", "PeriodicMonitoring"]}, id="TC_N_01"),
        pytest.param({"componentVariable": [POWER]}, id="TC_N_02"),
        pytest.param({"monitoringCriteria": ["DeltaMonitoring"], "componentVariable": [POWER]}, id="TC_N_03"),
        pytest.param({}, id="TC_N_47"),
        pytest.param(
            {"monitoringCriteria": ["ThresholdMonitoring"], "componentVariable": [POWER, STATE]}, id="TC_N_60"
        ),
    ],
)
async def test_monitors_are_reported(cs: Station, criteria: dict[str, JsonValue]) -> None:
    assert await cs.commanded("GetMonitoringReport", {"requestId": 11, **criteria}, ACCEPTED) == ACCEPTED
    for seq in (0, 1):
        monitor: JsonValue = {
            "id": seq + 1, "transaction": False, "value": 11000, "type": "UpperThreshold", "severity": 5
        }  # fmt: skip
        part: JsonValue = {
            "requestId": 11,
            "seqNo": seq,
            "tbc": seq == 0,
            "generatedAt": minute(0),
            "monitor": [{**POWER, "variableMonitoring": [monitor]}],
        }
        assert await cs.say("NotifyMonitoringReport", part) == {}
    assert (await cs.get("/reports/11"))["complete"]
    assert [it["monitor_id"] for it in await cs.items("monitors")] == [1, 2]


@pytest.mark.parametrize("base", [pytest.param("FactoryDefault", id="TC_N_05")])
async def test_the_set_of_monitors_is_chosen(cs: Station, base: str) -> None:
    assert await cs.commanded("SetMonitoringBase", {"monitoringBase": base}, ACCEPTED) == ACCEPTED


@pytest.mark.parametrize(
    ("kind", "value", "severity"),
    [pytest.param("UpperThreshold", 11000, 4, id="TC_N_08"), pytest.param("Periodic", 60, 8, id="TC_N_24")],
)
async def test_a_monitor_is_set(cs: Station, kind: str, value: int, severity: int) -> None:
    wanted: dict[str, JsonValue] = {**POWER, "value": value, "type": kind, "severity": severity, "transaction": False}
    result: JsonValue = {**POWER, "id": 3, "status": "Accepted", "type": kind, "severity": severity}
    await cs.commanded("SetVariableMonitoring", {"setMonitoringData": [wanted]}, {"setMonitoringResult": [result]})
    (monitor,) = await cs.items("monitors")
    assert (monitor["monitor_id"], monitor["key"], monitor["type"]) == (3, "EVSE@1.Power", kind)
    assert (monitor["value"], monitor["severity"]) == (str(value), severity)
    if kind == "Periodic":
        (event,) = await happened(cs, trigger="Periodic", actualValue="7400", variableMonitoringId=3)
        assert (event["value"], event["monitor_id"], event["trigger"]) == ("7400", 3, "Periodic")


@pytest.mark.parametrize(
    ("severity", "answer"), [pytest.param(4, ACCEPTED, id="TC_N_16"), pytest.param(9, REJECTED, id="TC_N_17")]
)
async def test_the_level_of_what_is_told(cs: Station, severity: int, answer: dict[str, JsonValue]) -> None:
    assert await cs.commanded("SetMonitoringLevel", {"severity": severity}, answer) == answer


async def test_a_monitor_that_cannot_be_cleared(cs: Station) -> None:
    """TC_N_44"""
    answer: JsonValue = {"clearMonitoringResult": [{"id": 1, "status": "Rejected"}]}
    assert await cs.commanded("ClearVariableMonitoring", {"id": [1]}, answer) == answer


async def happened(cs: Station, **others: JsonValue) -> list[dict[str, Any]]:
    """A station tells of an event; gives those that are shown."""
    event: dict[str, JsonValue] = {
        "eventId": 1,
        "timestamp": minute(0),
        "trigger": "Alerting",
        "eventNotificationType": "CustomMonitor",
        **POWER,
        **others,
    }
    assert await cs.say("NotifyEvent", {"generatedAt": minute(0), "seqNo": 0, "eventData": [event]}) == {}
    return await cs.items("device-events")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        pytest.param(
            {"eventNotificationType": "HardWiredMonitor", "actualValue": "12000", "techCode": "E7"},
            {"origin": "HardWiredMonitor", "value": "12000", "tech_code": "E7"},
            id="TC_N_21",
        ),
        pytest.param(
            {"actualValue": "10000", "cleared": True, "variableMonitoringId": 4},
            {"value": "10000", "cleared": True, "monitor_id": 4},
            id="TC_N_49",
        ),
        pytest.param(
            {"actualValue": "7000", "trigger": "Periodic", "variableMonitoringId": 5},
            {"value": "7000", "trigger": "Periodic", "monitor_id": 5},
            id="TC_N_50",
        ),
    ],
)
async def test_an_event_is_shown(cs: Station, told: dict[str, JsonValue], shown: dict[str, JsonValue]) -> None:
    if "cleared" in told:
        await cs.boot("LocalReset")
    (event,) = await happened(cs, **told)
    assert event["subject"] == "EVSE@1.Power"
    for name, value in shown.items():
        assert event[name] == value


def log_request(number: int, kind: str) -> dict[str, JsonValue]:
    location: JsonValue = {"remoteLocation": "https://example.com/logs", "oldestTimestamp": minute(-60)}
    return {"requestId": number, "logType": kind, "log": location}


async def log_status(cs: Station) -> tuple[str, int]:
    """How far the upload is, and of which request."""
    (report,) = (await cs.get())["reports"]
    return report["status"], report["request_id"]


@pytest.mark.parametrize(
    "kind", [pytest.param("DiagnosticsLog", id="TC_N_25"), pytest.param("SecurityLog", id="TC_N_35")]
)
async def test_a_log_is_fetched(cs: Station, kind: str) -> None:
    answer: dict[str, JsonValue] = {**ACCEPTED, "filename": "log.zip"}
    assert await cs.commanded("GetLog", log_request(5, kind), answer) == answer
    for status in ("Uploading", "Uploaded"):
        assert await cs.say("LogStatusNotification", {"status": status, "requestId": 5}) == {}
        assert await log_status(cs) == (status, 5)


async def test_a_log_that_a_station_has_not(cs: Station) -> None:
    """TC_N_34"""
    assert await cs.commanded("GetLog", log_request(5, "SecurityLog"), REJECTED) == REJECTED
    assert (await cs.get())["reports"] == []


async def test_a_second_log_takes_the_place_of_the_first(cs: Station) -> None:
    """TC_N_36"""
    await cs.commanded("GetLog", log_request(5, "DiagnosticsLog"), {**ACCEPTED, "filename": "1.zip"})
    await cs.say("LogStatusNotification", {"status": "Uploading", "requestId": 5})
    answer: dict[str, JsonValue] = {"status": "AcceptedCanceled", "filename": "2.zip"}
    assert await cs.commanded("GetLog", log_request(6, "DiagnosticsLog"), answer) == answer
    for status, number in (("AcceptedCanceled", 5), ("Uploading", 6), ("Uploaded", 6)):
        assert await cs.say("LogStatusNotification", {"status": status, "requestId": number}) == {}
    assert await log_status(cs) == ("Uploaded", 6)


HASH: Final[dict[str, JsonValue]] = {
    "hashAlgorithm": "SHA256", "issuerNameHash": "0a" * 32, "issuerKeyHash": "0b" * 32, "serialNumber": "7f"
}  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "clears", "whose", "data"),
    [
        pytest.param(True, False, "idToken", "name: Ann", id="TC_N_27"),
        pytest.param(True, False, "idToken", "", id="TC_N_28"),
        pytest.param(True, True, "idToken", "name: Ann", id="TC_N_30"),
        pytest.param(True, True, "idToken", "", id="TC_N_31"),
        pytest.param(False, True, "idToken", None, id="TC_N_32"),
        pytest.param(True, True, "customerIdentifier", "name: Ann", id="TC_N_62"),
        pytest.param(True, True, "customerCertificate", "name: Ann", id="TC_N_63"),
    ],
)
async def test_what_is_stored_of_a_customer(
    cs: Station, reports: bool, clears: bool, whose: str, data: str | None
) -> None:
    names: dict[str, JsonValue] = {"idToken": cs.token, "customerIdentifier": "ann", "customerCertificate": HASH}
    request: dict[str, JsonValue] = {"requestId": 8, "report": reports, "clear": clears, whose: names[whose]}
    assert await cs.commanded("CustomerInformation", request, ACCEPTED) == ACCEPTED
    if data is None:
        return
    part: JsonValue = {"data": data, "seqNo": 0, "tbc": False, "generatedAt": minute(0), "requestId": 8}
    assert await cs.say("NotifyCustomerInformation", part) == {}
    report = await cs.get("/reports/8")
    assert (report["complete"], report["content"]) == (True, {"data": data})


@pytest.mark.parametrize("answer", [pytest.param(REJECTED, id="TC_N_29")])
async def test_what_a_station_does_not_tell_of_a_customer(cs: Station, answer: dict[str, JsonValue]) -> None:
    request: dict[str, JsonValue] = {"requestId": 8, "report": True, "clear": False, "idToken": cs.token}
    assert await cs.commanded("CustomerInformation", request, answer) == answer


def shown(number: int = 1, text: str = "Welcome", **others: JsonValue) -> dict[str, JsonValue]:
    """A message for a display."""
    content: JsonValue = {"format": "UTF8", "language": "en", "content": text}
    return {"id": number, "priority": "NormalCycle", "message": content, **others}


async def display(cs: Station, message: dict[str, JsonValue], status: str = "Accepted") -> None:
    answer: dict[str, JsonValue] = {"status": status}
    assert await cs.commanded("SetDisplayMessage", {"message": message}, answer) == answer


@pytest.mark.parametrize(
    ("message", "status"),
    [
        pytest.param(shown(), "Accepted", id="TC_O_01"),
        pytest.param(shown(), "Rejected", id="TC_O_26"),
        pytest.param(shown(startDateTime=minute(200)), "Accepted", id="TC_O_13"),
        pytest.param(shown(endDateTime=minute(300)), "Accepted", id="TC_O_14"),
        pytest.param(shown(priority="AlwaysFront"), "NotSupportedPriority", id="TC_O_17"),
        pytest.param(shown(state="Charging"), "NotSupportedState", id="TC_O_18"),
        pytest.param(
            shown(message={"format": "HTML", "content": "<b>Hi</b>"}), "NotSupportedMessageFormat", id="TC_O_19"
        ),
        pytest.param(shown(transactionId="none"), "UnknownTransaction", id="TC_O_10"),
    ],
)
async def test_a_message_is_displayed(cs: Station, message: dict[str, JsonValue], status: str) -> None:
    await display(cs, message, status)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({}, id="TC_O_06"),
        pytest.param({"startDateTime": minute(200)}, id="TC_O_27"),
        pytest.param({"endDateTime": minute(300)}, id="TC_O_28"),
    ],
)
async def test_a_message_of_a_transaction(cs: Station, others: dict[str, JsonValue]) -> None:
    await display(cs, shown() | {"transactionId": await cs.charges()} | others)


async def test_a_message_takes_the_place_of_another(cs: Station) -> None:
    """TC_O_12"""
    await display(cs, shown(text="Welcome"))
    await display(cs, shown(text="Goodbye"))


@pytest.mark.parametrize(
    "criteria",
    [
        pytest.param({}, id="TC_O_02"),
        pytest.param({"id": [1, 2]}, id="TC_O_07"),
        pytest.param({"priority": "NormalCycle"}, id="TC_O_08"),
        pytest.param({"state": "Charging"}, id="TC_O_09"),
    ],
)
async def test_messages_are_reported(cs: Station, criteria: dict[str, JsonValue]) -> None:
    assert await cs.commanded("GetDisplayMessages", {"requestId": 9, **criteria}, ACCEPTED) == ACCEPTED
    for number, more in ((1, True), (2, False)):
        part: JsonValue = {"requestId": 9, "tbc": more, "messageInfo": [shown(number, f"Text {number}")]}
        assert await cs.say("NotifyDisplayMessages", part) == {}
    report = await cs.get("/reports/9")
    assert report["complete"]
    assert [it["message"]["content"] for it in report["content"]["messageInfo"]] == ["Text 1", "Text 2"]


async def test_there_are_no_messages(cs: Station) -> None:
    """TC_O_03"""
    assert await cs.commanded("GetDisplayMessages", {"requestId": 9}, UNKNOWN) == UNKNOWN
    assert await cs.items("reports") == []


@pytest.mark.parametrize("answer", [pytest.param(ACCEPTED, id="TC_O_04"), pytest.param(UNKNOWN, id="TC_O_05")])
async def test_a_message_is_cleared(cs: Station, answer: dict[str, JsonValue]) -> None:
    assert await cs.commanded("ClearDisplayMessage", {"id": 1}, answer) == answer
