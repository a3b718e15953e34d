"""Certification cases of provisioning and data transfer: boots, variables, reports, resets, network profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.field_notes.site import Central
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, PLACE, Station, station_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

THRESHOLD: dict[str, JsonValue] = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
REMOTE: dict[str, JsonValue] = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "AuthorizeRemoteStart"}}


async def test_a_cold_boot(central: Central) -> None:
    """TC_B_01"""
    async with station_at(central, boots=False) as cs:
        answer = await cs.boot()
        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0
        assert abs(datetime.fromisoformat(answer["currentTime"]) - datetime.now(UTC)) < timedelta(minutes=1)
        await cs.status("Available", evse=1)
        state: JsonValue = {
            "eventId": 1,
            "timestamp": minute(0),
            "trigger": "Delta",
            "actualValue": "Available",
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
        }
        assert await cs.say("NotifyEvent", {"generatedAt": minute(0), "seqNo": 0, "eventData": [state]}) == {}
        beat = await cs.say("Heartbeat", {})
        assert abs(datetime.fromisoformat(beat["currentTime"]) - datetime.now(UTC)) < timedelta(minutes=1)

        point = await cs.get()
        assert (point["vendor"], point["model"], point["firmware_version"]) == ("Acme", "One", "1.0")
        assert await cs.states() == {(1, 1): "Available", (2, 1): "Available"}


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        pytest.param([THRESHOLD], ["600"], id="TC_B_06"),
        pytest.param([THRESHOLD, {**REMOTE, "attributeType": "Target"}], ["600", "false"], id="TC_B_07"),
    ],
)
async def test_variables_are_read(cs: Station, asked: list[dict[str, JsonValue]], values: list[JsonValue]) -> None:
    results: list[JsonValue] = [
        {**variable, "attributeStatus": "Accepted", "attributeValue": value}
        for variable, value in zip(asked, values, strict=True)
    ]
    told = await cs.commanded("GetVariables", {"getVariableData": [*asked]}, {"getVariableResult": results})
    assert told == {"getVariableResult": results}
    assert {row["value"] for row in await cs.items("variables")} == set(values)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param([{**THRESHOLD, "attributeValue": "123"}], id="TC_B_09"),
        pytest.param(
            [
                {**THRESHOLD, "attributeValue": "123"},
                {**REMOTE, "attributeValue": "true", "attributeType": "Target"},
            ],
            id="TC_B_10",
        ),
    ],
)
async def test_variables_are_set(cs: Station, wanted: list[dict[str, Any]]) -> None:
    results: list[JsonValue] = [
        {name: value for name, value in it.items() if name != "attributeValue"} | {"attributeStatus": "Accepted"}
        for it in wanted
    ]
    await cs.commanded("SetVariables", {"setVariableData": [*wanted]}, {"setVariableResult": results})
    assert {(row["variable"], row["value"], row["attribute"]) for row in await cs.items("variables")} == {
        (it["variable"]["name"], it["attributeValue"], it.get("attributeType", "Actual")) for it in wanted
    }


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        pytest.param("GetBaseReport", {"reportBase": "ConfigurationInventory"}, id="TC_B_12"),
        pytest.param("GetBaseReport", {"reportBase": "FullInventory"}, id="TC_B_13"),
        pytest.param("GetBaseReport", {"reportBase": "SummaryInventory"}, id="TC_B_14"),
        pytest.param(
            "GetReport",
            {
                "componentCriteria": ["Problem"],
                "componentVariable": [
                    {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}
                ],
            },
            id="TC_B_18",
        ),
    ],
)
async def test_a_report_comes_in_parts(cs: Station, action: str, request_: dict[str, JsonValue]) -> None:
    assert await cs.commanded(action, {"requestId": 41, **request_}, ACCEPTED) == ACCEPTED
    for seq, (name, value) in enumerate([("AvailabilityState", "Available"), ("Problem", "false")]):
        data: JsonValue = {
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": name},
            "variableAttribute": [{"type": "Actual", "value": value, "mutability": "ReadOnly"}],
            "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
        }
        part: JsonValue = {
            "requestId": 41, "generatedAt": minute(0), "seqNo": seq, "tbc": seq == 0, "reportData": [data]
        }  # fmt: skip
        assert await cs.say("NotifyReport", part) == {}

    report = await cs.get("/reports/41")
    assert (report["complete"], report["chunks"], report["gaps"]) == (True, 2, [])
    assert {row["key"]: row["value"] for row in await cs.items("variables")} == {
        "EVSE@1.AvailabilityState": "Available",
        "EVSE@1.Problem": "false",
    }


@pytest.mark.parametrize(
    "evse",
    [pytest.param(None, id="TC_B_20"), pytest.param(1, id="TC_B_25")],
)
async def test_a_reset_while_nothing_runs(cs: Station, evse: int | None) -> None:
    request: dict[str, JsonValue] = {"type": "OnIdle", **({"evseId": evse} if evse else {})}
    assert await cs.commanded("Reset", request, ACCEPTED) == ACCEPTED
    await cs.status("Unavailable", 1)
    if evse is None:
        assert (await cs.boot("RemoteReset"))["status"] == "Accepted"
    await cs.status("Available", 2)
    assert await cs.states() == {(1, 1): "Available"}


@pytest.mark.parametrize(
    ("kind", "evse"),
    [
        pytest.param("OnIdle", None, id="TC_B_21"),
        pytest.param("Immediate", None, id="TC_B_22"),
        pytest.param("OnIdle", 1, id="TC_B_26"),
        pytest.param("Immediate", 1, id="TC_B_27"),
    ],
)
async def test_a_reset_while_a_session_runs(cs: Station, kind: str, evse: int | None) -> None:
    await cs.status("Occupied")
    await cs.charges()
    is_now = kind == "Immediate"
    answer: dict[str, JsonValue] = {"status": "Accepted" if is_now else "Scheduled"}
    request: dict[str, JsonValue] = {"type": kind, **({"evseId": evse} if evse else {})}
    assert await cs.commanded("Reset", request, answer) == answer
    why, reason = ("ResetCommand", "ImmediateReset") if is_now else ("EVCommunicationLost", "EVDisconnected")
    await cs.event("Ended", why, 5, info={"stoppedReason": reason})
    if evse is None:
        assert (await cs.boot("RemoteReset" if is_now else "ScheduledReset"))["status"] == "Accepted"
    await cs.status("Available", 6)

    transaction = await cs.transaction()
    assert (transaction["stop_reason"], transaction["stopped_at"]) == (reason, minute(5))
    assert await cs.states() == {(1, 1): "Available"}


@pytest.mark.parametrize(
    "answer",
    [pytest.param({"status": "Accepted"}, id="TC_B_42"), pytest.param({"status": "Failed"}, id="TC_B_44")],
)
async def test_a_network_profile_is_set(cs: Station, answer: dict[str, JsonValue]) -> None:
    connection: JsonValue = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://example.com/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }
    request: dict[str, JsonValue] = {"configurationSlot": 2, "connectionData": connection}
    assert await cs.commanded("SetNetworkProfile", request, answer) == answer


async def test_data_of_a_vendor_that_nobody_knows(cs: Station) -> None:
    """TC_P_02"""
    told = await cs.say("DataTransfer", {"vendorId": "com.example", "messageId": "m", "data": {"a": [1, None]}})
    assert told["status"] == "UnknownVendorId"


async def test_custom_data_harms_nothing(cs: Station) -> None:
    """TC_P_03"""
    custom: JsonValue = {"vendorId": "com.example", "power": {"deep": [1.5, "x", None]}}
    station: JsonValue = {"model": "Two", "vendorName": "Acme", "customData": custom}
    answer = await cs.say("BootNotification", {"reason": "PowerUp", "chargingStation": station, "customData": custom})
    assert answer["status"] == "Accepted"
    token: JsonValue = {**cs.token, "customData": custom}
    assert (await cs.say("Authorize", {"idToken": token, "customData": custom}))["idTokenInfo"]["status"] == "Accepted"
    await cs.event("Started", "Authorized", 0, idToken=token, evse={**PLACE, "customData": custom}, customData=custom)

    assert (await cs.get())["model"] == "Two"
    assert (await cs.transaction())["id_tag"] == cs.token["idToken"]
    assert await cs.items("conformance") == []
