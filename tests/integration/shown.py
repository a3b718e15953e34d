"""What is shown of sessions where users look: the metrics, a broker's topics, `mcpp trace`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner
from pydantic import SecretStr

from mcpp.cli.program import program
from mcpp.domain.events import Event
from mcpp.plugins import ConnectorState
from mcpp.plugins.builtin.mqtt import Mqtt, MqttSettings
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.metrics.fleet_series import fleet_series
from tests.events import CONNECTED
from tests.integration.plugins.mqtt_client import connected_client, running_broker
from tests.unit.plugins.site_by_hand import SiteByHand, charge_point
from tests.unit.telemetry.followed import FollowedFleet
from tests.unit.telemetry.scrapes import scrape, value, values

CHARGE_POINTS = ("CP-1", "CP-2")


@dataclass(frozen=True)
class Answer:
    """What one of those who show readings says of a connector, as it stands after all messages."""

    watts: float | None
    wh: int | None
    volts: Mapping[str, float] | None = None
    amperes: Mapping[str, float] | None = None


@dataclass
class Session:
    """A session in which a row was sent, on a connector of its own; the meter began at 0."""

    charge_point_id: str
    connector_id: int
    transaction_id: int
    events: list[Event]
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return f"mcpp/charge_points/{self.charge_point_id}/connectors/{self.connector_id}/state"


async def ask_metrics(sessions: Sequence[Session]) -> None:
    fleet = FollowedFleet(statuses=(), error_codes=(), series_limit=len(CHARGE_POINTS))
    metrics = Metrics(version="1", actions=(), error_codes=(), stop_reasons=())
    metrics.watch_fleet(lambda: fleet_series(fleet, lambda _: None, datetime.now(UTC)))
    for charge_point_id in CHARGE_POINTS:
        fleet(replace(CONNECTED, charge_point_id=charge_point_id))
    for session in sessions:
        for event in session.events:
            fleet(event)
    families = await scrape(metrics)
    for session in sessions:
        labels = {"charge_point": session.charge_point_id, "connector": str(session.connector_id)}
        wh = value(families, "mcpp_connector_transaction_energy_watt_hours", **labels)
        session.answers["metrics"] = Answer(
            values(families, "mcpp_connector_power_watts", **labels).get(""),
            int(wh) if wh else None,  # a session begins at 0
            values(families, "mcpp_connector_voltage_volts", **labels),
            values(families, "mcpp_connector_current_amperes", **labels),
        )


async def publish(plugin: Mqtt, event: Event, site: SiteByHand) -> None:
    waiting = plugin.event_published(event, site)
    if waiting is not None:
        await waiting


async def ask_broker(sessions: Sequence[Session]) -> None:
    async with running_broker() as broker, connected_client(broker.port) as home:
        url = SecretStr(f"mqtt://127.0.0.1:{broker.port}")
        plugin = Mqtt(MqttSettings.model_validate({"url": url, "discovery": False}))
        site = SiteByHand()
        site.clock = datetime.now(UTC)
        await plugin.server_started(site)
        for charge_point_id in CHARGE_POINTS:
            site.states[charge_point_id] = replace(charge_point(charge_point_id), connectors=())
            await publish(plugin, replace(CONNECTED, charge_point_id=charge_point_id), site)
        for session in sessions:
            charge_point_id = session.charge_point_id
            shown = (*site.states[charge_point_id].connectors, charging(session.connector_id))
            site.states[charge_point_id] = replace(charge_point(charge_point_id), connectors=shown)
            for event in session.events:
                await publish(plugin, event, site)
        # What is shown last comes last.
        site.states["END"] = charge_point("END")
        await publish(plugin, replace(CONNECTED, charge_point_id="END"), site)
        await home.until("mcpp/charge_points/END/state")
        for session in sessions:
            facts = await home.until(session.topic)
            session.answers["MQTT"] = Answer(facts["power_w"], facts["energy_wh"])
        await plugin.server_stopping()


def charging(connector_id: int) -> ConnectorState:
    return ConnectorState(
        connector_id=connector_id,
        status="Charging",
        error_code="NoError",
        status_at=datetime.now(UTC),
        transaction_id=None,
        inoperative=False,
        reserved_for=None,
        session_correlation_id=None,
    )


def ask_trace(database: Path, sessions: Sequence[Session]) -> None:
    for session in sessions:
        command = ["trace", str(session.transaction_id), "--json", "--database", str(database)]
        ended = CliRunner().invoke(program, command, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        entries = [json.loads(line) for line in ended.stdout.splitlines()]
        facts = [entry["facts"] for entry in entries if entry["kind"] == "meter"][-1]
        session.answers["trace"] = Answer(facts.get("power_w"), facts.get("energy_wh"))
