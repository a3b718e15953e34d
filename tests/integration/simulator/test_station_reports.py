"""What a virtual charging station reports of variables, profiles and files when it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from mcpp.csms.version import KnownVersion
from tests.integration.field_notes.site import until
from tests.integration.simulator.support import TOKEN, station_at, told_of

HEARTBEAT: dict[str, JsonValue] = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


async def test_variables_are_read_written_and_reported_in_parts(tmp_path: Path, version: KnownVersion) -> None:
    async with station_at(tmp_path, version) as (central, station, told):
        data: list[JsonValue] = [
            {**HEARTBEAT, "attributeValue": "600"},
            {**HEARTBEAT, "attributeValue": "often"},
            {"component": {"name": "ChargingStation"}, "variable": {"name": "Model"}, "attributeValue": "Two"},
            {"component": {"name": "Oven"}, "variable": {"name": "Heat"}, "attributeValue": "9"},
        ]
        written = await central.accepted("SetVariables", {"setVariableData": data})
        asked: list[JsonValue] = [
            HEARTBEAT,
            {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}},
        ]
        read = await central.accepted("GetVariables", {"getVariableData": asked})
        told.take()
        report: JsonValue = {"requestId": 7, "reportBase": "FullInventory"}
        assert (await central.accepted("GetBaseReport", report))["status"] == "Accepted"

        async def whole() -> bool:
            parts = [part for part in told.of("NotifyReport") if part.request_id == 7]
            return bool(parts) and not parts[-1].tbc

        await until(whole)

    statuses = [result["attributeStatus"] for result in written["setVariableResult"]]
    assert statuses == ["Accepted", "Rejected", "Rejected", "UnknownComponent"]
    assert [result.get("attributeValue") for result in read["getVariableResult"]] == ["600", None]
    parts = [part for part in told.of("NotifyReport") if part.request_id == 7]
    assert len(parts) > 3
    assert [part.seq_no for part in parts] == list(range(len(parts)))
    assert sum(len(part.report_data) for part in parts) == len(list(station.model))


async def test_profiles_lists_reservations_logs_and_firmware(tmp_path: Path, version: KnownVersion) -> None:
    profile: JsonValue = {
        "id": 4,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}]}
        ],
    }
    now = datetime.now(UTC)
    spelled = (now + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    entry: JsonValue = {"idToken": TOKEN, "idTokenInfo": {"status": "Accepted"}}
    local_list: JsonValue = {"versionNumber": 3, "updateType": "Full", "localAuthorizationList": [entry]}
    reserve: JsonValue = {"id": 5, "expiryDateTime": spelled, "idToken": TOKEN, "evseId": 1}
    log: JsonValue = {
        "requestId": 6,
        "logType": "DiagnosticsLog",
        "log": {"remoteLocation": "https://example.com/logs"},
    }
    firmware: JsonValue = {"location": "https://example.com/2.0.bin", "retrieveDateTime": spelled}
    criterion: JsonValue = {"chargingProfilePurpose": "TxDefaultProfile"}
    async with station_at(tmp_path, version) as (central, _, told):

        async def status(action: str, payload: JsonValue) -> object:
            return (await central.accepted(action, payload)).get("status")

        assert await status("SetChargingProfile", {"evseId": 1, "chargingProfile": profile}) == "Accepted"
        composite = await central.accepted("GetCompositeSchedule", {"evseId": 1, "duration": 60})
        got: JsonValue = {"requestId": 8, "chargingProfile": criterion}
        assert await status("GetChargingProfiles", got) == "Accepted"
        await told_of(told, "ReportChargingProfiles")
        assert await status("ClearChargingProfile", {"chargingProfileId": 4}) == "Accepted"
        assert await status("GetChargingProfiles", got) == "NoProfiles"
        assert await status("SendLocalList", local_list) == "Accepted"
        assert await central.accepted("GetLocalListVersion", {}) == {"versionNumber": 3}
        assert await status("ClearCache", {}) == "Accepted"
        assert await status("ReserveNow", reserve) == "Accepted"
        assert await status("CancelReservation", {"reservationId": 5}) == "Accepted"
        assert await status("GetLog", log) == "Accepted"
        assert await status("UpdateFirmware", {"requestId": 9, "firmware": firmware}) == "Accepted"
        await told_of(told, *["LogStatusNotification"] * 2, *["FirmwareStatusNotification"] * 5)
        point = await central.get("charge-points/CP-1")
        unknown = await central.command("DataTransfer", {"vendorId": "acme"})
        unsupported = await central.command("CustomerInformation", {"requestId": 1, "report": True, "clear": False})

    [period] = composite["schedule"]["chargingSchedulePeriod"]
    assert Decimal(period["limit"]) == 8
    assert point["firmware_version"] == "2.0"
    assert unknown.json()["response"]["status"] == "UnknownVendorId"
    assert (unsupported.status_code, unsupported.json()["error_code"]) == (502, "NotSupported")
