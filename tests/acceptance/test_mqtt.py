"""A home that switches a charger over MQTT: the real server, a real broker and a charger we didn't write."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
from ocpp.v16 import call, call_result
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, RemoteStartStopStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import running_server
from tests.integration.plugins.mqtt_client import PATIENCE, connected_client, running_broker

STATE = "mcpp/charge_points/CP-1/connectors/1/state"
SWITCH = "mcpp/charge_points/CP-1/connectors/1/charging/set"
CHARGE_POINT = "mcpp/charge_points/CP-1/state"
DEVICE = "homeassistant/device/mcpp_CP-1/config"


def obey(charger: Charger) -> asyncio.Queue[tuple[int, str]]:
    """Let it accept every RemoteStartTransaction; gives the connectors and id tags it's told."""
    told = asyncio.Queue[tuple[int, str]]()

    def accept(id_tag: str, connector_id: int) -> call_result.RemoteStartTransaction:
        told.put_nowait((connector_id, id_tag))
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.accepted)

    route: dict[str, Any] = {"_on_action": accept, "_skip_schema_validation": False}
    charger.route_map = {"RemoteStartTransaction": route}
    return told


async def test_a_switch_starts_a_charger_and_shows_that_it_charges(tmp_path: Path) -> None:
    async with running_broker() as broker:
        variables = {"MCPP_PLUGIN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}", "MCPP_PLUGIN_MQTT_ID_TAG": "HOME"}
        async with (
            connected_client(broker.port) as home,
            running_server(tmp_path / "mcpp.db", variables=variables) as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            told = obey(charger)
            await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
            await charger.ask(
                call.StatusNotification(
                    connector_id=1, error_code=ChargePointErrorCode.no_error, status=ChargePointStatus.preparing
                )
            )
            await home.until(STATE, lambda facts: facts["status"] == "Preparing")
            await home.say(SWITCH, "ON")
            connector_id, id_tag = await asyncio.wait_for(told.get(), PATIENCE)
            assert (connector_id, id_tag) == (1, "HOME")
            started = await charger.ask(
                call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=0, timestamp="2026-03-01T08:00:00Z")
            )
            shown = await home.until(STATE, lambda facts: facts["transaction_id"] is not None)
            assert shown["transaction_id"] == started.transaction_id
            assert await server.terminate() == 0
            await home.until("mcpp/status", lambda value: value == b"offline")


async def test_a_home_sees_energy_across_a_restart_and_a_new_name_and_forgets_what_is_deleted(tmp_path: Path) -> None:
    async with running_broker() as broker, connected_client(broker.port) as home:
        variables = {"MCPP_PLUGIN_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}"}
        async with (
            running_server(tmp_path / "mcpp.db", variables=variables) as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
            started = await charger.ask(
                call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=1000, timestamp="2026-03-01T08:00:00Z")
            )
            begun = await home.until(STATE, lambda facts: facts["energy_wh"] == 0)
            samples = [{"value": "1700"}]
            values = [{"timestamp": "2026-03-01T08:05:00Z", "sampled_value": samples}]
            told = call.MeterValues(connector_id=1, meter_value=values, transaction_id=started.transaction_id)
            await charger.ask(told)
            await home.until(STATE, lambda facts: facts["energy_wh"] == 700)
            await home.until(CHARGE_POINT, lambda facts: facts["energy_wh"] == 700)
            await server.kill()
        await home.until("mcpp/status", lambda value: value == b"offline")
        home.last.clear()
        async with running_server(tmp_path / "mcpp.db", variables=variables) as server:
            known = await home.until(STATE)
            assert (known["energy_wh"], known["session_started_at"]) == (700, begun["session_started_at"])
            assert (await home.until(CHARGE_POINT))["energy_wh"] == 700
            assert (await home.until(DEVICE))["device"]["name"] == "CP-1"
            async with httpx.AsyncClient(base_url=f"{server.http_url}/api/v1/charge-points") as api:
                assert (await api.put("/CP-1", json={"display_name": "Garage"})).status_code == 200
                await home.until(DEVICE, lambda message: message["device"]["name"] == "Garage")
                assert (await api.delete("/CP-1", params={"purge": True})).status_code == 204
            for topic in (DEVICE, STATE, CHARGE_POINT):
                await home.until(topic, lambda value: value == b"")
