"""`mcpp trace` on what a real server wrote: a session over a cut connection and a restart."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Measurand, Reason, UnitOfMeasure

from tests.acceptance.charger import Charger
from tests.acceptance.operated import OperatedCharger, operated_charger
from tests.acceptance.server import LogLine, Server, running_server
from tests.integration.cli.command import Ended, Mcpp

AUTO_START = ("--auto-start", "on", "--auto-start-id-tag", "CARD-7")
ANSWERS: dict[str, Any] = {
    "RemoteStartTransaction": {"status": "Accepted"},
    "RemoteStopTransaction": {"status": "Accepted"},
}


def now(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def report(charger: Charger, status: ChargePointStatus, connector: int = 1) -> None:
    no_error = ChargePointErrorCode.no_error
    await charger.ask(call.StatusNotification(connector_id=connector, error_code=no_error, status=status))


async def boot(charger: Charger) -> None:
    await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))


async def measure(charger: Charger, transaction_id: int, wh: int) -> None:
    values = [
        SampledValue(value=str(wh)),
        SampledValue(value="7.2", measurand=Measurand.power_active_import, unit=UnitOfMeasure.kw),
    ]
    reading = MeterValue(timestamp=now(), sampled_value=values)
    await charger.ask(call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[reading]))


async def begin(server: Server, charger: OperatedCharger) -> int:
    """A car is plugged in, the server asks for a start, the charger begins."""
    await boot(charger)
    await charger.ask(call.Authorize(id_tag="CARD-7"))
    await report(charger, ChargePointStatus.available)
    await report(charger, ChargePointStatus.preparing)
    await server.wait_for_line(lambda line: line["event"] == "auto_start_tried")
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag="CARD-7", meter_start=1000, timestamp=now())
    )
    await report(charger, ChargePointStatus.charging)
    transaction_id: int = started.transaction_id
    return transaction_id


async def ended_connection(server: Server) -> LogLine:
    return await server.wait_for_line(lambda line: line["event"] == "connection" and line["outcome"] == "lost")


async def stopped(server: Server) -> LogLine:
    return await server.wait_for_line(lambda line: line["event"] == "transaction_stopped")


async def run(mcpp: Mcpp, *arguments: str, stdin: str = "", **variables: str) -> Ended:
    return await asyncio.to_thread(mcpp, *arguments, stdin=stdin, **variables)


def in_order(text: str, *wanted: str) -> None:
    """Each of the texts comes, in this order."""
    position = 0
    for part in wanted:
        found = text.find(part, position)
        assert found >= 0, f"{part!r} isn't told after {text[:position][-200:]!r} in\n{text}"
        position = found + len(part)


async def test_a_session_over_a_cut_connection_and_a_restart(tmp_path: Path) -> None:
    mcpp, database, log = Mcpp(tmp_path), tmp_path / "mcpp.db", tmp_path / "server.log"
    async with running_server(database, *AUTO_START) as first:
        async with operated_charger(first.ocpp_url, "CP-1", dict(ANSWERS)) as charger:
            session = await begin(first, charger)
            await measure(charger, session, 1100)
            await charger.cut()
            await ended_connection(first)
        async with operated_charger(first.ocpp_url, "CP-1", dict(ANSWERS)) as charger:
            await measure(charger, session, 1200)
            # Another connector's session isn't told.
            await report(charger, ChargePointStatus.preparing, connector=2)
            while_it_runs = await run(mcpp, "trace", str(session))
            await first.terminate()
    async with running_server(database, *AUTO_START) as second:
        async with operated_charger(second.ocpp_url, "CP-1", dict(ANSWERS)) as charger:
            await measure(charger, session, 1300)
            async with httpx.AsyncClient(base_url=second.http_url) as operator:
                asked = await operator.post(f"/api/v1/transactions/{session}/stop")
            assert asked.status_code == 200, asked.text
            await charger.ask(
                call.StopTransaction(meter_stop=1400, timestamp=now(), transaction_id=session, reason=Reason.remote)
            )
            await stopped(second)
            await report(charger, ChargePointStatus.available)
        shown = await second.get(f"/api/v1/transactions/{session}")
    lines = [*first.lines, *second.lines]
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    told = await run(mcpp, "trace", str(session), "--log", str(log), "--timezone", "UTC")
    piped = await run(mcpp, "trace", str(session), "--log", "-", "--timezone", "UTC", stdin=log.read_text())
    as_json = await run(mcpp, "trace", str(session), "--log", str(log), "--json")
    neighbour = await run(mcpp, "trace", "--charge-point", "CP-1", "--connector", "2", "--log", str(log))

    assert (while_it_runs.code, while_it_runs.err) == (0, "")
    assert "still running" in while_it_runs.out
    assert (told.code, told.err) == (0, "")
    assert piped.out == told.out
    in_order(
        told.out,
        f"Transaction {session}: CP-1, connector 1, id tag CARD-7\n",
        "0.400 kWh in ",
        "stopped by the operator\n",
        f"session {shown['session_correlation_id']}\n",
        "StatusNotification: Available → Preparing",
        "→ RemoteStartTransaction",
        "auto_start: asked for a start, try 1: accepted",
        f"StartTransaction: transaction {session} begins at 1.000 kWh for CARD-7",
        "MeterValues: 0.100 kWh, 7.2 kW",
        "connection lost",
        "connected from 127.0.0.1",
        "MeterValues: 0.200 kWh, 7.2 kW",
        "server stopped",
        "no server for",
        "server started",
        "connected from 127.0.0.1",
        "MeterValues: 0.300 kWh, 7.2 kW",
        "→ RemoteStopTransaction",
        f"StopTransaction: transaction {session} ends at 1.400 kWh, 0.400 kWh charged, Remote",
    )
    assert "connector 2" not in told.out
    remote_stop = next(line for line in told.out.splitlines() if "→ RemoteStopTransaction" in line)
    assert asked.json()["correlation_id"][:8] in remote_stop
    assert "operator" in remote_stop

    assert "StatusNotification: Preparing" in neighbour.out
    assert "connection lost" in neighbour.out
    assert "StartTransaction: transaction" not in neighbour.out

    transaction, *entries = map(json.loads, as_json.out.splitlines())
    how = {"ended_by": "operator", "ended_how": "stopped by the operator"}
    # What takes a query of its own in the API is in no story.
    by_events = {"charging_state", "remote_start_id", "id_token_type", "gaps"}
    stored = {name: value for name, value in shown.items() if name not in by_events}
    assert transaction == {"kind": "transaction", **stored, **how}
    (start,) = (entry for entry in entries if entry.get("facts", {}).get("action") == "StartTransaction")
    assert (start["source"], start["kind"]) == ("charger", "message")
    line = next(line for line in lines if line.get("action") == "StartTransaction")
    assert start["correlation_id"] == line["correlation_id"]
    assert line["session_correlation_id"] == shown["session_correlation_id"]
