"""How a charger's connectors stood over time, from outside: after a fault, and after the server was killed."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import Server, running_server


async def report(charger: Charger, status: ChargePointStatus) -> None:
    now = datetime.now(UTC).isoformat()
    error = ChargePointErrorCode.ground_failure if status == "Faulted" else ChargePointErrorCode.no_error
    await charger.ask(call.StatusNotification(connector_id=1, status=status, error_code=error, timestamp=now))


async def states(server: Server) -> dict[str, Any]:
    answer: dict[str, Any] = await server.get("/api/v1/charge-points/CP-1/states")
    return answer


async def test_a_charger_faults_and_the_server_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, connected_charger(server.ocpp_url, "CP-1") as charger:
        await report(charger, ChargePointStatus.available)
        await report(charger, ChargePointStatus.faulted)
        await report(charger, ChargePointStatus.reserved)
        before = await states(server)
        await server.kill()
    async with running_server(database) as server:
        gone = await states(server)
        async with connected_charger(server.ocpp_url, "CP-1"):
            back = await states(server)
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            path = "/api/v1/charge-points/CP-1/states"
            as_csv = (await client.get(path, params={"format": "csv", "until": back["until"]})).text
            page = (await client.get("/chargers/CP-1")).text
            wrong = (
                await client.get(path, params={"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"})
            ).json()
            unknown = await client.get("/api/v1/charge-points/CP-2/states")

    def told(answer: dict[str, Any]) -> list[str | None]:
        (connector,) = answer["connectors"]
        assert (connector["connector_id"], connector["evse_id"], connector["slot_seconds"]) == (1, None, None)
        stretches = connector["stretches"]
        assert [it["until"] for it in stretches[:-1]] == [it["since"] for it in stretches[1:]]
        assert (stretches[0]["since"], stretches[-1]["until"]) == (answer["since"], answer["until"])
        return [it["state"] for it in stretches]

    assert told(before)[-3:] == ["free", "faulted", "reserved"]
    known = [state for state in told(gone) if state != "reserved"]
    assert known == [*told(before)[:-1], None, "offline"], "that the last one lasted isn't known"
    assert told(back) == [*told(gone), "reserved"]
    rows = list(csv.DictReader(StringIO(as_csv)))
    assert [row["state"] or None for row in rows] == told(back)
    assert 'class="state faulted"' in page
    assert (wrong["status"], unknown.status_code) == (422, 404)
    assert wrong["errors"] == [{"location": "query.since", "message": "should lie before `until`, by 400 days at most"}]
