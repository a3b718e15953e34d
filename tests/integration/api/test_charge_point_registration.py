"""Charge points that an operator registers ahead of time, changes and forgets through the API."""

from __future__ import annotations

import pytest

from mcpp.server.passwords import password_matches
from tests.integration.api.support import Site


async def test_registered_ahead_of_time_and_changed(api: Site) -> None:
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


async def test_a_password_is_stored_as_a_hash_until_it_is_taken_away(api: Site) -> None:
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
async def test_what_is_refused(api: Site, identity: str, body: dict[str, object], code: str, location: str) -> None:
    response = await api.http.put(f"/api/v1/charge-points/{identity}", json=body)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert [error["location"] for error in response.json()["errors"]] == [location]
    assert await api.charge_point_ids() == []


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'"x"', b"1"])
async def test_a_body_that_is_none(api: Site, body: bytes) -> None:
    response = await api.http.put(
        "/api/v1/charge-points/CP", content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (422, "invalid_payload")


async def test_a_body_of_another_type(api: Site) -> None:
    response = await api.http.put(
        "/api/v1/charge-points/CP",
        content=b'{"auto_start": true}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},  # what curl -d says
    )

    assert response.status_code == 422
    assert "application/json" in response.json()["detail"]


async def test_forgotten_unless_something_stands_against_it(api: Site) -> None:
    api.books.charge_point("CP-1")
    api.books.ended(identity="CP-2")
    api.connections.identities.add("CP-1")

    connected = await api.http.delete("/api/v1/charge-points/CP-1")
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
