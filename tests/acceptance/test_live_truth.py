"""What is live is true: the API and the metrics show what flows at a charger we didn't write, and not a moment more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Measurand, Phase, UnitOfMeasure

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.scraped import scrape
from tests.acceptance.server import Server, running_server

CONNECTOR: Final[dict[str, str]] = {"charge_point": "CP-1", "connector": "1"}
NO_VALUES: Final = dict.fromkeys(("power_w", "current_a", "voltage_v", "soc_percent", "measured_at"))
STATUS_BY_NAME: Final = {status.value: status for status in ChargePointStatus}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def report(charger: Charger, status: str) -> None:
    no_error = ChargePointErrorCode.no_error
    await charger.ask(
        call.StatusNotification(connector_id=1, error_code=no_error, status=STATUS_BY_NAME[status], timestamp=now())
    )


async def start(charger: Charger) -> int:
    await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
    await report(charger, "Preparing")
    started = await charger.ask(call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=1000, timestamp=now()))
    await report(charger, "Charging")
    transaction_id: int = started.transaction_id
    return transaction_id


async def measure(charger: Charger, transaction_id: int | None, *, wh: int = 3500) -> str:
    """Eleven kW on two phases; returns when."""
    at = now()
    values = [
        SampledValue(value=str(wh), unit=UnitOfMeasure.wh),
        SampledValue(value="11.04", measurand=Measurand.power_active_import, unit=UnitOfMeasure.kw),
        SampledValue(value="230.1", measurand=Measurand.voltage, phase=Phase.l1_n, unit=UnitOfMeasure.v),
        SampledValue(value="24", measurand=Measurand.current_import, phase=Phase.l1, unit=UnitOfMeasure.a),
        SampledValue(value="24.5", measurand=Measurand.current_import, phase=Phase.l2, unit=UnitOfMeasure.a),
        SampledValue(value="57", measurand=Measurand.soc, unit=UnitOfMeasure.percent),
    ]
    meter_value = [MeterValue(timestamp=at, sampled_value=values)]
    await charger.ask(call.MeterValues(connector_id=1, transaction_id=transaction_id, meter_value=meter_value))
    return at


async def stop(charger: Charger, transaction_id: int) -> None:
    await charger.ask(call.StopTransaction(meter_stop=4000, timestamp=now(), transaction_id=transaction_id))


async def shown(server: Server) -> dict[str, Any]:
    """The live values of the connector, as the API has them."""
    point = await server.get("/api/v1/charge-points/CP-1")
    (listed,) = (await server.get("/api/v1/charge-points"))["items"]
    (connector,) = (known for known in point["connectors"] if known["connector_id"] == 1)
    assert connector in listed["connectors"]
    return {name: connector[name] for name in NO_VALUES}


async def gauges(server: Server) -> dict[str, float | None]:
    scraped = await scrape(server)
    return {
        "power": scraped.by("phase", "connector_power_watts", **CONNECTOR).get(""),
        "current": scraped.by("phase", "connector_current_amperes", **CONNECTOR).get(""),
        "voltage": scraped.by("phase", "connector_voltage_volts", **CONNECTOR).get("L1"),
        "energy": scraped.value("connector_transaction_energy_watt_hours", **CONNECTOR),
    }


CHARGING: Final[dict[str, float | None]] = {"power": 11_040, "current": 48.5, "voltage": 230.1, "energy": 2500}
AT_REST: Final[dict[str, float | None]] = {"power": 0, "current": 0, "voltage": None, "energy": None}
UNKNOWN: Final[dict[str, float | None]] = dict.fromkeys(CHARGING)


async def until_offline(server: Server) -> None:
    async with asyncio.timeout(30):
        while (await server.get("/api/v1/charge-points/CP-1"))["last_disconnect_at"] is None:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("flags", [(), ("--no-per-charger-metrics",)], ids=["with series", "without series"])
async def test_a_session_is_live_as_long_as_it_runs(tmp_path: Path, flags: tuple[str, ...]) -> None:
    async with (
        running_server(tmp_path / "mcpp.db", *flags) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        transaction_id = await start(charger)
        assert await shown(server) == NO_VALUES

        at = await measure(charger, transaction_id)
        assert await shown(server) == {
            "power_w": 11_040,
            "current_a": {"total": 48.5, "L1": 24, "L2": 24.5},
            "voltage_v": {"L1": 230.1},
            "soc_percent": 57,
            "measured_at": at,
        }
        for running in (
            await server.get(f"/api/v1/transactions/{transaction_id}"),
            (await server.get("/api/v1/transactions?open=true"))["items"][0],
        ):
            assert (running["energy_wh"], running["power_w"], running["meter_stop"]) == (2500, 11_040, None)
            assert 0 <= running["duration_s"] < 3600
        if not flags:
            assert await gauges(server) == CHARGING

        await stop(charger, transaction_id)
        assert await shown(server) == NO_VALUES
        ended = await server.get(f"/api/v1/transactions/{transaction_id}")
        assert (ended["energy_wh"], ended["power_w"]) == (3000, None)
        if not flags:
            assert await gauges(server) == AT_REST


async def finish(charger: Charger, _: int) -> None:
    await report(charger, "Finishing")


async def free(charger: Charger, _: int) -> None:
    await report(charger, "Available")


async def stop_then_free(charger: Charger, transaction_id: int) -> None:
    await stop(charger, transaction_id)
    await report(charger, "Available")


async def free_then_stop(charger: Charger, transaction_id: int) -> None:
    await report(charger, "Available")
    await stop(charger, transaction_id)


async def stop_and_measure_the_end(charger: Charger, transaction_id: int) -> None:
    await stop(charger, transaction_id)
    await measure(charger, transaction_id, wh=4000)


@pytest.mark.parametrize("end", [finish, free, stop_then_free, free_then_stop, stop_and_measure_the_end])
async def test_power_is_gone_the_moment_it_ends(tmp_path: Path, end: Callable[[Charger, int], Awaitable[None]]) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        transaction_id = await start(charger)
        await measure(charger, transaction_id)
        await end(charger, transaction_id)

        found, values = await gauges(server), await shown(server)
    assert (found["power"], found["current"], found["voltage"]) == (0, 0, None)
    assert values["power_w"] in {0, None}
    assert (values["voltage_v"], values["soc_percent"], values["measured_at"]) == (None, None, None)


async def test_offline_nothing_is_live_and_after_that_only_what_is_new(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            transaction_id = await start(charger)
            await measure(charger, transaction_id)
            await charger.cut()
        await until_offline(server)
        assert await shown(server) == NO_VALUES
        assert await gauges(server) == UNKNOWN
        offline = await server.get(f"/api/v1/transactions/{transaction_id}")
        assert (offline["energy_wh"], offline["power_w"]) == (2500, None)

        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await charger.ask(call.Heartbeat())
            assert await shown(server) == NO_VALUES
            assert await gauges(server) == UNKNOWN | {"energy": 2500}
            await measure(charger, transaction_id, wh=4500)
            assert (await shown(server))["power_w"] == 11_040
            assert await gauges(server) == CHARGING | {"energy": 3500}


async def test_after_a_restart_of_the_server_energy_goes_on(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        transaction_id = await start(charger)
        await measure(charger, transaction_id)
    async with running_server(tmp_path / "mcpp.db") as server:
        running = await server.get(f"/api/v1/transactions/{transaction_id}")
        assert (running["energy_wh"], running["power_w"]) == (2500, None)
        assert running["duration_s"] >= 0

        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await charger.ask(call.Heartbeat())
            assert await gauges(server) == UNKNOWN | {"energy": 2500}
            await measure(charger, transaction_id, wh=3600)
            assert (await server.get(f"/api/v1/transactions/{transaction_id}"))["energy_wh"] == 2600


async def test_a_transaction_of_another_central_system_is_shown_and_kept_aside(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "mcpp.db") as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
        await report(charger, "Charging")
        await measure(charger, 4711)

        assert (await shown(server))["power_w"] == 11_040
        assert await gauges(server) == CHARGING | {"energy": None}
        (kept,) = (await server.get("/api/v1/unmatched"))["items"]
        assert (kept["kind"], kept["claimed_transaction_id"]) == ("meter_values", 4711)
        assert (await server.get("/api/v1/transactions"))["items"] == []

        await report(charger, "Finishing")
        assert await shown(server) == NO_VALUES
        assert await gauges(server) == AT_REST
