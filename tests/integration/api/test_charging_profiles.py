"""Charging profiles that an operator keeps in the books through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.api.support import Site

PROFILE = {
    "stackLevel": 0,
    "chargingProfileId": 7,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingSchedulePeriod": [{"limit": 6.5, "startPeriod": 0}], "chargingRateUnit": "A"},
}


async def test_kept_as_given_until_forgotten(api: Site) -> None:
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
    changed = PROFILE | {"stackLevel": 3}
    assert listed == [{"name": "Night tariff", "profile": changed, "ocpp_version": "1.6"}]
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
async def test_what_is_refused(api: Site, profile: Any, location: str) -> None:
    response = await api.http.put("/api/v1/charging-profiles/night", json=profile)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_payload")
    assert location in {error["location"] for error in response.json()["errors"]}


async def test_pages(api: Site) -> None:
    for name in ("b", "a", "c"):
        await api.http.put(f"/api/v1/charging-profiles/{name}", json=PROFILE)
    first = (await api.get("/api/v1/charging-profiles", limit=2)).json()
    second = (await api.get("/api/v1/charging-profiles", cursor=first["next_cursor"])).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
