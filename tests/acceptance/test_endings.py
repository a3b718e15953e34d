"""Who ended a session, as `mcpp trace` says of what a real server wrote: a plugin, or the operator in the books."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call
from ocpp.v16.enums import Reason

from tests.acceptance.operated import operated_charger
from tests.acceptance.server import running_server
from tests.integration.cli.command import Mcpp

PLUGIN = """
from mcpp.plugins import hookimpl


class Cap:
    @hookimpl
    async def meter_values_received(self, event, site):
        accepted = await site.verbs.remote_stop(event.charge_point_id, event.transaction_id)
        site.log.info("cap_reached", accepted=accepted)
"""
ACCEPTED: dict[str, Any] = {"RemoteStopTransaction": {"status": "Accepted"}}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


async def subject(mcpp: Mcpp, transaction_id: int, *flags: str) -> dict[str, Any]:
    told = await asyncio.to_thread(mcpp, "trace", str(transaction_id), "--json", *flags)
    assert told.code == 0, told.err
    found: dict[str, Any] = json.loads(told.out.splitlines()[0])
    return found


async def test_a_plugins_stop_was_the_plugins(tmp_path: Path) -> None:
    (tmp_path / "cap_plugin.py").write_text(PLUGIN)
    flags = ("--plugins", "built-ins,cap_plugin:Cap")
    async with (
        running_server(tmp_path / "mcpp.db", *flags, variables={"PYTHONPATH": str(tmp_path)}) as server,
        operated_charger(server.ocpp_url, "CP-1", dict(ACCEPTED)) as charger,
    ):
        started = await charger.ask(call.StartTransaction(connector_id=1, id_tag="T", meter_start=0, timestamp=now()))
        number: int = started.transaction_id
        sample = {"timestamp": now(), "sampledValue": [{"value": "100"}]}
        await charger.ask(call.MeterValues(connector_id=1, transaction_id=number, meter_value=[sample]))
        cap = await server.wait_for_line(lambda line: line["event"] == "cap_reached")
        await charger.ask(
            call.StopTransaction(meter_stop=120, timestamp=now(), transaction_id=number, reason=Reason.remote)
        )
        await server.wait_for_line(lambda line: line["event"] == "transaction_stopped")
    (tmp_path / "server.log").write_text("".join(f"{json.dumps(line)}\n" for line in server.lines))
    told = await subject(Mcpp(tmp_path), number, "--log", "server.log")
    without_log = await subject(Mcpp(tmp_path), number)

    assert (told["ended_by"], told["ended_how"]) == ("plugin", f"stopped by the plugin {cap['plugin']}")
    assert without_log["ended_by"] == "command"


async def test_what_the_operator_closed_was_closed_by_the_operator(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        operated_charger(server.ocpp_url, "CP-1", {}) as charger,
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1", trust_env=False) as api,
    ):
        numbers: list[int] = []
        for connector in (1, 2):
            start = call.StartTransaction(connector_id=connector, id_tag="T", meter_start=0, timestamp=now())
            numbers.append((await charger.ask(start)).transaction_id)
        # Two run that it could be, so it is kept aside.
        await charger.ask(call.StopTransaction(meter_stop=500, timestamp=now(), transaction_id=4711))
        (kept,) = (await api.get("/unmatched")).json()["items"]
        assigned = await api.post(f"/unmatched/{kept['id']}/assign", json={"transaction_id": numbers[0]})
        closed = await api.post(f"/transactions/{numbers[1]}/close")
    assert (assigned.status_code, closed.status_code) == (200, 200)
    (tmp_path / "server.log").write_text("".join(f"{json.dumps(line)}\n" for line in server.lines))

    for number in numbers:
        for flags in ((), ("--log", "server.log")):
            told = await subject(Mcpp(tmp_path), number, *flags)
            assert (told["stop_origin"], told["ended_by"]) == ("operator", "operator")
            assert told["ended_how"].startswith("closed by the operator: ")
