"""A charger whose clock stands at year 1 or 9999: its sessions are stored, listed, exported, reported and told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
from ocpp.v16 import call

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import running_server
from tests.integration.cli.command import Mcpp

FIRST, LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"


async def test_sessions_at_the_ends_of_time(tmp_path: Path) -> None:
    mcpp, log = Mcpp(tmp_path), tmp_path / "server.log"
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
        httpx.AsyncClient(base_url=server.http_url, trust_env=False) as http,
    ):
        numbers = []
        for connector, (begin, end) in enumerate([(FIRST, FIRST), (FIRST, LAST), (LAST, LAST)], start=1):
            start = call.StartTransaction(connector_id=connector, id_tag="T", meter_start=0, timestamp=begin)
            number: int = (await charger.ask(start)).transaction_id
            sample = {"timestamp": begin, "sampledValue": [{"value": "5"}]}
            await charger.ask(call.MeterValues(connector_id=connector, transaction_id=number, meter_value=[sample]))
            await charger.ask(call.StopTransaction(transaction_id=number, meter_stop=10, timestamp=end))
            numbers.append(number)
        listed = (await http.get("/api/v1/transactions", params={"limit": 2})).json()
        rest = (await http.get("/api/v1/transactions", params={"limit": 2, "cursor": listed["next_cursor"]})).json()
        by_end = (await http.get("/api/v1/transactions", params={"ended_since": FIRST, "limit": 5})).json()
        assert (await http.get("/metrics")).status_code == 200
        await server.terminate()
    log.write_text("".join(f"{json.dumps(line)}\n" for line in server.lines))

    assert sorted(item["transaction_id"] for item in listed["items"] + rest["items"]) == numbers
    assert sorted(item["transaction_id"] for item in by_end["items"]) == numbers
    assert not [line for line in server.lines if line["level"] == "error"]
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        for command in (
            ("report", "--period", "day"),
            ("export", "transactions", "--ended-until", "9999-12-31"),
            *(("trace", str(number), "--log", str(log)) for number in numbers),
        ):
            ended = await asyncio.to_thread(mcpp, *command, "--timezone", zone)
            assert (ended.code, bool(ended.out)) == (0, True), ended.err
