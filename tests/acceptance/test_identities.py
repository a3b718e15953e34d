"""Charge points whose identity differs from a known one in letter case only: never a second one in silence."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import running_server


async def test_closed_registration_refuses_it_and_says_who_it_may_be(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--registration", "closed") as server:
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as api:
            assert (await api.put("/api/v1/charge-points/CP-1", json={})).status_code == 201
        for identity in ("cp-1", "CP-2"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], proxy=None)
            assert refused.value.response.status_code == 404
            assert (b"known as CP-1" in refused.value.response.body) is (identity == "cp-1")
        line = await server.wait_for_line(
            lambda line: line["event"] == "connection" and line.get("charge_point_id") == "cp-1"
        )
        listed = (await server.get("/api/v1/charge-points"))["items"]

    assert "known as CP-1" in line["detail"]
    assert [item["id"] for item in listed] == ["CP-1"]


async def test_open_registration_takes_it_and_warns_once(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        for identity in ("CP-1", "cp-1", "cp-1", "CP-1", "CP-2"):
            async with connected_charger(server.ocpp_url, identity):
                pass
        listed = (await server.get("/api/v1/charge-points"))["items"]
        await server.terminate()
    warned = [line for line in server.lines if line["event"] == "identity_in_other_case"]

    assert [item["id"] for item in listed] == ["CP-1", "CP-2", "cp-1"]
    assert [(line["charge_point_id"], line["known_as"], line["level"]) for line in warned] == [
        ("cp-1", "CP-1", "warning")
    ]
