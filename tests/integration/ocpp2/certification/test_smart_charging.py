"""Certification cases of smart charging: profiles set, replaced, read and cleared, and the schedules of vehicles."""

from __future__ import annotations

from typing import Final

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, PLACE, REJECTED, Station

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN: Final[dict[str, JsonValue]] = {"status": "Unknown"}


def profile(purpose: str = "TxDefaultProfile", number: int = 1, limit: float = 6, **others: JsonValue) -> JsonValue:
    schedule: JsonValue = {
        "id": number,
        "startSchedule": minute(0),
        "duration": 300,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": 3}],
    }
    whole: dict[str, JsonValue] = {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    return whole | others


async def put(cs: Station, evse: int, wanted: JsonValue, answer: dict[str, JsonValue] = ACCEPTED) -> None:
    request: dict[str, JsonValue] = {"evseId": evse, "chargingProfile": wanted}
    assert await cs.commanded("SetChargingProfile", request, answer) == answer


@pytest.mark.parametrize(
    ("evse", "wanted", "answer"),
    [
        pytest.param(1, profile(), ACCEPTED, id="TC_K_01"),
        pytest.param(0, profile("ChargingStationMaxProfile"), ACCEPTED, id="TC_K_03"),
        pytest.param(0, profile(), ACCEPTED, id="TC_K_10"),
        pytest.param(1, profile(), REJECTED, id="TC_K_15"),
        pytest.param(1, profile(chargingProfileKind="Recurring", recurrencyKind="Daily"), ACCEPTED, id="TC_K_19"),
    ],
)
async def test_a_profile_is_set(cs: Station, evse: int, wanted: JsonValue, answer: dict[str, JsonValue]) -> None:
    await put(cs, evse, wanted, answer)


async def test_a_profile_of_the_transaction_that_runs(cs: Station) -> None:
    """TC_K_60"""
    await put(cs, 1, profile("TxProfile", transactionId=await cs.charges()))


async def test_several_profiles(cs: Station) -> None:
    """TC_K_70"""
    await put(cs, 1, profile("TxProfile", 1, transactionId=await cs.charges()))
    await put(cs, 1, profile("TxDefaultProfile", 2, 10, stackLevel=1))


async def test_a_profile_takes_the_place_of_another_by_its_id(cs: Station) -> None:
    """TC_K_04"""
    for limit in (6, 8):
        await put(cs, 1, profile(limit=limit))


async def test_a_remote_start_with_a_profile(cs: Station) -> None:
    """TC_K_37"""
    wanted = profile("TxProfile", chargingProfileKind="Relative")
    request: dict[str, JsonValue] = {
        "idToken": cs.token, "remoteStartId": 5, "evseId": 1, "chargingProfile": wanted
    }  # fmt: skip
    await cs.commanded("RequestStartTransaction", request, ACCEPTED)
    await cs.event("Started", "RemoteStart", 0, idToken=cs.token, evse=PLACE, info={"remoteStartId": 5})
    assert (await cs.transaction())["id_tag"] == cs.token["idToken"]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param({"chargingProfileId": 1}, ACCEPTED, id="TC_K_05"),
        pytest.param(
            {"chargingProfileCriteria": {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"}},
            ACCEPTED,
            id="TC_K_06",
        ),
        pytest.param({"chargingProfileId": 9}, UNKNOWN, id="TC_K_08"),
    ],
)
async def test_profiles_are_cleared(cs: Station, request_: dict[str, JsonValue], answer: dict[str, JsonValue]) -> None:
    if answer is ACCEPTED:
        await put(cs, 1, profile())
    assert await cs.commanded("ClearChargingProfile", request_, answer) == answer


PURPOSE: Final = "TxDefaultProfile"
CRITERIA: Final[dict[str, tuple[int | None, dict[str, JsonValue]]]] = {
    "TC_K_29": (0, {"chargingProfilePurpose": PURPOSE}),
    "TC_K_30": (1, {"chargingProfilePurpose": PURPOSE}),
    "TC_K_31": (None, {"chargingProfilePurpose": PURPOSE}),
    "TC_K_32": (None, {"chargingProfileId": [1]}),
    "TC_K_33": (1, {"stackLevel": 0}),
    "TC_K_34": (1, {"chargingLimitSource": ["CSO"]}),
    "TC_K_35": (1, {"chargingProfilePurpose": PURPOSE}),
    "TC_K_36": (1, {"chargingProfilePurpose": PURPOSE, "stackLevel": 0}),
}
"""By EVSE and by what a profile must be like."""


@pytest.mark.parametrize("case", CRITERIA)
async def test_profiles_are_reported(cs: Station, case: str) -> None:
    evse, criterion = CRITERIA[case]
    request: dict[str, JsonValue] = {"requestId": 21, "chargingProfile": {**criterion}}
    if evse is not None:
        request["evseId"] = evse
    assert await cs.commanded("GetChargingProfiles", request, ACCEPTED) == ACCEPTED
    for number, more in ((1, True), (2, False)):
        part: JsonValue = {
            "requestId": 21,
            "chargingLimitSource": "CSO",
            "evseId": evse or 0,
            "tbc": more,
            "chargingProfile": [profile(number=number, stackLevel=number)],
        }
        assert await cs.say("ReportChargingProfiles", part) == {}
    report = await cs.get("/reports/21")
    assert report["complete"]
    assert [it["chargingProfile"]["id"] for it in report["content"]["chargingProfiles"]] == [1, 2]
    assert {it["evseId"] for it in report["content"]["chargingProfiles"]} == {evse or 0}


@pytest.mark.parametrize("evse", [pytest.param(1, id="TC_K_43"), pytest.param(0, id="TC_K_44")])
async def test_a_composite_schedule(cs: Station, evse: int) -> None:
    request: dict[str, JsonValue] = {"evseId": evse, "duration": 300, "chargingRateUnit": "A"}
    schedule: JsonValue = {
        "evseId": evse,
        "duration": 300,
        "scheduleStart": minute(0),
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
    }
    answer: dict[str, JsonValue] = {**ACCEPTED, "schedule": schedule}
    assert await cs.commanded("GetCompositeSchedule", request, answer) == answer


async def test_a_schedule_is_renegotiated_by_an_operator(cs: Station) -> None:
    """TC_K_58: a new profile for the transaction that runs; the station tells which schedule the vehicle follows."""
    transaction_id = await cs.charges()
    for limit in (16, 8):
        await put(cs, 1, profile("TxProfile", limit=limit, transactionId=transaction_id))
        schedule: JsonValue = {
            "id": 1,
            "startSchedule": minute(3),
            "duration": 300,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        }
        told: JsonValue = {"timeBase": minute(3), "evseId": 1, "chargingSchedule": schedule}
        assert (await cs.say("NotifyEVChargingSchedule", told))["status"] == "Accepted"
    assert [it["kind"] for it in await cs.items("device-events")] == ["charging_schedule"] * 2
