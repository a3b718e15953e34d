"""Transactions that always end, seen from outside: a charger we didn't write forgets, vanishes, and remembers late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import LogLine, Server, running_server

BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
AT_ONCE = ("--recovery-grace", "1")
NEVER = ("--recovery-grace", "86400")


def spelled(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def start(charger: Charger, *, connector: int = 1, meter: int = 1000, minutes: float = 0) -> int:
    started = await charger.ask(
        call.StartTransaction(connector_id=connector, id_tag="TAG", meter_start=meter, timestamp=spelled(minutes))
    )
    transaction_id: int = started.transaction_id
    return transaction_id


async def measure(charger: Charger, transaction_id: int, minutes: float, wh: int) -> None:
    reading = MeterValue(timestamp=spelled(minutes), sampled_value=[SampledValue(value=str(wh))])
    await charger.ask(call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[reading]))


async def stop(charger: Charger, transaction_id: int, minutes: float, wh: int) -> None:
    await charger.ask(call.StopTransaction(meter_stop=wh, timestamp=spelled(minutes), transaction_id=transaction_id))


async def report(charger: Charger, status: ChargePointStatus, connector: int = 1) -> None:
    no_error = ChargePointErrorCode.no_error
    await charger.ask(call.StatusNotification(connector_id=connector, error_code=no_error, status=status))


async def boot(charger: Charger) -> None:
    await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))


async def recovered(server: Server, transaction_id: int) -> LogLine:
    return await server.wait_for_line(
        lambda line: line["event"] == "transaction_recovered" and line["transaction_id"] == transaction_id
    )


async def shown(server: Server, transaction_id: int) -> dict[str, Any]:
    transaction: dict[str, Any] = await server.get(f"/api/v1/transactions/{transaction_id}")
    return transaction


async def metric(server: Server, series: str) -> float:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return next(float(line.removeprefix(series)) for line in lines if line.startswith(f"{series} "))


@pytest.mark.parametrize("measured", [True, False])
async def test_a_connector_that_is_available_ends_its_transaction(tmp_path: Path, measured: bool) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", *AT_ONCE) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        orphan = await start(charger)
        if measured:
            await measure(charger, orphan, 10, 2100)
        await report(charger, ChargePointStatus.available)
        line = await recovered(server, orphan)
        closed = await shown(server, orphan)

    assert (line["level"], line["charge_point_id"], line["connector_id"]) == ("warning", "CP-1", 1)
    assert (closed["stop_reason"], closed["stop_origin"]) == ("Other", "recovered")
    assert (closed["meter_stop"], closed["stopped_at"]) == ((2100, spelled(10)) if measured else (1000, spelled(0)))
    evidence = closed["evidence"]
    assert evidence["cause"] == "connector_available"
    assert evidence["source"] == ("meter_value" if measured else "meter_start")
    assert (evidence["connector_status"], evidence["grace_seconds"]) == ("Available", 1)


@pytest.mark.parametrize("measured", [True, False])
async def test_a_charger_that_boots_and_is_silent_has_no_transaction_any_more(tmp_path: Path, measured: bool) -> None:
    async with running_server(tmp_path / "mcpp.db", *AT_ONCE) as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            orphan = await start(charger)
            alive = await start(charger, connector=2)
            if measured:
                await measure(charger, orphan, 10, 2100)
            await charger.cut()
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await boot(charger)
            await report(charger, ChargePointStatus.charging, connector=2)
            await recovered(server, orphan)
            closed = await shown(server, orphan)
            going_on = await shown(server, alive)

    assert closed["meter_stop"] == (2100 if measured else 1000)
    assert (closed["evidence"]["cause"], closed["stop_origin"]) == ("boot", "recovered")
    assert going_on["stopped_at"] is None


@pytest.mark.parametrize("measured", [True, False])
async def test_the_next_start_ends_what_its_connector_left_open(tmp_path: Path, measured: bool) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", *NEVER) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        orphan = await start(charger)
        if measured:
            await measure(charger, orphan, 10, 2100)
        await start(charger, meter=3000, minutes=60)
        closed = await shown(server, orphan)

    assert (closed["meter_stop"], closed["stopped_at"]) == ((2100, spelled(10)) if measured else (3000, spelled(60)))
    assert closed["evidence"] == {
        "cause": "next_start",
        "source": "meter_value" if measured else "next_start",
        "next_started_at": spelled(60),
        "next_meter_start": 3000,
    }


async def test_an_operator_ends_the_transaction_of_a_charger_that_is_gone(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", *AT_ONCE) as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            orphan = await start(charger)
            await measure(charger, orphan, 10, 2100)
            await charger.cut()
        async with httpx.AsyncClient(base_url=server.http_url) as operator:
            answer = await operator.post(f"/api/v1/transactions/{orphan}/close")
        closed = await shown(server, orphan)

    assert answer.is_success
    assert (closed["meter_stop"], closed["stop_origin"]) == (2100, "operator")
    assert closed["evidence"] == {"cause": "operator", "source": "meter_value"}


async def test_the_real_stop_comes_after_all(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", *AT_ONCE) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        orphan = await start(charger)
        await measure(charger, orphan, 10, 2100)
        await report(charger, ChargePointStatus.available)
        await recovered(server, orphan)
        await stop(charger, orphan, 19, 2900)
        await stop(charger, orphan, 19, 2900)
        line = await server.wait_for_line(lambda line: line["event"] == "transaction_stop_superseded")
        closed = await shown(server, orphan)
        active = await metric(server, "mcpp_transactions_active")
        counted = await metric(server, "mcpp_transaction_duration_seconds_count")
        superseded = [line for line in server.lines if line["event"] == "transaction_stop_superseded"]

    assert (line["meter_stop"], line["supersedes"], line["superseded_origin"]) == (2900, 2100, "recovered")
    assert (line["stopped_at"], line["superseded_stopped_at"]) == (spelled(19), spelled(10))
    assert (closed["meter_stop"], closed["stop_origin"], closed["evidence"]) == (2900, "charger", None)
    assert superseded == [line]
    assert (active, counted) == (0, 1)


async def test_kill_9_in_the_middle_of_a_recovery(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with (
        running_server(database, *NEVER) as server,
        connected_charger(server.ocpp_url, "CP-1") as back,
        connected_charger(server.ocpp_url, "CP-2") as gone,
    ):
        orphans = [await start(back), await start(gone)]
        await measure(back, orphans[0], 10, 2100)
        for charger in (back, gone):
            await report(charger, ChargePointStatus.available)
        await server.kill()

    # It has nothing to say but that it's there: what was told before the kill is enough.
    async with running_server(database, *AT_ONCE) as server, connected_charger(server.ocpp_url, "CP-1"):
        await recovered(server, orphans[0])
        closed, kept = [await shown(server, orphan) for orphan in orphans]
        await server.kill()

    async with running_server(database, *AT_ONCE) as server:
        again = await shown(server, orphans[0])
        async with connected_charger(server.ocpp_url, "CP-2") as gone:
            await stop(gone, orphans[1], 19, 2900)
        stopped = await shown(server, orphans[1])
        active = await metric(server, "mcpp_transactions_active")

    assert (closed["meter_stop"], closed["stop_origin"]) == (2100, "recovered")
    assert kept["stopped_at"] is None
    assert again == closed
    assert (stopped["meter_stop"], stopped["stop_origin"]) == (2900, "charger")
    assert active == 0
