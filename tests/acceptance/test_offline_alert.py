"""A charger falls off the network for longer than its site puts up with, and comes back."""

from __future__ import annotations

from pathlib import Path

from ocpp.v16 import call

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import running_server
from tests.integration.plugins.http_receiver import listening


async def test_an_absence_is_logged_and_posted_and_so_is_the_return(tmp_path: Path) -> None:
    async with listening() as receiver:
        variables = {
            "MCPP_PLUGIN_OFFLINE_ALERT_AFTER": "1",
            "MCPP_PLUGIN_OFFLINE_ALERT_BACK_AFTER": "0",
            "MCPP_PLUGIN_WEBHOOK_URLS": receiver.url,
            "MCPP_PLUGIN_WEBHOOK_SECRET": "a secret that both sides know",
            "MCPP_PLUGIN_WEBHOOK_EVENTS": "charge_point_offline,charge_point_online",
        }
        async with running_server(tmp_path / "mcpp.db", variables=variables) as server:
            async with connected_charger(server.ocpp_url, "CP-1") as charger:
                await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
                await charger.cut()
            offline = await server.wait_for_line(lambda line: line["event"] == "charge_point_offline")
            async with connected_charger(server.ocpp_url, "CP-1"):
                online = await server.wait_for_line(lambda line: line["event"] == "charge_point_online")
                posted = [one.facts for one in await receiver.wait_for(2)]
    assert (offline["level"], offline["charge_point_id"]) == ("warning", "CP-1")
    assert online["gone_seconds"] >= 1
    assert [facts["event"] for facts in posted] == ["charge_point_offline", "charge_point_online"]
    assert posted[1]["gone_seconds"] == online["gone_seconds"]
    assert posted[0]["correlation_id"] == offline["correlation_id"]
