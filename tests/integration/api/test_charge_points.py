"""GET /charge-points, from outside."""

from __future__ import annotations

import pytest

from tests.integration.api.support import START, Site, minute, text

NOT_MEASURED = dict.fromkeys(("power_w", "current_a", "voltage_v", "soc_percent", "measured_at"))


async def test_a_charge_point_that_told_everything(api: Site) -> None:
    key = api.books.charge_point("CP-1", vendor="Acme")
    api.books.status("CP-1", 1, "Charging", "NoError", minute(2))
    api.books.status("CP-1", 2, "Faulted", "GroundFailure", minute(3))
    transaction_id = api.books.start("CP-1", 1)
    api.books.q.stamp_status(key=key, last_status_at=minute(4), last_error_at=minute(5))
    api.books.q.stamp_transaction_start(key=key, last_tx_start_at=minute(6))
    api.books.q.book_energy(key=key, wh=0, last_tx_stop_at=minute(7))
    epoch = api.books.q.connect_charge_point(identity="CP-1", ocpp_version="1.6", connected_at=START).connection_epoch
    api.books.q.disconnect_charge_point(key=key, connection_epoch=epoch, disconnected_at=minute(8))
    api.connections.identities.add("CP-1")

    response = await api.get("/api/v1/charge-points/CP-1")

    expected = {
        "id": "CP-1",
        "connected": True,
        "ocpp_version": "1.6",
        "display_name": None,
        "rated_power_w": None,
        "vendor": "Acme",
        "model": "Model 3",
        "serial_number": "SN-1",
        "security_profile": None,
        "highest_profile": 0,
        "used_profile": 0,
        "certificate_serial": None,
        "firmware_version": "1.2.3",
        "connectors": [
            {
                "connector_id": 1,
                "evse_id": None,
                "reported_status": None,
                "ocpp_transaction_id": None,
                "state": "charging",
                "status": "Charging",
                "error_code": "NoError",
                "status_at": "2026-05-04T09:32:00.000Z",
                "status_began_at": "2026-05-04T09:32:00.000Z",
                "transaction_id": transaction_id,
                **NOT_MEASURED,
            },
            {
                "connector_id": 2,
                "evse_id": None,
                "reported_status": None,
                "ocpp_transaction_id": None,
                "state": "faulted",
                "status": "Faulted",
                "error_code": "GroundFailure",
                "status_at": "2026-05-04T09:33:00.000Z",
                "status_began_at": "2026-05-04T09:33:00.000Z",
                "transaction_id": None,
                **NOT_MEASURED,
            },
        ],
        "auto_start": None,
        "last_connect_at": "2026-05-04T09:30:00.000Z",
        "last_disconnect_at": "2026-05-04T09:38:00.000Z",
        "last_boot_at": "2026-05-04T09:31:00.000Z",
        "last_heartbeat_at": None,
        "last_status_at": "2026-05-04T09:34:00.000Z",
        "last_meter_values_at": None,
        "last_tx_start_at": "2026-05-04T09:36:00.000Z",
        "last_tx_stop_at": "2026-05-04T09:37:00.000Z",
        "last_error_at": "2026-05-04T09:35:00.000Z",
        "ocpp_versions": None,
    }
    assert response.status_code == 200
    detail: dict[str, object] = {"ordered_availability": [], "reports": [], "local_list_version": None}
    assert response.json() == expected | detail
    assert await api.items("/api/v1/charge-points") == [expected]


async def test_a_charge_point_that_only_connected(api: Site) -> None:
    api.books.charge_point("CP-1")

    item = (await api.get("/api/v1/charge-points/CP-1")).json()

    told = {name for name, value in item.items() if value is not None}
    lists = {"connectors", "ordered_availability", "reports"}
    assert told == {"id", "connected", "highest_profile", "ocpp_version", "last_connect_at"} | lists
    assert (item["connected"], item["connectors"]) == (False, [])


async def test_stamps_that_are_not_written_yet_are_shown(api: Site) -> None:
    key = api.books.charge_point("CP-1")
    api.stamps.heartbeat_at[key] = minute(1)
    api.stamps.meter_values_at[key] = minute(2)

    (item,) = await api.items("/api/v1/charge-points")

    assert (item["last_heartbeat_at"], item["last_meter_values_at"]) == (text(minute(1)), text(minute(2)))


