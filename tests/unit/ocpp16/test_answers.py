"""What an answered command teaches the books, and what a payload leaves to the central system."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import JsonValue

from mcpp.csms.decoding import decode_payload
from mcpp.domain import charging_profiles
from mcpp.domain.events import ReservationChanged
from mcpp.ocpp16.version import OCPP16
from mcpp.ocppj.actions import Sender
from mcpp.ocppj.errors import InvalidPayload
from mcpp_generated.db.enums import Availability, ReservationState
from mcpp_generated.db.models import ReservationRecord
from mcpp_generated.ocpp16.actions import ACTIONS
from tests.unit.ocpp16.central import NOW, SOON, Central, RememberedOffer

RESERVE: dict[str, JsonValue] = {
    "connectorId": 1,
    "expiryDate": SOON,
    "idTag": "TAG",
    "parentIdTag": "GROUP",
    "reservationId": 7,
}
ACCEPTED: dict[str, object] = {"status": "Accepted"}
PROFILE = """{"stackLevel": 0, "chargingProfileId": 1, "chargingProfilePurpose": "TxProfile",
 "chargingProfileKind": "Relative", "chargingSchedule":
 {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}]}}"""


async def reservations(central: Central) -> list[ReservationRecord]:
    return await central.writer.submit(lambda q: q.list_reservations(before_id=2**63 - 1, page_size=9))


async def configuration(central: Central) -> dict[str, tuple[str | None, bool]]:
    keys = await central.writer.submit(
        lambda q: q.list_configuration_page(charge_point_key=central.key, after="", page_size=99)
    )
    return {key.key: (key.value, key.readonly) for key in keys}


async def list_version(central: Central) -> int | None:
    known = await central.writer.submit(lambda q: q.get_local_list(charge_point_key=central.key))
    return known.version if known else None


async def availability(central: Central) -> dict[int, Availability | None]:
    rows = await central.writer.submit(lambda q: q.list_connectors(charge_point_keys=[central.key]))
    return {row.connector_id: row.ordered_availability for row in rows}


async def test_a_reservation_lives_by_the_answers(central: Central) -> None:
    await central.answered("ReserveNow", RESERVE, ACCEPTED)
    (booked,) = await reservations(central)
    await central.answered("CancelReservation", {"reservationId": 7}, {"status": "Rejected"})
    (still,) = await reservations(central)
    await central.answered("CancelReservation", {"reservationId": 7}, ACCEPTED)
    (cancelled,) = await reservations(central)

    assert (booked.reservation_id, booked.connector_id, booked.id_tag, booked.parent_id_tag) == (7, 1, "TAG", "GROUP")
    assert booked.status is still.status is ReservationState.ACCEPTED
    assert cancelled.status is ReservationState.CANCELLED
    told = [event.status for event in central.events if isinstance(event, ReservationChanged)]
    assert told == [ReservationState.ACCEPTED, ReservationState.CANCELLED]


@pytest.mark.parametrize("status", ["Faulted", "Occupied", "Rejected", "Unavailable"])
async def test_a_refused_reservation_is_none(central: Central, status: str) -> None:
    learned = await central.answered("ReserveNow", RESERVE, {"status": status})

    assert not learned
    assert await reservations(central) == []


async def test_a_start_right_behind_the_answer_uses_the_reservation(central: Central) -> None:
    """Both frames may come at once: the answer takes its place in the books before the start does."""
    booking = central.answered("ReserveNow", RESERVE, ACCEPTED)
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": SOON, "reservationId": 7}
    booking.send(None)  # as far as it goes without waiting
    started = await central.say("StartTransaction", start)

    (used,) = await reservations(central)
    assert (used.status, used.transaction_id) == (ReservationState.USED, started["transactionId"])
    booking.close()


async def test_configuration_as_it_was_told(central: Central) -> None:
    told = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
        {"key": "AuthorizationKey", "readonly": False, "value": "geheim"},
    ]
    await central.answered("GetConfiguration", {}, {"configurationKey": told})
    await central.answered("GetConfiguration", {"key": ["numberofconnectors"]}, {"unknownKey": ["numberofconnectors"]})

    assert await configuration(central) == {"AuthorizationKey": (None, False), "HeartbeatInterval": ("300", False)}


@pytest.mark.parametrize(
    ("status", "known"),
    [("Accepted", True), ("RebootRequired", True), ("Rejected", False), ("NotSupported", False)],
)
async def test_a_changed_key_is_known_where_it_was_accepted(central: Central, status: str, known: bool) -> None:
    learned = await central.answered("ChangeConfiguration", {"key": "ClockInterval", "value": "60"}, {"status": status})

    assert learned == known
    assert await configuration(central) == ({"ClockInterval": ("60", False)} if known else {})
    assert central.offers == []


@pytest.mark.parametrize(
    ("status", "taken"),
    [("Accepted", True), ("RebootRequired", True), ("Rejected", False), ("NotSupported", False)],
)
async def test_an_authorization_key_is_an_offer_that_the_answer_decides(
    central: Central, status: str, taken: bool
) -> None:
    change = {"key": "AUTHORIZATIONKEY", "value": "0123456789abcdef"}
    await central.answered("ChangeConfiguration", change, {"status": status})

    assert central.offers == [RememberedOffer(central.key, "0123456789abcdef", verdict=taken)]
    assert await configuration(central) == ({"AUTHORIZATIONKEY": (None, False)} if taken else {})


async def test_the_version_of_the_local_list(central: Central) -> None:
    await central.answered("SendLocalList", {"listVersion": 5, "updateType": "Full"}, {"status": "Failed"})
    refused = await list_version(central)
    await central.answered("SendLocalList", {"listVersion": 5, "updateType": "Full"}, ACCEPTED)
    sent = await list_version(central)
    await central.answered("GetLocalListVersion", {}, {"listVersion": 3})

    assert (refused, sent, await list_version(central)) == (None, 5, 3)


@pytest.mark.parametrize("status", ["Accepted", "Scheduled", "Rejected"])
async def test_availability_as_last_ordered(central: Central, status: str) -> None:
    await central.answered("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}, {"status": status})

    assert await availability(central) == ({} if status == "Rejected" else {2: Availability.INOPERATIVE})


async def test_availability_of_the_whole_charge_point(central: Central) -> None:
    for number in (1, 2):
        status = {"connectorId": number, "errorCode": "NoError", "status": "Available"}
        await central.say("StatusNotification", status)
    await central.answered("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, {"status": "Scheduled"})
    await central.answered("ChangeAvailability", {"connectorId": 1, "type": "Operative"}, ACCEPTED)

    assert await availability(central) == {
        0: Availability.INOPERATIVE,
        1: Availability.OPERATIVE,
        2: Availability.INOPERATIVE,
    }


async def test_an_allotted_reservation_id_is_the_only_thing_added(central: Central) -> None:
    payload: dict[str, Any] = {"idTag": "TAG", "expiryDate": SOON, "connectorId": 1}
    first = await central.dialect.prepare(ACTIONS["ReserveNow"], payload)
    second = await central.dialect.prepare(ACTIONS["ReserveNow"], payload)

    assert list(first) == ["idTag", "expiryDate", "connectorId", "reservationId"]
    assert 0 < first["reservationId"] < second["reservationId"]  # type: ignore[operator]  # JSON numbers
    assert payload == {"idTag": "TAG", "expiryDate": SOON, "connectorId": 1}


async def test_a_callers_reservation_id_is_kept_and_not_allotted_to_others(central: Central) -> None:
    given = await central.dialect.prepare(ACTIONS["ReserveNow"], RESERVE)
    await central.answered("ReserveNow", RESERVE | {"reservationId": 1}, ACCEPTED)
    allotted = await central.dialect.prepare(ACTIONS["ReserveNow"], {})

    assert given is RESERVE
    assert allotted == {"reservationId": 2}


@pytest.mark.parametrize(
    ("action", "field"),
    [("RemoteStartTransaction", "chargingProfile"), ("SetChargingProfile", "csChargingProfiles")],
)
async def test_a_stored_profile_goes_in_for_its_name(central: Central, action: str, field: str) -> None:
    await central.writer.submit(charging_profiles.put, "night", PROFILE, "1.6")
    payload: dict[str, Any] = {"connectorId": 1, field: {"$ref": "night"}, "idTag": "TAG"}
    prepared = await central.dialect.prepare(ACTIONS[action], payload)

    assert list(prepared) == ["connectorId", field, "idTag"]
    assert json.dumps(prepared[field]) == json.dumps(json.loads(PROFILE))


@pytest.mark.parametrize("name", ["day", "Night", "", "\ud800"])
async def test_an_unknown_profile_is_named(central: Central, name: str) -> None:
    await central.writer.submit(charging_profiles.put, "night", PROFILE, "1.6")
    with pytest.raises(InvalidPayload) as caught:
        await central.dialect.prepare(ACTIONS["SetChargingProfile"], {"csChargingProfiles": {"$ref": name}})

    (mistake,) = caught.value.mistakes
    assert mistake.location == "csChargingProfiles.$ref"
    assert repr(name) in mistake.message or name == "\ud800"


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": {"chargingProfileId": 1}}),
        ("SetChargingProfile", {"csChargingProfiles": {"$ref": "night", "stackLevel": 1}}),
        ("SetChargingProfile", {"csChargingProfiles": {"$ref": 1}}),
        ("SetChargingProfile", {"chargingProfile": {"$ref": "night"}}),
        ("RemoteStartTransaction", {"idTag": "TAG"}),
        ("ReserveNow", {"reservationId": None}),
        ("DataTransfer", {"vendorId": "v", "chargingProfile": {"$ref": "night"}}),
    ],
)
async def test_nothing_else_is_rewritten(central: Central, action: str, payload: dict[str, Any]) -> None:
    before = json.dumps(payload)
    prepared = await central.dialect.prepare(ACTIONS[action], payload)

    assert prepared is payload
    assert json.dumps(prepared) == before


def test_a_profile_is_checked_when_it_is_stored() -> None:
    decode_payload(OCPP16.charging_profile, PROFILE.encode())
    with pytest.raises(InvalidPayload) as caught:
        decode_payload(OCPP16.charging_profile, PROFILE.replace('"Relative"', '"Sometimes"').encode())

    (mistake,) = caught.value.mistakes
    assert mistake.location == "chargingProfileKind"


ANSWERS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "ClearCache": ({}, ACCEPTED),
    "ClearChargingProfile": ({}, ACCEPTED),
    "DataTransfer": ({"vendorId": "v"}, ACCEPTED),
    "ExtendedTriggerMessage": ({"requestedMessage": "Heartbeat"}, ACCEPTED),
    "GetCompositeSchedule": ({"connectorId": 1, "duration": 60}, ACCEPTED),
    "GetDiagnostics": ({"location": "ftp://example.com"}, {"fileName": "x"}),
    "RemoteStartTransaction": ({"idTag": "TAG"}, ACCEPTED),
    "RemoteStopTransaction": ({"transactionId": 1}, ACCEPTED),
    "Reset": ({"type": "Soft"}, ACCEPTED),
    "SetChargingProfile": ({"connectorId": 1, "csChargingProfiles": json.loads(PROFILE)}, ACCEPTED),
    "TriggerMessage": ({"requestedMessage": "Heartbeat"}, ACCEPTED),
    "UnlockConnector": ({"connectorId": 1}, {"status": "Unlocked"}),
}


@pytest.mark.parametrize("action", ANSWERS)
async def test_other_answers_leave_the_books_alone(central: Central, action: str) -> None:
    assert ACTIONS[action].sender is not Sender.CHARGE_POINT
    assert not await central.answered(action, *ANSWERS[action])
    assert central.events == []


async def test_a_certificate_that_is_not_ours_changes_nothing(central: Central) -> None:
    await central.answered("CertificateSigned", {"certificateChain": "x"}, ACCEPTED)
    assert central.events == []


async def test_the_events_carry_the_commands_flow(central: Central) -> None:
    await central.answered("ReserveNow", RESERVE, ACCEPTED)

    (event,) = central.events
    assert (event.charge_point_id, event.at) == ("CP-1", NOW)
    assert len(event.correlation_id) == 32
