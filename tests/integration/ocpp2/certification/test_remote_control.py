"""Certification cases of remote control, availability and reservations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute, spelled
from tests.integration.ocpp2.certification.by_the_letter import ACCEPTED, PLACE, REJECTED, Station, reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_IMPLEMENTED: Final[dict[str, JsonValue]] = {"status": "NotImplemented"}
SCHEDULED: Final[dict[str, JsonValue]] = {"status": "Scheduled"}
LATER: Final = spelled(datetime.now(UTC) + timedelta(hours=1))


async def test_a_remote_start_behind_the_cable(cs: Station) -> None:
    """TC_F_01"""
    await cs.status("Occupied")
    await cs.event("Started", "CablePluggedIn", 0, state="EVConnected", evse=PLACE)
    transaction_id = f"{cs.identity}-tx"
    request: dict[str, JsonValue] = {"idToken": cs.token, "remoteStartId": 71, "evseId": 1}
    told = await cs.commanded("RequestStartTransaction", request, {**ACCEPTED, "transactionId": transaction_id})
    assert told["transactionId"] == transaction_id
    answer = await cs.event("Updated", "RemoteStart", 1, idToken=cs.token, info={"remoteStartId": 71})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await cs.event("Updated", "ChargingStateChanged", 2, state="Charging")
    assert (await cs.transaction())["id_tag"] == cs.token["idToken"]
    assert await cs.states() == {(1, 1): "Charging"}


@pytest.mark.parametrize("asks", [pytest.param(True, id="TC_F_02"), pytest.param(False, id="TC_F_03")])
async def test_a_remote_start_before_the_cable(cs: Station, asks: bool) -> None:
    """AuthorizeRemoteStart says whether the station asks for the card that it was given."""
    request: dict[str, JsonValue] = {"idToken": cs.token, "remoteStartId": 72, "evseId": 1}
    assert await cs.commanded("RequestStartTransaction", request, ACCEPTED) == ACCEPTED
    if asks:
        assert (await cs.say("Authorize", {"idToken": cs.token}))["idTokenInfo"]["status"] == "Accepted"
    answer = await cs.event("Started", "RemoteStart", 0, idToken=cs.token, evse=PLACE, info={"remoteStartId": 72})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    await cs.status("Occupied", 1)
    await cs.event("Updated", "CablePluggedIn", 1, state="EVConnected")
    await cs.event("Updated", "ChargingStateChanged", 2, state="Charging")
    assert await cs.states() == {(1, 1): "Charging"}


async def test_a_remote_start_to_which_nobody_plugs_in(cs: Station) -> None:
    """TC_F_04"""
    request: dict[str, JsonValue] = {"idToken": cs.token, "remoteStartId": 73, "evseId": 1}
    await cs.commanded("RequestStartTransaction", request, ACCEPTED)
    await cs.event("Started", "RemoteStart", 0, idToken=cs.token, evse=PLACE, info={"remoteStartId": 73})
    await cs.event("Ended", "EVConnectTimeout", 1, info={"stoppedReason": "Timeout"})
    transaction = await cs.transaction()
    assert (transaction["stop_reason"], transaction["energy_wh"]) == ("Timeout", 0)


@pytest.mark.parametrize(
    ("message", "evse"),
    [
        pytest.param("MeterValues", {"id": 1}, id="TC_F_11"),
        pytest.param("MeterValues", None, id="TC_F_12"),
        pytest.param("TransactionEvent", {"id": 1}, id="TC_F_13"),
        pytest.param("TransactionEvent", None, id="TC_F_14"),
        pytest.param("LogStatusNotification", None, id="TC_F_15"),
        pytest.param("FirmwareStatusNotification", None, id="TC_F_18"),
        pytest.param("Heartbeat", None, id="TC_F_20"),
    ],
)
async def test_a_message_is_triggered(cs: Station, message: str, evse: JsonValue) -> None:
    wanted: dict[str, JsonValue] = {"requestedMessage": message, **({"evse": evse} if evse else {})}
    if message == "TransactionEvent":
        await cs.charges()
    assert await cs.commanded("TriggerMessage", wanted, ACCEPTED) == ACCEPTED
    match message:
        case "MeterValues":
            assert await cs.say("MeterValues", {"evseId": 1, "meterValue": reading(1, 5, "Trigger")}) == {}
            assert cs.central.idle_values(cs.identity) == ["5"]
        case "TransactionEvent":
            await cs.event("Updated", "Trigger", 2, state="Charging", meterValue=reading(2, 5, "Trigger"))
            assert await cs.central.values((await cs.transaction())["transaction_id"]) == ["5"]
        case "LogStatusNotification" | "FirmwareStatusNotification":
            assert await cs.say(message, {"status": "Idle"}) == {}
            (report,) = (await cs.get())["reports"]
            assert (report["kind"], report["status"]) == ("log" if message.startswith("Log") else "firmware", "Idle")
        case _:
            await cs.say("Heartbeat", {})
            assert (await cs.get())["last_heartbeat_at"] is not None


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        pytest.param("Available", "Available", id="TC_F_23"),
        pytest.param("Occupied", "Preparing", id="TC_F_24"),
    ],
)
async def test_a_state_is_triggered(cs: Station, state: str, shown: str) -> None:
    wanted: dict[str, JsonValue] = {"requestedMessage": "StatusNotification", "evse": PLACE}
    assert await cs.commanded("TriggerMessage", wanted, ACCEPTED) == ACCEPTED
    await cs.status(state, 1)
    assert await cs.states() == {(1, 1): shown}


async def test_a_message_that_a_station_cannot_send(cs: Station) -> None:
    """TC_F_27"""
    wanted: dict[str, JsonValue] = {"requestedMessage": "SignCombinedCertificate"}
    assert await cs.commanded("TriggerMessage", wanted, NOT_IMPLEMENTED) == NOT_IMPLEMENTED


AVAILABILITY: Final = [
    *(
        pytest.param("Inoperative", place, False, id=case)
        for case, place in (("TC_G_03", {"id": 1}), ("TC_G_05", None), ("TC_G_07", PLACE))
    ),
    *(
        pytest.param("Operative", place, False, id=case)
        for case, place in (("TC_G_04", {"id": 1}), ("TC_G_06", None), ("TC_G_08", PLACE))
    ),
    *(
        pytest.param("Inoperative", place, True, id=case)
        for case, place in (("TC_G_11", {"id": 1}), ("TC_G_14", None), ("TC_G_17", PLACE))
    ),
]


@pytest.mark.parametrize(("wanted", "place", "is_charging"), AVAILABILITY)
async def test_availability_is_changed(
    cs: Station, wanted: str, place: dict[str, JsonValue] | None, is_charging: bool
) -> None:
    """Of an EVSE, the station, or a connector; where a session runs it's changed after that."""
    answer = SCHEDULED if is_charging else ACCEPTED
    if is_charging:
        await cs.status("Occupied")
        await cs.charges()
    request: dict[str, JsonValue] = {"operationalStatus": wanted, **({"evse": place} if place else {})}
    assert await cs.commanded("ChangeAvailability", request, answer) == answer
    orders = {
        (it["evse_id"], it["connector_id"]): it["availability"] for it in (await cs.get())["ordered_availability"]
    }
    assert (orders[1, 1], set(orders.values())) == (wanted, {wanted})
    if is_charging:
        assert await cs.states() == {(1, 1): "Charging"}
        await cs.event("Ended", "StopAuthorized", 3, idToken=cs.token, info={"stoppedReason": "Local"})
    await cs.status("Unavailable" if wanted == "Inoperative" else "Available", 4)
    assert await cs.states() == {(1, 1): "Unavailable" if wanted == "Inoperative" else "Available"}


