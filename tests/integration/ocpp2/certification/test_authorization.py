"""Certification cases of authorization and local lists: verdicts, groups, master passes, caches, lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import spelled
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, PLACE, REJECTED, Station

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = {"Invalid", "Unknown"}


async def verdict(cs: Station, token: dict[str, JsonValue]) -> dict[str, Any]:
    info: dict[str, Any] = (await cs.say("Authorize", {"idToken": token}))["idTokenInfo"]
    return info


@pytest.mark.parametrize(
    ("stored", "statuses"),
    [
        pytest.param(None, UNKNOWN, id="TC_C_02"),
        pytest.param({"status": "Blocked"}, {"Blocked"}, id="TC_C_06"),
        pytest.param({"expiry_date": "2020-01-01T00:00:00Z"}, {"Expired"}, id="TC_C_07"),
    ],
)
async def test_who_may_not_charge(cs: Station, stored: dict[str, JsonValue] | None, statuses: set[str]) -> None:
    token: dict[str, JsonValue] = {"idToken": f"{cs.identity}-X", "type": "ISO14443"}
    if stored is not None:
        token = await cs.accept(f"{cs.identity}-X", **stored)
    assert (await verdict(cs, token))["status"] in statuses
    # A station that lets it start all the same is told.
    answer = await cs.event("Started", "Authorized", 0, idToken=token, evse=PLACE)
    assert answer["idTokenInfo"]["status"] in statuses


@pytest.mark.parametrize(
    ("is_blocked", "status"),
    [pytest.param(False, "Accepted", id="TC_C_08"), pytest.param(True, "Blocked", id="TC_C_20")],
)
async def test_a_card_out_of_the_station_s_cache(cs: Station, is_blocked: bool, status: str) -> None:
    """It starts without asking; the answer to its start corrects the cache."""
    assert (await verdict(cs, cs.token))["status"] == "Accepted"
    if is_blocked:
        await cs.accept(str(cs.token["idToken"]), status="Blocked")
    answer = await cs.event("Started", "Authorized", 0, idToken=cs.token, evse=PLACE)
    assert answer["idTokenInfo"]["status"] == status


@pytest.mark.parametrize("answer", [pytest.param(ACCEPTED, id="TC_C_37"), pytest.param(REJECTED, id="TC_C_38")])
async def test_the_cache_is_cleared(cs: Station, answer: dict[str, JsonValue]) -> None:
    assert await cs.commanded("ClearCache", {}, answer) == answer


async def test_one_of_a_group_starts_another_stops(cs: Station) -> None:
    """TC_C_39"""
    group = f"{cs.identity}-FAMILY"
    first = await cs.accept(f"{cs.identity}-A", parent_id_tag=group)
    second = await cs.accept(f"{cs.identity}-B", parent_id_tag=group)
    for token in (first, second):
        info = await verdict(cs, token)
        assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
    await cs.event("Started", "Authorized", 0, idToken=first, evse=PLACE)
    ended = await cs.event("Ended", "StopAuthorized", 1, idToken=second, info={"stoppedReason": "Local"})
    assert (ended["idTokenInfo"]["status"], ended["idTokenInfo"]["groupIdToken"]["idToken"]) == ("Accepted", group)
    transaction = await cs.transaction()
    assert (transaction["id_tag"], transaction["stop_reason"]) == (first["idToken"], "Local")


@pytest.mark.parametrize("is_blocked", [pytest.param(False, id="TC_C_40"), pytest.param(True, id="TC_C_43")])
async def test_groups_are_in_the_local_list(cs: Station, is_blocked: bool) -> None:
    """The list as the server itself makes it of the stored cards."""
    group = f"{cs.identity}-FAMILY"
    tags = [f"{cs.identity}-A", f"{cs.identity}-B"]
    await cs.accept(tags[0], parent_id_tag=group)
    await cs.accept(tags[1], parent_id_tag=group, **({"status": "Blocked"} if is_blocked else {}))
    sent = await synchronized(cs, version=0)
    infos = {it["idToken"]["idToken"]: it["idTokenInfo"] for it in sent["localAuthorizationList"]}
    assert [infos[tag]["groupIdToken"]["idToken"] for tag in tags] == [group, group]
    assert [infos[tag]["status"] for tag in tags] == ["Accepted", "Blocked" if is_blocked else "Accepted"]
    await cs.event("Started", "Authorized", 0, idToken={"idToken": tags[0], "type": "ISO14443"}, evse=PLACE)
    other: JsonValue = {"idToken": tags[1], "type": "ISO14443"}
    ended = await cs.event("Ended", "StopAuthorized", 1, idToken=other, info={"stoppedReason": "Local"})
    assert ended["idTokenInfo"]["status"] == ("Blocked" if is_blocked else "Accepted")


@pytest.mark.parametrize(
    "stopped",
    [
        pytest.param((1, 2), id="TC_C_47"),
        pytest.param((1,), id="TC_C_48"),
        pytest.param((1, 2), id="TC_C_49"),
    ],
)
async def test_a_master_pass_stops_others_sessions(cs: Station, stopped: tuple[int, ...]) -> None:
    """Who has one is told by its group; the station stops what it then stops."""
    await cs.status("Available", evse=2)
    for evse in (1, 2):
        await cs.charges(f"{evse}", evse=evse)
    master = await cs.accept(f"{cs.identity}-M", parent_id_tag="MASTER")
    info = await verdict(cs, master)
    assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", "MASTER")
    for evse in stopped:
        told = await cs.event(
            "Ended", "StopAuthorized", 9, tx=f"{evse}", idToken=master, info={"stoppedReason": "MasterPass"}
        )
        assert told["idTokenInfo"]["status"] == "Accepted"
    assert {it["evse_id"]: it["stop_reason"] for it in await cs.transactions()} == {
        evse: "MasterPass" if evse in stopped else None for evse in (1, 2)
    }


async def synchronized(cs: Station, version: int) -> dict[str, Any]:
    """The list that the server sends to a station which has one of that version."""
    cs.raw.answers |= {"GetLocalListVersion": {"versionNumber": version}, "SendLocalList": ACCEPTED}
    before = cs.raw.how_often("SendLocalList")
    answer = await cs.central.http.post(f"/api/v1/charge-points/{cs.identity}/local-list/sync")
    assert answer.is_success, answer.text
    sent: dict[str, Any] = (await cs.raw.asked_for("SendLocalList", before + 1))[-1]
    return sent


ENTRY: dict[str, JsonValue] = {
    "idToken": {"idToken": "A", "type": "ISO14443"},
    "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": spelled(datetime.now(UTC) + timedelta(days=1))},
}


@pytest.mark.parametrize(
    ("update", "entries"),
    [
        pytest.param("Full", [ENTRY], id="TC_D_01"),
        pytest.param("Differential", [ENTRY], id="TC_D_02"),
        pytest.param("Differential", [{"idToken": ENTRY["idToken"]}], id="TC_D_03"),
        pytest.param("Full", None, id="TC_D_04"),
    ],
)
async def test_a_local_list_is_sent(cs: Station, update: str, entries: list[JsonValue] | None) -> None:
    request: dict[str, JsonValue] = {"versionNumber": 5, "updateType": update}
    if entries is not None:
        request["localAuthorizationList"] = entries
    assert await cs.commanded("SendLocalList", request, ACCEPTED) == ACCEPTED
    assert (await cs.get())["local_list_version"] == 5


@pytest.mark.parametrize("version", [pytest.param(7, id="TC_D_08"), pytest.param(0, id="TC_D_09")])
async def test_the_version_of_a_local_list_is_asked_for(cs: Station, version: int) -> None:
    assert await cs.commanded("GetLocalListVersion", {}, {"versionNumber": version}) == {"versionNumber": version}
    assert (await cs.get())["local_list_version"] == version


async def test_a_customer_who_is_forgotten_leaves_the_local_list(cs: Station) -> None:
    """TC_N_46"""
    card = str(cs.token["idToken"])
    first = await synchronized(cs, version=0)
    assert card in {it["idToken"]["idToken"] for it in first["localAuthorizationList"]}
    request: dict[str, JsonValue] = {"requestId": 3, "report": False, "clear": True, "idToken": cs.token}
    await cs.commanded("CustomerInformation", request, ACCEPTED)
    assert (await cs.central.http.delete(f"/api/v1/id-tags/{card}")).is_success
    second = await synchronized(cs, version=first["versionNumber"])
    left = {it["idToken"]["idToken"] for it in second.get("localAuthorizationList", []) if "idTokenInfo" in it}
    assert second["updateType"] == "Full" or card in {
        it["idToken"]["idToken"] for it in second["localAuthorizationList"]
    }
    assert card not in left
    assert second["versionNumber"] > first["versionNumber"]