async def test_the_identity_in_the_path_is_percent_decoded(api: Site) -> None:
    for identity in ("Garage 1", "Straße+%", "a?b#c", "..."):
        api.books.charge_point(identity)

    for path in ("Garage%201", "Stra%C3%9Fe+%25", "a%3Fb%23c", "..."):
        assert (await api.http.get(f"/api/v1/charge-points/{path}")).status_code == 200, path


async def test_filters(api: Site) -> None:
    for identity, vendor in [("A", "Acme"), ("B", "Other"), ("C", "Acme"), ("D", None), ("E", "Acme")]:
        api.books.charge_point(identity, vendor)
    api.connections.identities |= {"B", "C", "E", "unknown to the books"}

    assert await api.charge_point_ids() == ["A", "B", "C", "D", "E"]
    assert await api.charge_point_ids(connected="true") == ["B", "C", "E"]
    assert await api.charge_point_ids(connected="false") == ["A", "D"]
    assert await api.charge_point_ids(vendor="Acme") == ["A", "C", "E"]
    assert await api.charge_point_ids(vendor="Acme", connected="true") == ["C", "E"]
    assert await api.charge_point_ids(vendor="Acme", connected="false") == ["A"]
    assert await api.charge_point_ids(vendor="Nobody") == []


async def test_pages_stay_right_while_charge_points_come(api: Site) -> None:
    for number in range(10, 20):
        api.books.charge_point(f"CP-{number}", "Acme")
        if number % 2:
            api.connections.identities.add(f"CP-{number}")

    newcomers = (f"CP-0{number}" for number in range(99, 9, -1))  # each sorts before all others
    for filters in ({}, {"vendor": "Acme"}, {"connected": "true"}, {"connected": "false"}):
        whole = await api.charge_point_ids(**filters)
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/api/v1/charge-points", limit=2, **filters, **cursor)).json()
            assert len(page["items"]) <= 2
            found += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
            api.books.charge_point(next(newcomers), "Acme")

        assert found == whole


async def test_the_last_page_has_no_cursor_even_if_it_is_full(api: Site) -> None:
    for identity in ("A", "B", "C", "D"):
        api.books.charge_point(identity)

    first = (await api.get("/api/v1/charge-points", limit=2)).json()
    second = (await api.get("/api/v1/charge-points", limit=2, cursor=first["next_cursor"])).json()

    assert [item["id"] for item in second["items"]] == ["C", "D"]
    assert second["next_cursor"] is None


async def test_connectors_are_each_charge_point_s_own(api: Site) -> None:
    api.books.status("A", 0, "Available", "NoError", START)
    api.books.status("B", 2, "Available", "NoError", START)
    api.books.status("B", 1, "Available", "NoError", START)
    api.books.charge_point("C")

    items = await api.items("/api/v1/charge-points")

    assert [[c["connector_id"] for c in item["connectors"]] for item in items] == [[0], [1, 2], []]  # type: ignore[attr-defined]  # JSON


async def test_an_unknown_charge_point(api: Site) -> None:
    response = await api.get("/api/v1/charge-points/CP-9")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "CP-9" in response.json()["detail"]


@pytest.mark.parametrize("path", ["CP%2F1", "CP%2f1", "CP%2Fcommands/Reset", "CP-1%2Fconfiguration"])
async def test_a_slash_in_an_identity_is_refused(api: Site, path: str) -> None:
    api.books.charge_point("CP")
    api.books.charge_point("CP-1")

    response = await api.http.get(f"/api/v1/charge-points/{path}")

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_a_page_of_large_charge_points_ends_early(api: Site) -> None:
    """A charger may have 256 connectors, and tell texts of 256 bytes of each."""
    for point in range(24):
        api.books.charge_point(f"CP-{point:02}", "Acme")
        for connector in range(1, 257):
            api.books.status(f"CP-{point:02}", connector, "S" * 256, "E" * 256, START)
            if point >= 20:
                break

    pages = 0
    found: list[str] = []
    cursor: dict[str, str] = {}
    while not pages or cursor:
        pages += 1
        answer = await api.get("/api/v1/charge-points", limit=1000, **cursor)
        assert len(answer.content) <= 4 * 1024 * 1024
        found += [item["id"] for item in answer.json()["items"]]
        following = answer.json()["next_cursor"]
        cursor = {"cursor": following} if following else {}

    assert pages > 1
    assert found == [f"CP-{point:02}" for point in range(24)]
