"""What operators ask of chargers of OCPP 2.x, and what refuses it: versions, contracts, frames."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from mcpp.plugins import DataTransferAnswer, DataTransferQuestion, DataTransferStatus, hookimpl
from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.spoken import VERSIONS, charger_of, payload

NO_VALUES: JsonValue = {"id": 3, "pending": 0, "basetime": "2026-04-01T09:30:00.000Z", "data": [{"t": []}]}
LATER = "2099-04-01T09:30:00.000Z"
CARD: JsonValue = {"idToken": "CARD", "type": "ISO14443"}


async def test_a_version_takes_its_own_actions_and_fields_only(central: Central) -> None:
    async with charger_of(central, "2.0.1"):
        refused = await central.command("GetTariffs", {"evseId": 1})
        assert refused.status_code == 404
        assert "2.0.1" in refused.json()["detail"]
        assert refused.json()["detail"].endswith("OCPP 2.1 has it")
        of_16 = await central.command("ChangeConfiguration", {"key": "a", "value": "b"})
        assert of_16.status_code == 404
        assert of_16.json()["detail"].endswith("OCPP 1.6 has it")
        newer: JsonValue = {"transactionId": "T", "totalCost": 1.5, "currency": "EUR"}
        wrong = await central.command("CostUpdated", newer)
        assert wrong.status_code == 422
        profile = payload("2.0.1", "SetNetworkProfile", "request")
        profile["connectionData"]["basicAuthPassword"] = "of-two-point-one-only"
        wrong = await central.command("SetNetworkProfile", profile)
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["location"] == "connectionData.basicAuthPassword"
        own_word: JsonValue = {"type": "ImmediateAndResume"}
        assert (await central.command("Reset", own_word)).status_code == 422
    async with charger_of(central, "2.1", {"Reset": {"status": "Accepted"}}):
        assert await central.accepted("Reset", own_word) == {"status": "Accepted"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_answer_that_cannot_be_processed_is_told_so_in_2_1_only(central: Central, version: str) -> None:
    async with charger_of(central, version, {"Reset": {"status": 7}}) as charger:
        frames: list[Any] = []
        take = charger._take

        async def keep(frame: list[Any]) -> None:
            frames.append(frame)
            await take(frame)

        charger._take = keep  # type: ignore[method-assign]  # a frame of type 5 answers nothing of ours
        assert (await central.command("Reset", {"type": "OnIdle"})).status_code == 502
        await charger.say("Heartbeat", {})
        errors = [frame for frame in frames if frame[0] == 5]
        assert len(errors) == (1 if version == "2.1" else 0)


async def test_a_stream_of_events_is_kept_and_never_answered(central: Central) -> None:
    values: dict[str, JsonValue] = {
        "id": 3,
        "pending": 0,
        "basetime": "2026-04-01T09:30:00.000Z",
        "data": [{"t": 0, "v": "230.1"}, {"t": 1, "v": "230.4"}],
    }
    stream: JsonValue = {"id": 3, "variableMonitoringId": 7, "params": {"interval": 60}}
    async with charger_of(central, "2.1") as charger:
        assert await charger.say("OpenPeriodicEventStream", {"constantStreamData": stream}) == {"status": "Accepted"}
        await charger.send(json.dumps([6, "s1", "NotifyPeriodicEventStream", values]))
        await charger.send(json.dumps([6, "s2", "NotifyPeriodicEventStream", {"broken": 1}]))
        await charger.send(json.dumps([6, "s3", "NotifyPeriodicEventStream", {**values, "data": [None, "x"]}]))
        await charger.send(json.dumps([6, "s4", "NotifyPeriodicEventStream", {**values, "data": []}]))
        # What came as a CALL, as some chargers send it, is answered all the same and counted.
        assert await charger.say("NotifyPeriodicEventStream", values) == {}
        assert await central.deviations("NotifyPeriodicEventStream", rule="send_as_call") == 1
        assert [line for line in central.lines() if line["event"] == "handler_failed"] == []
        sent = [line for line in central.lines() if line.get("action") == "NotifyPeriodicEventStream"]
        assert [line["message_id"] for line in sent if line["direction"] == "out"] == ["CP-1-3"]
        reports = {it["kind"]: it for it in await central.items("charge-points/CP-1/reports")}
        assert set(reports) == {"event_streams", "event_stream_values"}
        assert await charger.say("ClosePeriodicEventStream", {"id": 3}) == {}
        assert [it["kind"] for it in await central.items("charge-points/CP-1/reports")] == ["event_stream_values"]


async def test_a_stream_moves_its_variable(central: Central) -> None:
    """N11: by the monitor, as GetPeriodicEventStream tells of it, too; never back in time."""
    named: dict[str, JsonValue] = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Voltage"}}
    report: JsonValue = {
        "requestId": 1,
        "generatedAt": "2026-04-01T09:00:00.000Z",
        "seqNo": 0,
        "reportData": [{**named, "variableAttribute": [{"value": "0"}]}],
    }
    monitor: JsonValue = {
        "id": 7,
        "transaction": False,
        "value": 1,
        "type": "Delta",
        "severity": 9,
        "eventNotificationType": "CustomMonitor",
    }
    monitors: JsonValue = {
        "requestId": 2,
        "generatedAt": "2026-04-01T09:00:00.000Z",
        "seqNo": 0,
        "monitor": [{**named, "variableMonitoring": [monitor]}],
    }

    async def shown() -> object:
        (variable,) = await central.items("charge-points/CP-1/variables", component="EVSE")
        return variable["value"]

    async with charger_of(central, "2.1") as charger:
        await charger.say("NotifyReport", report)
        await charger.say("NotifyMonitoringReport", monitors)

        async def stream(begin: datetime, *values: tuple[float, str]) -> None:
            data: JsonValue = [{"t": seconds, "v": value} for seconds, value in values]
            payload: JsonValue = {"id": 3, "pending": 0, "basetime": begin.isoformat(), "data": data}
            await charger.send(json.dumps([6, f"s{begin}", "NotifyPeriodicEventStream", payload]))
            await charger.say("Heartbeat", {})

        now = datetime.now(UTC)
        await stream(now, (0, "229"))
        assert await shown() == "0"  # of no monitor that is known
        charger.answers["GetPeriodicEventStream"] = {
            "constantStreamData": [{"id": 3, "variableMonitoringId": 7, "params": {"interval": 60}}]
        }
        await central.accepted("GetPeriodicEventStream", {})
        await stream(now, (0.5, "231"), (0, "230"))
        assert await shown() == "231"
        await stream(now - timedelta(hours=1), (0, "200"), (1, "201"))
        assert await shown() == "231"
        await charger.send(json.dumps([6, "none", "NotifyPeriodicEventStream", NO_VALUES]))
        await charger.say("Heartbeat", {})
        assert await shown() == "231"
        await charger.say("ClosePeriodicEventStream", {"id": 3})
        await stream(datetime.now(UTC), (1, "232"))
        assert await shown() == "231"
    assert [line for line in central.lines() if line["event"] == "handler_failed"] == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_reservations_follow_the_charger(central: Central, version: str) -> None:
    accepted: JsonValue = {"status": "Accepted"}
    async with charger_of(central, version, {"ReserveNow": accepted, "CancelReservation": accepted}) as charger:
        reserve: dict[str, JsonValue] = {"expiryDateTime": LATER, "idToken": CARD}
        await central.accepted("ReserveNow", {**reserve, "evseId": 2})
        first = charger.asked[-1][1]["id"]
        await central.accepted("ReserveNow", reserve)
        second = charger.asked[-1][1]["id"]
        shown = {it["reservation_id"]: it for it in await central.items("reservations")}
        assert (shown[first]["evse_id"], shown[first]["id_tag"], shown[first]["status"]) == (2, "CARD", "Accepted")
        await charger.say("ReservationStatusUpdate", {"reservationId": first, "reservationUpdateStatus": "Removed"})
        await central.accepted("CancelReservation", {"reservationId": second})
        states = {it["reservation_id"]: it["status"] for it in await central.items("reservations")}
        assert states == {first: "Cancelled", second: "Cancelled"}


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("ReserveNow", {"id": -5, "expiryDateTime": LATER, "idToken": CARD}),
        ("CancelReservation", {"reservationId": -5}),
    ],
)
async def test_a_number_that_2_1_has_bounds_for_and_2_0_1_has_not_is_no_failure(
    central: Central, action: str, asked: JsonValue
) -> None:
    accepted: JsonValue = {"status": "Accepted"}
    async with charger_of(central, "2.0.1", {action: accepted}):
        assert await central.accepted(action, asked) == accepted
    assert await central.items("reservations") == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_local_list_is_brought_in_line_with_the_stored_tags(central: Central, version: str) -> None:
    await central.put("id-tags/CARD", {"status": "Accepted", "parent_id_tag": "FAMILY"})
    await central.put("id-tags/DE8AAC123456789", {"status": "Blocked", "token_type": "eMAID"})
    await central.put("id-tags/" + "A" * 40, {"status": "Accepted"})
    answers: dict[str, Any] = {"GetLocalListVersion": {"versionNumber": 4}, "SendLocalList": {"status": "Accepted"}}
    async with charger_of(central, version, answers) as charger:
        limits: dict[str, JsonValue] = {
            "component": {"name": "LocalAuthListCtrlr"},
            "variable": {"name": "ItemsPerMessage"},
        }
        told: dict[str, JsonValue] = {**limits, "variableAttribute": [{"value": "2"}]}
        await charger.say(
            "NotifyReport",
            {"requestId": 1, "generatedAt": LATER, "seqNo": 0, "reportData": [told]},
        )
        response = await central.http.post("/api/v1/charge-points/CP-1/local-list/sync")
        assert response.status_code == 200, response.text
        sent = [asked for action, asked in charger.asked if action == "SendLocalList"]
    entries = {
        entry["idToken"]["idToken"]: (entry["idToken"]["type"], entry["idTokenInfo"]["status"])
        for update in sent
        for entry in update["localAuthorizationList"]
    }
    longest = {"2.0.1": {}, "2.1": {"A" * 40: ("ISO14443", "Accepted")}}[version]
    assert entries == {"CARD": ("ISO14443", "Accepted"), "DE8AAC123456789": ("eMAID", "Blocked"), **longest}
    updates = [(update["versionNumber"], update["updateType"]) for update in sent]
    assert updates == [(5, "Full"), (6, "Differential")][: len(entries) - 1]


async def test_a_dynamic_profile_is_told_the_limits_that_it_was_last_sent(central: Central) -> None:
    period: JsonValue = {"startPeriod": 0, "limit": 16}
    schedule: JsonValue = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile: JsonValue = {
        "id": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Dynamic",
        "chargingSchedule": [schedule],
    }
    accepted: JsonValue = {"status": "Accepted"}
    answers = {"SetChargingProfile": accepted, "UpdateDynamicSchedule": accepted}
    async with charger_of(central, "2.1", answers) as charger:
        assert (await charger.say("PullDynamicScheduleUpdate", {"chargingProfileId": 9}))["status"] == "Rejected"
        await central.accepted("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        await central.accepted(
            "UpdateDynamicSchedule", {"chargingProfileId": 9, "scheduleUpdate": {"limit": 10, "setpoint": -3.5}}
        )
        await central.accepted("UpdateDynamicSchedule", {"chargingProfileId": 9, "scheduleUpdate": {"limit": 8}})
        told = await charger.say("PullDynamicScheduleUpdate", {"chargingProfileId": 9})
        assert told == {"status": "Accepted", "scheduleUpdate": {"limit": 8, "setpoint": -3.5}}


async def test_a_dynamic_profile_that_was_cleared_has_no_limits(central: Central) -> None:
    period: JsonValue = {"startPeriod": 0, "limit": 16}
    schedule: JsonValue = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile: JsonValue = {
        "id": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Dynamic",
        "chargingSchedule": [schedule],
    }
    accepted: JsonValue = {"status": "Accepted"}
    answers = {"SetChargingProfile": accepted, "ClearChargingProfile": accepted}
    async with charger_of(central, "2.1", answers) as charger:
        await central.accepted("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        assert (await charger.say("PullDynamicScheduleUpdate", {"chargingProfileId": 9}))["status"] == "Accepted"
        await central.accepted("ClearChargingProfile", {"chargingProfileId": 9})
        told = await charger.say("PullDynamicScheduleUpdate", {"chargingProfileId": 9})
        assert told == {"status": "Rejected"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_stored_profiles_know_their_version_and_reports_of_profiles_come_in_parts(
    central: Central, version: str
) -> None:
    period: JsonValue = {"startPeriod": 0, "limit": 16}
    schedule: JsonValue = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile: dict[str, JsonValue] = {
        "id": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    if version == "2.1":
        profile["maxOfflineDuration"] = 60
    await central.put("charging-profiles/night", profile)
    (stored,) = await central.items("charging-profiles")
    assert stored["ocpp_version"] == version
    accepted: JsonValue = {"status": "Accepted"}
    async with charger_of(
        central, version, {"SetChargingProfile": accepted, "GetChargingProfiles": accepted}
    ) as charger:
        await central.accepted("SetChargingProfile", {"evseId": 1, "chargingProfile": {"$ref": "night"}})
        assert charger.asked[-1][1]["chargingProfile"] == profile
        await central.accepted("GetChargingProfiles", {"chargingProfile": {"stackLevel": 0}})
        request_id = charger.asked[-1][1]["requestId"]
        for evse_id in (1, 2):
            part: JsonValue = {
                "requestId": request_id,
                "chargingLimitSource": "CSO",
                "evseId": evse_id,
                "chargingProfile": [profile],
                "tbc": evse_id == 1,
            }
            assert await charger.say("ReportChargingProfiles", part) == {}
    shown = await central.get(f"charge-points/CP-1/reports/{request_id}")
    assert shown["complete"]
    assert [it["evseId"] for it in shown["content"]["chargingProfiles"]] == [1, 2]


async def test_what_needs_no_logic_is_kept_and_shown(central: Central) -> None:
    """Limits and needs, settlements, alarms of the grid, batteries: as events of the charger's devices."""
    async with charger_of(central, "2.1") as charger:
        for action in (
            *("NotifyChargingLimit", "ClearedChargingLimit", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule"),
            *("NotifyPriorityCharging", "NotifySettlement", "NotifyDERAlarm", "NotifyDERStartStop", "BatterySwap"),
        ):
            await charger.say(action, payload("2.1", action, "request"))
        kinds = [event["kind"] for event in await central.items("charge-points/CP-1/device-events")]
    assert sorted(kinds) == [
        *("battery_swap", "charging_limit", "charging_limit", "charging_needs", "charging_schedule"),
        *("der_alarm", "der_control", "priority_charging", "settlement"),
    ]


class Vendor:
    """A plugin that knows a vendor's messages."""

    @hookimpl
    def data_transfer_received(self, question: DataTransferQuestion) -> DataTransferAnswer | None:
        if question.vendor_id != "acme":
            return None
        return DataTransferAnswer(status=DataTransferStatus.ACCEPTED, data=question.data)


async def test_vendors_messages_may_hold_anything(tmp_path: Path) -> None:
    answer: JsonValue = {"status": "Accepted", "data": {"of": ["its", "own"]}}
    async with (
        central_system(tmp_path, plugins=f"built-ins,{__name__}:Vendor") as central,
        charger_of(central, "2.1", {"DataTransfer": answer}) as charger,
    ):
        unknown = await charger.say("DataTransfer", {"vendorId": "other", "data": {"a": 1}})
        assert unknown == {"status": "UnknownVendorId"}
        known = await charger.say("DataTransfer", {"vendorId": "acme", "data": {"a": ["\u00fc", None]}})
        assert known == {"status": "Accepted", "data": '{"a":["\u00fc",null]}'}  # to plugins it's a text, as in 1.6
        assert await central.accepted("DataTransfer", {"vendorId": "acme", "data": [1, {"b": None}]}) == answer
        assert charger.asked[-1][1]["data"] == [1, {"b": None}]
