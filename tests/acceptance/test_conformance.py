"""A charger that breaks the contract is served, and what it breaks can be read afterwards, by API and command."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.server import running_server

BOOT = {"chargePointVendor": "Acme", "chargePointModel": "Wallbox One", "firmwareVersion": "1.2.3"}
SAMPLE = {"value": 230.1, "measurand": "Voltage", "unit": "V"}
METER_VALUES = {"connectorId": 1, "meterValue": [{"timestamp": "2026-05-01T12:00:00Z", "sampledValue": [SAMPLE] * 2}]}
SECRET = "hunter2"


async def call(socket: ClientConnection, action: str, payload: object) -> list[Any]:
    await socket.send(json.dumps([2, action, action, payload]))
    answer: list[Any] = json.loads(await socket.recv())
    return answer


async def command(*arguments: str) -> Any:
    """What `mcpp` prints as JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mcpp", *arguments, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(printed)


async def test_an_odd_charger_is_on_record_after_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        async with connect(f"{server.ocpp_url}/CP-1") as socket:
            assert (await call(socket, "BootNotification", BOOT | {"adminPassword": SECRET}))[0] == 3
            for _ in range(2):
                assert (await call(socket, "MeterValues", METER_VALUES))[0] == 3
            assert (await call(socket, "Authorize", {}))[0] == 4
            async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
                sent = asyncio.create_task(
                    client.post("/api/v1/charge-points/CP-1/commands/GetConfiguration", json={"key": []})
                )
                message_id = json.loads(await socket.recv())[1]
                key = {"key": "AuthorizationKey", "readonly": False, "value": SECRET, "hint": SECRET}
                await socket.send(json.dumps([3, message_id, {"configurationKey": [key]}]))
                assert (await sent).status_code == 200
        metrics = httpx.get(f"{server.http_url}/metrics", trust_env=False).text
        assert await server.terminate() == 0
    assert 'mcpp_contract_deviations_total{action="MeterValues",rule="number_for_text"} 4.0' in metrics

    async with running_server(database) as server:
        of_one = (await server.get("/api/v1/charge-points/CP-1/conformance"))["items"]
        of_all = (await server.get("/api/v1/conformance"))["items"]
        shown = await command("conformance", "--database", str(database), "--format", "json")
    found = {(it["message"], it["action"], it["rule"], it["field"]): it for it in of_one}

    assert found["call", "MeterValues", "number_for_text", "meterValue[].sampledValue[].value"]["count"] == 4
    assert ("call", "BootNotification", "unknown_field", "adminPassword") in found
    assert ("answer", "GetConfiguration", "unknown_field", "configurationKey[].hint") in found
    assert any(it["rule"] == "refused" and it["taken_as"].startswith("CALLERROR") for it in of_one)
    assert ("other", None, "no_subprotocol", None) in found
    assert {it["firmware_version"] for it in of_one} == {"1.2.3"}
    assert {it["charge_points"] for it in of_all} == {1}
    assert {frozenset(it.items()) for it in shown} == {frozenset(it.items()) for it in of_all}
    assert SECRET not in json.dumps([of_one, of_all, shown])


async def test_a_look_sees_it_within_seconds(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connect(f"{server.ocpp_url}/CP-1") as socket,
        asyncio.timeout(30),
    ):
        await call(socket, "Heartbeat", {"uptime": 99})
        while not (items := (await server.get("/api/v1/conformance"))["items"]):
            await asyncio.sleep(0.1)

    assert {it["rule"] for it in items} == {"no_subprotocol", "unknown_field"}


async def test_a_correct_charger_has_no_record(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        async with connect(f"{server.ocpp_url}/CP-1", subprotocols=[Subprotocol("ocpp1.6")]) as socket:
            await call(socket, "BootNotification", BOOT)
            await call(socket, "Heartbeat", {})
        assert await server.terminate() == 0

    assert await command("conformance", "--database", str(database), "--format", "json") == []