async def test_a_lock_that_fails(cs: Station) -> None:
    """TC_G_20"""
    problem: JsonValue = {
        "eventId": 1,
        "timestamp": minute(0),
        "trigger": "Delta",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": PLACE},
        "variable": {"name": "Problem"},
    }
    assert await cs.say("NotifyEvent", {"generatedAt": minute(0), "seqNo": 0, "eventData": [problem]}) == {}
    (event,) = await cs.items("device-events")
    assert (event["subject"], event["value"]) == ("ConnectorPlugRetentionLock@1.1.Problem", "true")
    assert (await cs.get())["last_error_at"] is not None


async def reserve(cs: Station, number: int, answer: dict[str, JsonValue], **others: JsonValue) -> None:
    request: dict[str, JsonValue] = {"id": number, "expiryDateTime": LATER, "idToken": cs.token, **others}
    assert await cs.commanded("ReserveNow", request, answer) == answer


async def use(cs: Station, number: int, token: dict[str, JsonValue] | None = None) -> None:
    """A session begins on a reservation, now."""
    now = spelled(datetime.now(UTC) + timedelta(seconds=1))
    await cs.event(
        "Started", "Authorized", 0, idToken=token or cs.token, evse=PLACE, reservationId=number, timestamp=now
    )


async def reservations(cs: Station) -> dict[int, str]:
    found = await cs.central.items("reservations", charge_point_id=cs.identity)
    return {it["reservation_id"]: it["status"] for it in found}


