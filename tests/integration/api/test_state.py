"""What an operator keeps in the books through the API: charge points, id tags, charging profiles, and what is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mcpp.passwords import password_matches
from mcpp_generated.db.enums import Availability, ReportKind, ReservationState, UnmatchedKind
from mcpp_generated.db.models import PutConfigurationKeysParams
from tests.integration.api.support import START, Site, minute, text

PROFILE = {
    "stackLevel": 0,
    "chargingProfileId": 7,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingSchedulePeriod": [{"limit": 6.5, "startPeriod": 0}], "chargingRateUnit": "A"},
}


class TestChargePoints:
    async def test_registered_ahead_of_time_and_changed(self, api: Site) -> None:
        url = "/api/v1/charge-points/Garage%201"
        created = await api.http.put(url, json={"display_name": "Left", "auto_start": True, "password": "s3cret"})
        unchanged = await api.http.put(url, json={})
        changed = await api.http.put(url, json={"display_name": None, "auto_start": False})
        read = (await api.get(url)).json()

        assert (created.status_code, unchanged.status_code, changed.status_code) == (201, 200, 200)
        assert (created.json()["display_name"], created.json()["auto_start"]) == ("Left", True)
        assert unchanged.json() == created.json()
        assert (read["display_name"], read["auto_start"], read["connected"]) == (None, False, False)
        assert read == changed.json()
        assert "s3cret" not in created.text + changed.text
        assert "password" not in read

    async def test_a_password_is_stored_as_a_hash_until_it_is_taken_away(self, api: Site) -> None:
        url = "/api/v1/charge-points/CP-1"
        await api.http.put(url, json={"password": "s3cret"})
        await api.http.put(url, json={"display_name": "Left"})
        stored = api.books.q.get_credentials(identity="CP-1")
        await api.http.put(url, json={"password": None})
        without = api.books.q.get_credentials(identity="CP-1")

        assert stored is not None
        assert stored.password_hash is not None
        assert password_matches(stored.password_hash, "s3cret")
        assert without is not None
        assert without.password_hash is None

    @pytest.mark.parametrize(
        ("identity", "body", "code", "location"),
        [
            ("CP", {"name": "x"}, "invalid_payload", "body.name"),
            ("CP", {"auto_start": "yes"}, "invalid_payload", "body.auto_start"),
            ("CP", {"password": ""}, "invalid_payload", "body.password"),
            ("CP", {"display_name": "a\nb"}, "invalid_payload", "body.display_name"),
            ("a%00b", {}, "invalid_parameter", "path.id"),
            ("x" * 256, {}, "invalid_parameter", "path.id"),
        ],
    )
    async def test_what_is_refused(
        self, api: Site, identity: str, body: dict[str, object], code: str, location: str
    ) -> None:
        response = await api.http.put(f"/api/v1/charge-points/{identity}", json=body)

        assert (response.status_code, response.json()["code"]) == (422, code)
        assert [error["location"] for error in response.json()["errors"]] == [location]
        assert await api.charge_point_ids() == []

    @pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"x"', b"1"])
    async def test_a_body_that_is_none(self, api: Site, body: bytes) -> None:
        response = await api.http.put(
            "/api/v1/charge-points/CP", content=body, headers={"Content-Type": "application/json"}
        )

        assert (response.status_code, response.json()["code"]) == (422, "invalid_payload")

    async def test_a_body_of_another_type(self, api: Site) -> None:
        response = await api.http.put(
            "/api/v1/charge-points/CP",
            content=b'{"auto_start": true}',
            headers={"Content-Type": "application/x-www-form-urlencoded"},  # what curl -d says
        )

        assert response.status_code == 422
        assert "application/json" in response.json()["detail"]

    async def test_forgotten_unless_something_stands_against_it(self, api: Site) -> None:
        api.books.charge_point("CP-1")
        api.books.ended(identity="CP-2")
        api.connections.identities.add("CP-1")

        connected = await api.http.delete("/api/v1/charge-points/CP-1?purge=true")
        used = await api.http.delete("/api/v1/charge-points/CP-2")
        purged = await api.http.delete("/api/v1/charge-points/CP-2?purge=true")
        api.connections.identities.clear()
        unused = await api.http.delete("/api/v1/charge-points/CP-1")
        unknown = await api.http.delete("/api/v1/charge-points/CP-1")

        assert (connected.status_code, connected.json()["code"]) == (409, "conflict")
        assert (used.status_code, used.json()["code"]) == (409, "conflict")
        assert (purged.status_code, purged.content) == (204, b"")
        assert unused.status_code == 204
        assert unknown.status_code == 404
        assert await api.charge_point_ids() == []
        assert await api.transaction_ids() == []

    async def test_what_was_ordered_and_reported(self, api: Site) -> None:
        key = api.books.charge_point("CP-1")
        q = api.books.q
        q.order_availability(
            id=api.books.connector("CP-1", 2), ordered_availability=Availability.INOPERATIVE, ordered_at=START
        )
        api.books.connector("CP-1", 1)
        q.put_report(
            charge_point_id=key, kind=ReportKind.FIRMWARE, status="Installed", request_id=None, reported_at=minute(1)
        )
        q.put_report(charge_point_id=key, kind=ReportKind.LOG, status="Uploaded", request_id=4, reported_at=minute(2))
        q.put_local_list_version(charge_point_id=key, version=12, known_at=START)

        detail = (await api.get("/api/v1/charge-points/CP-1")).json()

        assert detail["ordered_availability"] == [{"connector_id": 2, "availability": "Inoperative"}]
        assert detail["reports"] == [
            {"kind": "firmware", "status": "Installed", "request_id": None, "reported_at": text(minute(1))},
            {"kind": "log", "status": "Uploaded", "request_id": 4, "reported_at": text(minute(2))},
        ]
        assert detail["local_list_version"] == 12

    async def test_configuration_by_pages(self, api: Site) -> None:
        key = api.books.charge_point("CP-1")
        known = [("alpha", "1", False), ("Beta", None, True), ("gamma", "x", True)]
        api.books.q.put_configuration_keys(
            [PutConfigurationKeysParams(key, name, value, readonly, START) for name, value, readonly in known]
        )
        url = "/api/v1/charge-points/CP-1/configuration"
        first = (await api.get(url, limit=2)).json()
        second = (await api.get(url, cursor=first["next_cursor"])).json()

        assert first["items"] + second["items"] == [
            {"key": name, "value": value, "readonly": readonly, "known_at": text(START)}
            for name, value, readonly in known
        ]
        assert second["next_cursor"] is None
        assert (await api.get("/api/v1/charge-points/CP-2/configuration")).status_code == 404


class TestIdTags:
    async def test_stored_changed_read_and_forgotten(self, api: Site) -> None:
        url = "/api/v1/id-tags/Tag-1"
        created = await api.http.put(url, json={})
        full = {
            "status": "Blocked",
            "expiry_date": "2020-05-04T11:30:00.5+02:00",
            "parent_id_tag": "Family",
            "note": "lost\nin May",
        }
        changed = await api.http.put("/api/v1/id-tags/TAG-1", json=full)
        read = await api.get("/api/v1/id-tags/tag-1")
        emptied = await api.http.put(url, json={})
        forgotten = await api.http.delete("/api/v1/id-tags/TAG-1")

        accepted = {"status": "Accepted", "expiry_date": None, "parent_id_tag": None, "note": None}
        assert (created.status_code, created.json()) == (201, {"id_tag": "Tag-1"} | accepted)
        assert changed.status_code == 200
        assert changed.json() == full | {"id_tag": "TAG-1", "expiry_date": "2020-05-04T09:30:00.500Z"}
        assert read.json() == changed.json()
        assert emptied.json() == {"id_tag": "Tag-1"} | accepted
        assert forgotten.status_code == 204
        assert (await api.get(url)).status_code == 404
        assert (await api.http.delete(url)).status_code == 404

    async def test_a_tag_may_hold_any_character_that_can_be_printed(self, api: Site) -> None:
        for tag, path in [("a/b", "a%2Fb"), ("ü ?#%", "%C3%BC%20%3F%23%25"), ("..", "%2E%2E"), ("x/", "x%2F")]:
            # The client would resolve the dots.
            url = f"http://127.0.0.1:{api.port}/api/v1/id-tags/{path}"
            assert (await api.http.put(url, json={})).status_code == 201, tag
            assert (await api.get(url)).json()["id_tag"] == tag

    @pytest.mark.parametrize(
        ("body", "location"),
        [
            ({"status": "ConcurrentTx"}, "body.status"),
            ({"status": None}, "body.status"),
            ({"expiry_date": "2030-01-01T00:00:00"}, "body.expiry_date"),
            ({"expiry_date": "2030-01-01"}, "body.expiry_date"),
            ({"expiry_date": 1_900_000_000}, "body.expiry_date"),
            ({"expiry_date": "0001-01-01T00:00:00+14:00"}, "body.expiry_date"),
            ({"parent_id_tag": "x" * 21}, "body.parent_id_tag"),
            ({"expiry": "2030-01-01T00:00:00Z"}, "body.expiry"),
        ],
    )
    async def test_what_is_refused(self, api: Site, body: dict[str, object], location: str) -> None:
        response = await api.http.put("/api/v1/id-tags/A", json=body)

        assert response.status_code == 422
        assert [error["location"] for error in response.json()["errors"]] == [location]

    async def test_pages_hold_each_tag_once_whatever_its_letter_case(self, api: Site) -> None:
        for tag in ("b", "C", "a", "B2", "é"):
            await api.http.put(f"/api/v1/id-tags/{tag}", json={})
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/api/v1/id-tags", limit=2, **cursor)).json()
            found += [item["id_tag"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}

        assert found == ["a", "b", "B2", "C", "é"]


class TestChargingProfiles:
    async def test_kept_as_given_until_forgotten(self, api: Site) -> None:
        url = "/api/v1/charging-profiles/Night%20tariff"
        given = json.dumps(PROFILE, indent=1)
        created = await api.http.put(url, content=given)
        read = await api.get(url)
        again = await api.http.put(url, json=PROFILE | {"stackLevel": 3})
        listed = await api.items("/api/v1/charging-profiles")
        forgotten = await api.http.delete(url)

        assert (created.status_code, again.status_code) == (201, 200)
        assert read.text == given
        assert read.headers["content-type"] == "application/json"
        assert listed == [{"name": "Night tariff", "profile": PROFILE | {"stackLevel": 3}}]
        assert forgotten.status_code == 204
        assert (await api.get(url)).status_code == 404
        assert (await api.http.delete(url)).status_code == 404

    @pytest.mark.parametrize(
        ("profile", "location"),
        [
            (PROFILE | {"stackLevel": "0"}, "stackLevel"),
            (PROFILE | {"colour": "red"}, "colour"),
            ({}, "chargingProfileId"),
            ([], ""),
        ],
    )
    async def test_what_is_refused(self, api: Site, profile: Any, location: str) -> None:
        response = await api.http.put("/api/v1/charging-profiles/night", json=profile)

        assert (response.status_code, response.json()["code"]) == (422, "invalid_payload")
        assert location in {error["location"] for error in response.json()["errors"]}

    async def test_pages(self, api: Site) -> None:
        for name in ("b", "a", "c"):
            await api.http.put(f"/api/v1/charging-profiles/{name}", json=PROFILE)
        first = (await api.get("/api/v1/charging-profiles", limit=2)).json()
        second = (await api.get("/api/v1/charging-profiles", cursor=first["next_cursor"])).json()

        assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]


class TestReservations:
    @pytest.fixture
    def booked(self, api: Site) -> None:
        now = datetime.now(UTC)
        for number, (identity, status, hours) in enumerate(
            [
                ("A", ReservationState.ACCEPTED, 1),
                ("B", ReservationState.ACCEPTED, 1),
                ("A", ReservationState.ACCEPTED, -1),
                ("A", ReservationState.CANCELLED, 1),
                ("A", ReservationState.EXPIRED, -2),
            ],
            start=1,
        ):
            key = api.books.q.put_reservation(
                charge_point_id=api.books.charge_point(identity),
                reservation_id=number,
                connector_id=api.books.connector(identity, 1),
                id_tag="TAG",
                parent_id_tag=None,
                expiry_date=now + timedelta(hours=hours),
                created_at=START,
            )
            if status is not ReservationState.ACCEPTED:
                api.books.q.set_reservation_status(id=key, status=status, transaction_id=None)

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, [5, 4, 3, 2, 1]),
            ({"limit": 2}, [5, 4]),
            ({"charge_point_id": "A"}, [5, 4, 3, 1]),
            ({"charge_point_id": "C"}, []),
            ({"status": "Accepted"}, [2, 1]),
            ({"status": "Cancelled"}, [4]),
            ({"status": "Used"}, []),
            ({"status": "Accepted", "charge_point_id": "A"}, [1]),
            ({"status": "Cancelled", "charge_point_id": "A"}, [4]),
        ],
    )
    @pytest.mark.usefixtures("booked")
    async def test_filters(self, api: Site, filters: dict[str, str | int], found: list[int]) -> None:
        items = await api.items("/api/v1/reservations", **filters)

        assert [item["reservation_id"] for item in items] == found

    @pytest.mark.usefixtures("booked")
    async def test_what_is_overdue_has_expired_whatever_the_books_say_yet(self, api: Site) -> None:
        items = await api.items("/api/v1/reservations")

        assert [item["status"] for item in items] == ["Expired", "Cancelled", "Expired", "Accepted", "Accepted"]
        assert items[1] == items[1] | {
            "reservation_id": 4,
            "charge_point_id": "A",
            "connector_id": 1,
            "id_tag": "TAG",
            "parent_id_tag": None,
            "transaction_id": None,
            "created_at": text(START),
        }

    @pytest.mark.usefixtures("booked")
    async def test_pages(self, api: Site) -> None:
        first = (await api.get("/api/v1/reservations", limit=3)).json()
        second = (await api.get("/api/v1/reservations", limit=3, cursor=first["next_cursor"])).json()

        assert [item["reservation_id"] for item in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
        assert (await api.get("/api/v1/reservations", status="Gone")).status_code == 422


class TestUnmatched:
    def keep(self, api: Site, number: int, identity: str = "CP-1") -> None:
        stop = {"transactionId": 99, "meterStop": 4000 + number, "timestamp": text(minute(30)), "reason": "Local"}
        api.books.q.add_unmatched(
            charge_point_id=api.books.charge_point(identity),
            kind=UnmatchedKind.STOP,
            claimed_transaction_id=99,
            payload=json.dumps(stop),
            received_at=minute(31),
        )

    async def test_listed_assigned_and_forgotten(self, api: Site) -> None:
        transaction_id = api.books.start("CP-1", 1)
        for number in range(3):
            self.keep(api, number)
        first = (await api.get("/api/v1/unmatched", limit=2)).json()
        (oldest,) = (await api.get("/api/v1/unmatched", cursor=first["next_cursor"])).json()["items"]
        assigned = await api.http.post(
            f"/api/v1/unmatched/{oldest['id']}/assign", json={"transaction_id": transaction_id}
        )
        ids = [item["id"] for item in first["items"]]
        deleted = [(await api.http.delete(f"/api/v1/unmatched/{number}")).status_code for number in ids]

        assert oldest == oldest | {
            "charge_point_id": "CP-1",
            "kind": "stop",
            "claimed_transaction_id": 99,
            "received_at": text(minute(31)),
        }
        assert oldest["payload"]["meterStop"] == 4000
        assert assigned.status_code == 200
        assert assigned.json() == (await api.get(f"/api/v1/transactions/{transaction_id}")).json()
        closed = {"meter_stop": 4000, "stop_reason": "Local", "stop_origin": "operator", "stopped_at": text(minute(30))}
        assert assigned.json() == assigned.json() | closed
        assert deleted == [204, 204]
        assert await api.items("/api/v1/unmatched") == []
        assert (await api.http.delete(f"/api/v1/unmatched/{ids[0]}")).status_code == 404

    async def test_what_cannot_be_assigned(self, api: Site) -> None:
        ended, other = api.books.ended(identity="CP-1"), api.books.start("CP-2", 1)
        self.keep(api, 1)
        ((kept),) = await api.items("/api/v1/unmatched")
        url = f"/api/v1/unmatched/{kept['id']}/assign"

        answers = [await api.http.post(url, json={"transaction_id": number}) for number in (ended, other, 999)]
        nothing = await api.http.post("/api/v1/unmatched/999/assign", json={"transaction_id": other})
        no_number = await api.http.post(url, json={"transaction_id": "1"})

        assert [(a.status_code, a.json()["code"]) for a in answers] == [
            (409, "conflict"),
            (409, "conflict"),
            (404, "not_found"),
        ]
        assert nothing.status_code == 404
        assert no_number.status_code == 422
        assert await api.items("/api/v1/unmatched") == [kept]


class TestTransactions:
    async def test_closed_by_a_person(self, api: Site) -> None:
        transaction_id = api.books.start("CP-1", 1, at=START, meter_start=700)

        closed = await api.http.post(f"/api/v1/transactions/{transaction_id}/close")
        again = await api.http.post(f"/api/v1/transactions/{transaction_id}/close")
        unknown = await api.http.post("/api/v1/transactions/999/close")

        assert closed.status_code == 200
        assert closed.json() == closed.json() | {"meter_stop": 700, "stop_origin": "operator", "energy_wh": 0}
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert unknown.status_code == 404

    async def test_stopped_only_where_it_runs_and_its_charger_is_there(self, api: Site) -> None:
        ended, running = api.books.ended(), api.books.start("CP-2", 1)

        answers = [await api.http.post(f"/api/v1/transactions/{n}/stop") for n in (ended, running, 999)]

        assert [(a.status_code, a.json()["code"]) for a in answers] == [
            (409, "conflict"),
            (409, "not_connected"),
            (404, "not_found"),
        ]


async def test_files_say_how_to_switch_them_on(api: Site) -> None:
    for path in ("/api/v1/firmware", "/api/v1/uploads", "/api/v1/uploads/1"):
        response = await api.get(path)
        assert (response.status_code, response.json()["code"]) == (409, "conflict")
        assert "files-port" in response.json()["detail"]


async def test_a_database_that_cannot_be_written(api: Site) -> None:
    await api.writer.close()

    response = await api.http.put("/api/v1/id-tags/A", json={})

    assert (response.status_code, response.json()["code"]) == (503, "not_stored")
