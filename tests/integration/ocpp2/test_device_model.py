"""The device model as a charger tells of it and as operators see it: reports, variables, monitors, passwords."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from websockets.exceptions import InvalidStatus

from mcpp import bounds
from mcpp.domain.inventory import inventory_of
from tests.integration.field_notes.charger import RawCharger
from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.spoken import VERSIONS, authenticated, charger_of

NOW = "2026-04-01T09:30:00.000Z"
AVAILABLE: JsonValue = {"timestamp": NOW, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
SECRET = "correct-horse-bat"
HEARTBEAT: JsonValue = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
PASSWORD: JsonValue = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}


def told(name: str, value: str | None, **others: JsonValue) -> dict[str, JsonValue]:
    """One variable of a report."""
    attribute: dict[str, JsonValue] = {"mutability": "ReadWrite", **({} if value is None else {"value": value})}
    return {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": name},
        "variableAttribute": [attribute],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": True},
        **others,
    }


async def report(charger: RawCharger, request_id: int, seq_no: int, *variables: JsonValue, more: bool = False) -> None:
    chunk: dict[str, JsonValue] = {"requestId": request_id, "generatedAt": NOW, "seqNo": seq_no, "tbc": more}
    assert await charger.say("NotifyReport", {**chunk, "reportData": list(variables)}) == {}


async def variables(central: Central) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in await central.items("charge-points/CP-1/variables")}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_booted_charger_is_asked_for_all_its_variables_once_its_states_have_come(
    tmp_path: Path, version: str
) -> None:
    async with central_system(tmp_path, base_report_delay="0") as central:
        async with charger_of(central, version, {"GetBaseReport": {"status": "Accepted"}}) as charger:
            await charger.say("StatusNotification", AVAILABLE)
            (asked,) = await charger.asked_for("GetBaseReport")
            assert asked["reportBase"] == "FullInventory"
            await report(charger, asked["requestId"], 0, told("Model", "One"), more=True)
            await report(charger, asked["requestId"], 1, told("Power", "22000"))
        assert await variables(central) == {"EVSE@1.Model": "One", "EVSE@1.Power": "22000"}
        shown = await central.get(f"charge-points/CP-1/reports/{asked['requestId']}")
        assert shown["complete"]
        asked_already = await central.core.services.writer.submit(inventory_of, "CP-1")
        assert asked_already is not None
        assert not asked_already.is_due
        async with charger_of(central, version, boots=False) as updated:  # it refuses, which is said once
            newer: JsonValue = {"model": "One", "vendorName": "Acme", "firmwareVersion": "2"}
            await updated.say("BootNotification", {"reason": "FirmwareUpdate", "chargingStation": newer})
            await updated.say("StatusNotification", AVAILABLE)
            await updated.asked_for("GetBaseReport")
            await central.logged(lambda line: line["event"] == "base_report_failed")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_large_message_is_stored_whole_and_nobody_waits_for_all_of_it(central: Central, version: str) -> None:
    many = 2 * bounds.DEVICE_PORTION + 1
    alerts: list[JsonValue] = [
        {
            **_(HEARTBEAT),
            "eventId": number,
            "timestamp": NOW,
            "trigger": "Alerting",
            "actualValue": "1",
            "eventNotificationType": "HardWiredNotification",
        }
        for number in range(many)
    ]
    available: dict[str, JsonValue] = {
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
        "actualValue": "Available",
    }
    async with charger_of(central, version) as charger:
        await report(charger, 4, 0, *(told(f"V{number}", "1") for number in range(many)))
        event = {**_(alerts[0]), **available, "eventId": many}
        news: JsonValue = {"generatedAt": NOW, "seqNo": 0, "eventData": [*alerts, event]}
        assert await charger.say("NotifyEvent", news) == {}

    assert len(await variables(central)) == many
    assert (await central.get("charge-points/CP-1/reports/4"))["complete"]
    assert len(await central.items("charge-points/CP-1/device-events")) == many + 1
    assert (await central.connector())["status"] == "Available"


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_told_too_fast_is_answered_and_left_out_but_no_state(
    central: Central, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "STORED_BURST", 4000)
    monkeypatch.setattr(bounds, "STORED_PER_SECOND", 0)
    async with charger_of(central, version) as charger:
        charger.answers["GetBaseReport"] = {"status": "Accepted"}
        await report(charger, 1, 0, told("Kept", "1"))
        await central.accepted("GetBaseReport", {"requestId": 2, "reportBase": "FullInventory"})
        for much in (told("Large", "x" * 2400), told("Larger", "x" * 2400)):
            await report(charger, 2, 0, much)
        await report(charger, 2, 0, *(told(f"V{number}", "1") for number in range(bounds.DEVICE_PORTION + 1)))
        state: JsonValue = {
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
            "actualValue": "Faulted",
            "eventId": 1,
            "timestamp": NOW,
            "trigger": "Delta",
            "eventNotificationType": "HardWiredNotification",
        }
        for times in (1, bounds.DEVICE_PORTION + 1):
            events: JsonValue = [{**_(state), "eventId": number, "techInfo": "x" * 500} for number in range(times)]
            assert await charger.say("NotifyEvent", {"generatedAt": NOW, "seqNo": 0, "eventData": events}) == {}

    kept = await variables(central)
    assert len([key for key in kept if "Large" in key]) == 1
    assert not [key for key in kept if key.startswith("EVSE@1.V")]
    assert (await central.connector())["status"] == "Faulted"
    assert len(await central.items("charge-points/CP-1/device-events")) <= 1
    left_out = {"rule": "too_much_to_keep"}
    assert await central.metric("mcpp_contract_deviations_total", action="NotifyReport", **left_out) == 2
    assert await central.metric("mcpp_contract_deviations_total", action="NotifyEvent", **left_out) >= 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_answers_about_variables_are_known(central: Central, version: str) -> None:
    async with charger_of(central, version) as charger:
        charger.answers["GetVariables"] = {
            "getVariableResult": [{**_(HEARTBEAT), "attributeStatus": "Accepted", "attributeValue": "300"}]
        }
        await central.accepted("GetVariables", {"getVariableData": [HEARTBEAT]})
        assert await variables(central) == {"OCPPCommCtrlr.HeartbeatInterval": "300"}
        charger.answers["SetVariables"] = {"setVariableResult": [{**_(HEARTBEAT), "attributeStatus": "RebootRequired"}]}
        await central.accepted("SetVariables", {"setVariableData": [{**_(HEARTBEAT), "attributeValue": "60"}]})
        assert await variables(central) == {"OCPPCommCtrlr.HeartbeatInterval": "60"}
        charger.answers["GetVariables"] = {
            "getVariableResult": [{**_(HEARTBEAT), "attributeStatus": "UnknownVariable"}]
        }
        await central.accepted("GetVariables", {"getVariableData": [HEARTBEAT]})
        assert await variables(central) == {}


@pytest.mark.parametrize("version", VERSIONS)
async def test_monitors_are_known_as_they_are_set_reported_and_cleared(central: Central, version: str) -> None:
    monitored: dict[str, JsonValue] = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
    async with charger_of(central, version) as charger:
        charger.answers["SetVariableMonitoring"] = {
            "setMonitoringResult": [
                {**monitored, "id": 7, "status": "Accepted", "type": "UpperThreshold", "severity": 4}
            ]
        }
        wanted: dict[str, JsonValue] = {**monitored, "value": 21000, "type": "UpperThreshold", "severity": 5}
        await central.accepted("SetVariableMonitoring", {"setMonitoringData": [wanted]})
        (shown,) = await central.items("charge-points/CP-1/monitors")
        assert (shown["monitor_id"], shown["type"], shown["value"], shown["severity"]) == (
            7,
            "UpperThreshold",
            "21000",
            4,
        )
        charger.answers["GetMonitoringReport"] = {"status": "Accepted"}
        await central.accepted("GetMonitoringReport", {"requestId": 30})
        monitor: dict[str, JsonValue] = {"id": 8, "transaction": False, "value": 5, "type": "Periodic", "severity": 8}
        if version == "2.1":
            monitor["eventNotificationType"] = "CustomMonitor"
        await charger.say(
            "NotifyMonitoringReport",
            {
                "requestId": 30,
                "seqNo": 0,
                "generatedAt": NOW,
                "monitor": [{**monitored, "variableMonitoring": [monitor]}],
            },
        )
        # A report of all monitors: one that it doesn't name is gone.
        assert [it["monitor_id"] for it in await central.items("charge-points/CP-1/monitors")] == [8]
        charger.answers["ClearVariableMonitoring"] = {"clearMonitoringResult": [{"id": 8, "status": "NotFound"}]}
        await central.accepted("ClearVariableMonitoring", {"id": [8]})
        assert await central.items("charge-points/CP-1/monitors") == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_secrets_are_shown_nowhere(central: Central, version: str) -> None:
    results: JsonValue = [{**_(PASSWORD), "attributeStatus": "Accepted"}]
    async with charger_of(central, version, {"SetVariables": {"setVariableResult": results}}) as charger:
        await report(charger, 5, 0, told("BasicAuthPassword", SECRET), told("Other", "x"))
        request: JsonValue = {"setVariableData": [{**_(PASSWORD), "attributeValue": SECRET}]}
        await central.accepted("SetVariables", request)
        connection: dict[str, JsonValue] = {
            "ocppVersion": "OCPP20",
            "ocppTransport": "JSON",
            "ocppCsmsUrl": "wss://example.com/ocpp",
            "messageTimeout": 30,
            "securityProfile": 2,
            "ocppInterface": "Wired0",
            "apn": {"apn": "internet", "apnPassword": SECRET, "simPin": 4711, "apnAuthentication": "AUTO"},
            "vpn": {"server": "vpn", "user": "cp", "password": SECRET, "key": SECRET, "type": "L2TP"},
        }
        charger.answers["SetNetworkProfile"] = {"status": "Accepted"}
        await central.accepted("SetNetworkProfile", {"configurationSlot": 1, "connectionData": connection})
        assert charger.asked[-1][1]["connectionData"]["vpn"]["key"] == SECRET
        shown = [
            json.dumps(await central.get(path))
            for path in (
                *("charge-points/CP-1/variables?limit=100", "charge-points/CP-1/configuration?limit=100"),
                *("charge-points/CP-1/reports/5", "charge-points/CP-1/frames"),
            )
        ]
        await central.logged(lambda line: line.get("action") == "SetNetworkProfile")
        for text in (*shown, central.log.read_text()):
            assert SECRET not in text
            assert "4711" not in text
        assert '"Other"' in shown[0]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_password_set_by_a_command_lets_the_charger_in(central: Central, version: str) -> None:
    """As by 1.6's AuthorizationKey: old and new count until the new one is used."""
    old = "an-old-password-of-it"
    await central.put("charge-points/CP-1", {"password": old})
    results: JsonValue = [{**_(PASSWORD), "attributeStatus": "Accepted"}]
    async with authenticated(central, version, old, {"SetVariables": {"setVariableResult": results}}):
        await central.accepted("SetVariables", {"setVariableData": [{**_(PASSWORD), "attributeValue": SECRET}]})
    for password in (old, SECRET):
        async with authenticated(central, version, password):
            pass
    with pytest.raises(InvalidStatus):  # the new one is in use
        async with authenticated(central, version, old):
            pass


def _(named: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(named, dict)
    return named