async def test_a_reserved_evse_is_used(cs: Station) -> None:
    """TC_H_01"""
    await reserve(cs, 1, ACCEPTED, evseId=1)
    await cs.status("Reserved", 1)
    assert await cs.states() == {(1, 1): "Reserved"}
    assert await reservations(cs) == {1: "Accepted"}
    await use(cs, 1)
    assert await reservations(cs) == {1: "Used"}


async def test_a_reservation_that_nobody_uses(cs: Station) -> None:
    """TC_H_07"""
    await reserve(cs, 2, ACCEPTED, evseId=1)
    told: JsonValue = {"reservationId": 2, "reservationUpdateStatus": "Expired"}
    assert await cs.say("ReservationStatusUpdate", told) == {}
    assert await reservations(cs) == {2: "Expired"}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({}, id="TC_H_08"),
        pytest.param({"connectorType": "cType2"}, id="TC_H_15"),
    ],
)
async def test_any_evse_is_reserved(cs: Station, others: dict[str, JsonValue]) -> None:
    await reserve(cs, 3, ACCEPTED, **others)
    await use(cs, 3)
    assert await reservations(cs) == {3: "Used"}


async def test_as_many_reservations_as_evses(cs: Station) -> None:
    """TC_H_14"""
    await cs.status("Available", evse=2)
    for number in (4, 5):
        await reserve(cs, number, ACCEPTED)
    for evse in (1, 2):
        await cs.status("Reserved", 1, evse=evse)
    assert await cs.states() == {(1, 1): "Reserved", (2, 1): "Reserved"}
    assert await reservations(cs) == {4: "Accepted", 5: "Accepted"}


async def test_a_reservation_is_cancelled(cs: Station) -> None:
    """TC_H_17"""
    await reserve(cs, 6, ACCEPTED, evseId=1)
    assert await cs.commanded("CancelReservation", {"reservationId": 6}, ACCEPTED) == ACCEPTED
    await cs.status("Available", 1)
    assert await reservations(cs) == {6: "Cancelled"}


async def test_a_reserved_evse_is_used_by_another_of_the_group(cs: Station) -> None:
    """TC_H_19"""
    group = f"{cs.identity}-FAMILY"
    other = await cs.accept(f"{cs.identity}-B", parent_id_tag=group)
    await cs.accept(str(cs.token["idToken"]), parent_id_tag=group)
    await reserve(cs, 7, ACCEPTED, evseId=1, groupIdToken={"idToken": group, "type": "Central"})
    info = (await cs.say("Authorize", {"idToken": other}))["idTokenInfo"]
    assert (info["status"], info["groupIdToken"]["idToken"]) == ("Accepted", group)
    await use(cs, 7, other)
    assert await reservations(cs) == {7: "Used"}


async def test_a_fault_ends_a_reservation(cs: Station) -> None:
    """TC_H_20"""
    await reserve(cs, 8, ACCEPTED, evseId=1)
    await cs.status("Faulted", 1)
    told: JsonValue = {"reservationId": 8, "reservationUpdateStatus": "Removed"}
    assert await cs.say("ReservationStatusUpdate", told) == {}
    assert await reservations(cs) == {8: "Cancelled"}
    assert await cs.states() == {(1, 1): "Faulted"}


async def test_a_station_that_takes_no_reservations(cs: Station) -> None:
    """TC_H_22"""
    await reserve(cs, 9, REJECTED, evseId=1)
    assert await reservations(cs) == {}
