"""What a scraper sees of each charger and connector, from a charger we didn't write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Measurand, Phase, UnitOfMeasure

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.scraped import scrape
from tests.acceptance.server import Server, running_server

BEGIN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def spelled(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def report(
    charger: Charger, status: ChargePointStatus, error: ChargePointErrorCode = ChargePointErrorCode.no_error
) -> None:
    await charger.ask(call.StatusNotification(connector_id=1, error_code=error, status=status))


async def start(charger: Charger, *, meter: int = 1000, minutes: float = 0) -> int:
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=meter, timestamp=spelled(minutes))
    )
    transaction_id: int = started.transaction_id
    return transaction_id


async def measure(charger: Charger, transaction_id: int, minutes: float, *values: SampledValue) -> None:
    measured = MeterValue(timestamp=spelled(minutes), sampled_value=list(values))
    await charger.ask(call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=[measured]))


async def stop(charger: Charger, transaction_id: int, minutes: float, wh: int) -> None:
    await charger.ask(call.StopTransaction(meter_stop=wh, timestamp=spelled(minutes), transaction_id=transaction_id))


async def energy(server: Server) -> float | None:
    return (await scrape(server)).value("charge_point_energy_watt_hours_total", charge_point="CP-1")


async def test_a_session_from_plug_to_plug(tmp_path: Path) -> None:
    connector: dict[str, Any] = {"charge_point": "CP-1", "connector": "1"}
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
        await report(charger, ChargePointStatus.available)
        await report(charger, ChargePointStatus.preparing)
        transaction_id = await start(charger)
        await report(charger, ChargePointStatus.charging)
        await measure(
            charger,
            transaction_id,
            10,
            SampledValue(value="2.5", unit=UnitOfMeasure.kwh),
            *(
                SampledValue(value=volts, measurand=Measurand.voltage, phase=phase)
                for volts, phase in (("229", Phase.l1_n), ("230", Phase.l2_n), ("231", Phase.l3_n))
            ),
            *(
                SampledValue(value=amperes, measurand=Measurand.current_import, phase=phase)
                for amperes, phase in (("10", Phase.l1), ("11", Phase.l2), ("12", Phase.l3))
            ),
        )
        charging = await scrape(server)
        await stop(charger, transaction_id, 30, 4000)
        await report(charger, ChargePointStatus.faulted, ChargePointErrorCode.ground_failure)
        after = await scrape(server)
    at_rest = dict.fromkeys(ChargePointStatus, 0.0)

    assert charging.value("charge_point_connected", charge_point="CP-1") == 1
    assert charging.value("charge_point_boots_total", charge_point="CP-1") == 1
    assert charging.by("status", "connector_status", **connector) == at_rest | {"Charging": 1}
    changes = charging.by("status", "connector_status_changes_total", **connector)
    assert {status: count for status, count in changes.items() if count} == {
        "Available": 1,
        "Preparing": 1,
        "Charging": 1,
    }
    assert charging.by("phase", "connector_voltage_volts", **connector) == {"L1": 229, "L2": 230, "L3": 231}
    assert charging.by("phase", "connector_current_amperes", **connector) == {"": 33, "L1": 10, "L2": 11, "L3": 12}
    assert charging.by("phase", "connector_power_watts", **connector) == {
        "": 2290 + 2530 + 2772,
        "L1": 2290,
        "L2": 2530,
        "L3": 2772,
    }
    assert charging.value("connector_transaction_energy_watt_hours", **connector) == 1500
    assert charging.value("charge_point_energy_watt_hours_total", charge_point="CP-1") == 1500
    assert charging.value("charge_point_transactions_total", charge_point="CP-1") == 0

    assert after.value("connector_peak_power_watts", **connector) == 7592
    assert after.value("connector_transaction_energy_watt_hours", **connector) is None
    assert after.value("charge_point_energy_watt_hours_total", charge_point="CP-1") == 3000
    assert after.value("charge_point_transactions_total", charge_point="CP-1") == 1
    assert after.value("charge_point_transaction_seconds_total", charge_point="CP-1") == 1800
    assert after.by("status", "connector_status", **connector) == at_rest | {"Faulted": 1}
    errors = after.by("error_code", "connector_errors_total", **connector)
    assert {code: count for code, count in errors.items() if count} == {"GroundFailure": 1}


async def test_energy_never_falls_whatever_comes_late_and_however_the_server_ends(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, connected_charger(server.ocpp_url, "CP-1") as charger:
        transaction_id = await start(charger)
        await measure(charger, transaction_id, 10, SampledValue(value="9000"))
        measured = await energy(server)
        async with httpx.AsyncClient(base_url=server.http_url) as client:
            (await client.post(f"/api/v1/transactions/{transaction_id}/close")).raise_for_status()
        closed = await energy(server)
        await stop(charger, transaction_id, 9, 6000)
        late = await energy(server)
        await server.kill()

    async with running_server(database) as server:
        restarted = await scrape(server)
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            following = await start(charger, meter=6000, minutes=20)
            await measure(charger, following, 30, SampledValue(value="8500"))
            held = await energy(server)
            await measure(charger, following, 31, SampledValue(value="9250"))
            caught_up = await energy(server)
            await server.kill()

    async with running_server(database) as server:
        running = await energy(server)

    assert (measured, closed, late) == (8000, 8000, 8000)
    assert restarted.value("charge_point_energy_watt_hours_total", charge_point="CP-1") == 8000
    assert restarted.value("charge_point_connected", charge_point="CP-1") == 0
    assert (held, caught_up, running) == (8000, 8250, 8250)


async def test_the_limit_keeps_the_first_and_counts_the_others(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with (
        running_server(database, "--per-charger-metrics-limit", "1") as server,
        connected_charger(server.ocpp_url, "CP-2"),
        connected_charger(server.ocpp_url, "CP-1"),
    ):
        limited = await scrape(server)
        async with httpx.AsyncClient(base_url=server.http_url) as client:
            (await client.delete("/api/v1/charge-points/CP-2", params={"purge": True})).raise_for_status()
        moved_up = await scrape(server)

    async with (
        running_server(database, variables={"MCPP_PER_CHARGER_METRICS": "off"}) as server,
        connected_charger(server.ocpp_url, "CP-1"),
    ):
        off = await scrape(server)

    assert limited.by("charge_point", "charge_point_connected") == {"CP-2": 1}
    assert limited.value("charge_points_not_exported") == 1
    assert moved_up.by("charge_point", "charge_point_connected") == {"CP-1": 1}
    assert moved_up.value("charge_points_not_exported") == 0
    assert off.by("charge_point", "charge_point_connected") == {}
    assert (off.value("charge_points_connected"), off.value("charge_points_not_exported")) == (1, 0)
