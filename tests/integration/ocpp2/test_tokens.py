"""Who may charge: every kind of token, its group, its expiry, contracts, and what plugins and learning say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tests.integration.field_notes.charger import minute, spelled
from tests.integration.field_notes.site import Central, central_system, until
from tests.integration.ocpp2.station import CARD, EVSE, Station, reading, station, wh

TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
LATER = spelled(datetime.now(UTC).replace(microsecond=0) + timedelta(days=30))


async def info(cp: Station, id_token: str, token_type: str = "ISO14443", **others: JsonValue) -> dict[str, Any]:
    answer = await cp.say("Authorize", {"idToken": {"idToken": id_token, "type": token_type, **others}})
    told: dict[str, Any] = answer["idTokenInfo"]
    return told


async def test_every_type_of_token(central: Central, cp: Station) -> None:
    for token_type in TYPES:
        token = "" if token_type == "NoAuthorization" else "ABC"
        extra: JsonValue = [{"additionalIdToken": "x", "type": "y"}]
        assert await info(cp, token, token_type, additionalInfo=extra) == {"status": "Accepted"}

    async def listed() -> list[str]:
        return [card["id_tag"] for card in await central.items("id-tags/unknown")]

    assert await until(listed) == ["ABC"]


async def test_what_is_stored_of_a_token_is_told(central: Central, cp: Station) -> None:
    await central.put("id-tags/ok", {"expiry_date": LATER, "parent_id_tag": "FLEET"})
    await central.put("id-tags/late", {"expiry_date": "2020-01-01T00:00:00Z"})
    await central.put("id-tags/lost", {"status": "Blocked"})

    assert await info(cp, "OK") == {
        "status": "Accepted",
        "cacheExpiryDateTime": LATER,
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    }
    assert (await info(cp, "late"))["status"] == "Expired"
    assert (await info(cp, "lost"))["status"] == "Blocked"


async def test_who_isn_t_known_where_only_known_ones_charge(tmp_path: Path, version: str) -> None:
    async with (
        central_system(tmp_path, authorization="known", concurrent_tx="deny") as central,
        station(central.ocpp_url, version) as cp,
    ):
        await central.put("id-tags/TAG", {})
        assert (await info(cp, "other"))["status"] == "Unknown"
        assert (await info(cp, "", "NoAuthorization"))["status"] == "Unknown"
        first = await cp.event("Started", tx="a", evse={"id": 1}, token=CARD)
        second = await cp.event("Started", tx="b", evse={"id": 2}, token=CARD)
        assert first["idTokenInfo"]["status"] == "Accepted"
        assert second["idTokenInfo"]["status"] == "ConcurrentTx"
        # It charges all the same: the books have it.
        assert len(await central.items("transactions")) == 2


@pytest.mark.parametrize("stored", ["DE-8AA-1B2C3D4-5", "de8aa1b2c3d45"])
async def test_a_contract_is_the_same_with_dashes_and_without(central: Central, cp201: Station, stored: str) -> None:
    await central.put(f"id-tags/{stored}", {"parent_id_tag": "EVCO"})
    for written in ("DE-8AA-1B2C3D4-5", "DE8AA1B2C3D45"):
        assert (await info(cp201, written, "eMAID"))["groupIdToken"]["idToken"] == "EVCO"
        assert "groupIdToken" not in await info(cp201, written.replace("D4", "-D4"), "ISO14443")
    contract: JsonValue = {"idToken": "DE8AA1B2C3D45", "type": "eMAID"}
    answer = await cp201.event("Started", evse=EVSE, token=contract)
    assert answer["idTokenInfo"]["groupIdToken"]["idToken"] == "EVCO"
    (transaction,) = await central.items("transactions")
    assert transaction["id_tag"].casefold() == stored.casefold()


async def test_a_card_that_is_learnt_gets_no_start(central: Central, cp201: Station) -> None:
    response = await central.http.post("/api/v1/charge-points/CP-1/learn-card")
    assert response.is_success, response.text
    answer = await cp201.event("Started", evse={"id": 2}, token=CARD)
    assert answer["idTokenInfo"]["status"] == "Unknown"
    assert (await info(cp201, "TAG"))["status"] == "Unknown"


async def test_what_a_session_costs_is_told_to_its_holder(tmp_path: Path, version: str) -> None:
    async with (
        central_system(tmp_path, price_per_kwh="0.30", currency="EUR") as central,
        station(central.ocpp_url, version) as cp,
    ):
        await central.put("people/ann", {"name": "Ann", "cards": ["TAG"]})
        began = await cp.event("Started", evse=EVSE, token=CARD, values=reading(minute(0), wh(0, "Transaction.Begin")))
        running = await cp.event("Updated", minute(10), values=reading(minute(10), wh(5000)))
        ended = await cp.event("Ended", minute(20), values=reading(minute(20), wh(10_000, "Transaction.End")))

        assert began.get("totalCost") in {0, None}
        assert (running["totalCost"], ended["totalCost"]) == (1.5, 3)
        nobody: JsonValue = {"idToken": "other", "type": "ISO14443"}
        assert "totalCost" not in await cp.event("Started", tx="b", evse={"id": 2}, token=nobody)
