"""Cards at a real charger's reader: reserved, unknown, refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from ocpp.v16 import call

from tests.acceptance.operated import operated_charger
from tests.acceptance.server import Server, running_server


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("named", [None, -1, 4711])
async def test_a_reserved_card_uses_its_reservation_whatever_its_start_names(tmp_path: Path, named: int | None) -> None:
    """MicroOcpp#154, #163."""
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP-1", {"ReserveNow": {"status": "Accepted"}}) as charger,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        reserved = await api.post(
            "/charge-points/CP-1/commands/ReserveNow",
            json={"connectorId": 1, "expiryDate": "2090-01-01T00:00:00Z", "idTag": "MARY"},
        )
        assert reserved.json()["response"] == {"status": "Accepted"}
        started = await charger.ask(
            call.StartTransaction(
                connector_id=1, id_tag="MARY", meter_start=0, timestamp=now_text(), reservation_id=named
            )
        )
        (reservation,) = (await api.get("/reservations")).json()["items"]

    assert (reservation["status"], reservation["transaction_id"]) == ("Used", started.transaction_id)


async def until_listed(server: Server, times: int) -> list[dict[str, Any]]:
    """The unknown cards, once they were presented so often; they are written within a second or so."""
    async with asyncio.timeout(30):
        while True:
            cards: list[dict[str, Any]] = (await server.get("/api/v1/id-tags/unknown"))["items"]
            if sum(card["times"] for card in cards) >= times:
                return cards
            await asyncio.sleep(0.02)


async def test_unknown_and_refused_cards_are_listed_until_they_are_accepted(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", "--concurrent-tx", "deny") as server,
        operated_charger(server.ocpp_url, "CP-1", {}) as charger,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        await api.put("/id-tags/KNOWN", json={})
        await api.put("/id-tags/LOST", json={"status": "Blocked"})
        for tag in ("KNOWN", "LOST", "NEW", "lost"):
            await charger.ask(call.Authorize(id_tag=tag))
        for connector, tag in ((1, "KNOWN"), (2, "KNOWN"), (3, "NEW")):
            await charger.ask(
                call.StartTransaction(connector_id=connector, id_tag=tag, meter_start=0, timestamp=now_text())
            )
        listed = await until_listed(server, 5)
        assert (await api.put("/id-tags/new", json={"note": "Mary"})).status_code == 201
        left = await server.get("/api/v1/id-tags/unknown")

    assert [(card["id_tag"], card["status"], card["charge_point_id"]) for card in listed] == [
        ("NEW", "Accepted", "CP-1"),
        ("KNOWN", "ConcurrentTx", "CP-1"),
        ("lost", "Blocked", "CP-1"),
    ]
    assert [card["times"] for card in listed] == [2, 1, 2]
    assert [card["id_tag"] for card in left["items"]] == ["KNOWN", "lost"]
