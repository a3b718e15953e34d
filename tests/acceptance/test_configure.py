"""Wanted configuration keys, seen from a charger whose configuration is wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ocpp.v16 import call, call_result
from ocpp.v16.enums import ConfigurationStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import Server, running_server

WISHES = """
[[wanted]]
keys = { MeterValueSampleInterval = 60, MeterValuesSampledData = ["Energy.Active.Import.Register", "SoC"] }

[[wanted]]
vendor = "acme"
keys = { LocalPreAuthorize = true, ConnectionTimeOut = 90, WebSocketPingInterval = 30 }

[[wanted]]
vendor = "other"
keys = { HeartbeatInterval = 1 }
"""


class Configured:
    """A charger's configuration, and what it was asked and told, in order."""

    def __init__(self) -> None:
        self.values = {
            "MeterValueSampleInterval": "900",
            "MeterValuesSampledData": "soc, Energy.Active.Import.Register",
            "LocalPreAuthorize": "false",
            "ConnectionTimeOut": "90",
        }
        self.readonly = "LocalPreAuthorize"
        self.news: list[tuple[str, ...]] = []
        self._at_work = 0

    def attach(self, charger: Charger) -> None:
        handlers = {"GetConfiguration": self._get, "ChangeConfiguration": self._change}
        charger.route_map = {
            action: {"_on_action": handler, "_skip_schema_validation": False} for action, handler in handlers.items()
        }

    async def _get(self, key: list[str] | None = None) -> call_result.GetConfiguration:
        self.news.append(("get", *(key or ())))
        known = [name for name in key or self.values if name in self.values]
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": name, "readonly": name == self.readonly, "value": self.values[name]} for name in known
            ],
            unknown_key=[name for name in key or () if name not in self.values],
        )

    async def _change(self, key: str, value: str) -> call_result.ChangeConfiguration:
        assert self._at_work == 0, "told while it was still at work"
        self._at_work += 1
        self.news.append((key, value))
        await asyncio.sleep(0)
        self._at_work -= 1
        if key not in self.values:
            return call_result.ChangeConfiguration(status=ConfigurationStatus.not_supported)
        if key == self.readonly:
            return call_result.ChangeConfiguration(status=ConfigurationStatus.rejected)
        self.values[key] = value
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)


def variables(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "wishes.toml"
    path.write_text(WISHES)
    return {
        "MCPP_PLUGIN_CONFIGURE_FILE": str(path),
        "MCPP_PLUGIN_CONFIGURE_DELAY": "0.05",
        "MCPP_PLUGIN_CONFIGURE_PAUSE": "0.02",
    }


async def boot(charger: Charger) -> Any:
    return await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))


async def answered(server: Server, action: str, times: int) -> None:
    """Wait until the charger's answers to this action have come so often."""

    def answers() -> int:
        return sum(
            (line["event"], line.get("action"), line.get("message_type")) == ("ocpp_message", action, "call_result")
            for line in server.lines
        )

    await server.wait_for_line(lambda _: answers() >= times)


async def test_a_charger_gets_exactly_what_is_wrong_and_a_refusal_is_not_repeated(tmp_path: Path) -> None:
    configured = Configured()
    database = tmp_path / "mcpp.db"
    async with (
        running_server(database, variables=variables(tmp_path)) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        configured.attach(charger)
        await boot(charger)
        await answered(server, "ChangeConfiguration", 3)
        refused = [line for line in server.lines if line["event"] == "configuration_refused"]
        known = (await server.get("/api/v1/charge-points/CP-1/configuration"))["items"]

        first = list(configured.news)
        await boot(charger)
        await answered(server, "GetConfiguration", 2)
        configured.values["MeterValueSampleInterval"] = "900"
        await boot(charger)
        await answered(server, "ChangeConfiguration", 4)

    keys = [
        "MeterValueSampleInterval",
        "MeterValuesSampledData",
        "LocalPreAuthorize",
        "ConnectionTimeOut",
        "WebSocketPingInterval",
    ]
    assert first == [
        ("get", *keys),
        ("MeterValueSampleInterval", "60"),
        ("LocalPreAuthorize", "true"),
        ("WebSocketPingInterval", "30"),
    ]
    assert configured.news[4:] == [("get", *keys), ("get", *keys), ("MeterValueSampleInterval", "60")]
    assert {item["key"]: item["value"] for item in known}["MeterValueSampleInterval"] == "60"
    assert [(line["key"], line["outcome"]) for line in refused][:1] == [("LocalPreAuthorize", "rejected")]

    async with (
        running_server(database, variables=variables(tmp_path)) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        configured.attach(charger)
        configured.news.clear()
        await boot(charger)
        await answered(server, "GetConfiguration", 1)

    assert configured.news == [("get", *keys)]


async def test_nothing_is_sent_before_a_boot(tmp_path: Path) -> None:
    configured = Configured()
    async with (
        running_server(tmp_path / "mcpp.db", variables=variables(tmp_path)) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
        connected_charger(server.ocpp_url, "CP-2") as other,
    ):
        configured.attach(charger)
        Configured().attach(other)
        await charger.ask(call.Heartbeat())
        await boot(other)
        await answered(server, "ChangeConfiguration", 3)

    assert configured.news == []
