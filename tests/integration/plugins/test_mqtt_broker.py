from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest_asyncio
from iotcore import Broker
from pydantic import SecretStr

from mcpp.domain.events import (
    Event,
)
from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.plugins.builtin.mqtt import Mqtt, MqttSettings
from tests import events
from tests.integration.plugins.mqtt_client import PATIENCE, Client, connected_client, running_broker
from tests.unit.plugins.site_by_hand import START, SiteByHand, charge_point

POWER = SampleKind("Power.Active.Import", "", "kW", "Sample.Periodic", "Outlet", "Raw")
ENERGY = SampleKind(ENERGY_REGISTER, "", "Wh", "Sample.Periodic", "Outlet", "Raw")


class VerbsByHand:
    """Charge points that accept everything."""

    def __init__(self) -> None:
        self.done = asyncio.Queue[tuple[object, ...]]()

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = 0) -> bool:
        await self.done.put(("start", charge_point_id, connector_id, id_tag))
        return True

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        await self.done.put(("stop", charge_point_id, transaction_id))
        return True

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = 0
    ) -> bool:
        await self.done.put(("limit", charge_point_id, connector_id, amperes))
        return amperes != 13


class SiteWithVerbs(SiteByHand):
    def __init__(self, *charge_points: ChargePointState) -> None:
        super().__init__(*charge_points)
        self.by_hand = VerbsByHand()

    @property
    def verbs(self) -> Any:
        return self.by_hand

    def now(self) -> datetime:
        return START


def state(*, connected: bool = True, status: str = "Available", transaction_id: int | None = None) -> ChargePointState:
    connectors = tuple(
        ConnectorState(
            connector_id=number,
            status=status,
            error_code="NoError",
            status_at=START,
            transaction_id=transaction_id if number == 1 else None,
            inoperative=False,
            reserved_for=None,
            session_correlation_id=None,
        )
        for number in (0, 1)
    )
    return replace(charge_point("CP 1", connected=connected), vendor="Vendor", connectors=connectors)


CHARGE_POINT = "mcpp/charge_points/CP%201/state"
CONNECTOR = "mcpp/charge_points/CP%201/connectors/1/state"
SWITCH = "mcpp/charge_points/CP%201/connectors/1/charging/set"
LIMIT = "mcpp/charge_points/CP%201/connectors/1/limit/set"
DISCOVERY = "homeassistant/device/mcpp_CP_20_1/config"


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[Broker]:
    async with running_broker() as broker:
        yield broker


class Site:
    """The plugin on a site, connected to a broker."""

    def __init__(self, broker: Broker) -> None:
        self.site = SiteWithVerbs(state())
        self._broker = broker
        self._plugin: Mqtt | None = None

    async def start(self, **settings: object) -> Mqtt:
        url = SecretStr(f"mqtt://127.0.0.1:{self._broker.port}")
        plugin = Mqtt(MqttSettings.model_validate({"url": url, **settings}), backoff=lambda _: 0.05)
        self._plugin = plugin
        await plugin.server_started(self.site)
        return plugin

    async def stop(self) -> None:
        if self._plugin is not None:
            await self._plugin.server_stopping()
            self._plugin = None

    def client(self) -> AbstractAsyncContextManager[Client]:
        return connected_client(self._broker.port)


@pytest_asyncio.fixture
async def site(broker: Broker) -> AsyncIterator[Site]:
    site = Site(broker)
    yield site
    await site.stop()


async def delivered(plugin: Mqtt, event: Event, site: SiteWithVerbs) -> None:
    """Have the plugin show an event."""
    pending = plugin.event_published(event, site)
    if pending is not None:
        await pending


def status_changed() -> Event:
    return replace(events.PREPARING, charge_point_id="CP 1", status="Charging")


async def test_what_is_known_is_shown_at_once_and_kept_for_those_who_come_later(site: Site) -> None:
    await site.start()
    await site.site.line("mqtt_connected")
    async with site.client() as client:
        assert await client.until("mcpp/status") == b"online"
        assert (await client.until(CHARGE_POINT))["connected"] is True
        assert await client.until(CONNECTOR) == {
            "status": "Available",
            "error_code": "NoError",
            "transaction_id": None,
            "power_w": 0.0,
            "session_started_at": None,
            "energy_wh": None,
            "limit_a": None,
        }
        discovered = await client.until(DISCOVERY)
    assert discovered["device"]["name"] == "CP 1"
    switch = discovered["components"]["connector_1_charging"]
    assert (switch["state_topic"], switch["command_topic"]) == (CONNECTOR, SWITCH)


async def test_what_happens_is_shown(site: Site) -> None:
    plugin = await site.start()
    async with site.client() as client:
        site.site.states["CP 1"] = state(status="Charging", transaction_id=7)
        await delivered(plugin, status_changed(), site.site)
        shown = await client.until(CONNECTOR, lambda facts: facts["status"] == "Charging")
        assert shown["transaction_id"] == 7
        samples = (Sample(START, POWER, "7.2", 0),)
        measured = replace(events.MEASURED, charge_point_id="CP 1", samples=samples, energy_wh=1234)
        await delivered(plugin, measured, site.site)
        shown = await client.until(CONNECTOR, lambda facts: facts["power_w"] is not None)
        assert (shown["power_w"], shown["energy_wh"]) == (7200.0, 1234)
        site.site.states["CP 1"] = state(status="Finishing")
        site.site.states["CP 1"] = replace(site.site.states["CP 1"], energy_wh=1234)
        stopped = replace(events.STOPPED, charge_point_id="CP 1", meter_start=0, meter_stop=1234, energy_wh=1234)
        await delivered(plugin, stopped, site.site)
        shown = await client.until(CONNECTOR, lambda facts: facts["transaction_id"] is None)
        assert (shown["power_w"], shown["energy_wh"]) == (0.0, 1234)
        assert (await client.until(CHARGE_POINT))["energy_wh"] == 1234
        site.site.states["CP 1"] = state(connected=False)
        gone = replace(events.DISCONNECTED, charge_point_id="CP 1")
        await delivered(plugin, gone, site.site)
        await client.until(CHARGE_POINT, lambda facts: facts["connected"] is False)


async def test_a_new_name_is_shown_and_what_was_deleted_is_cleared(site: Site) -> None:
    plugin = await site.start()
    async with site.client() as client:
        site.site.states["CP 1"] = replace(state(), display_name="Garage")
        await delivered(plugin, replace(events.SETTINGS_CHANGED, charge_point_id="CP 1"), site.site)
        await client.until(DISCOVERY, lambda message: message["device"]["name"] == "Garage")
        await client.until(CHARGE_POINT, lambda facts: facts["name"] == "Garage")
        del site.site.states["CP 1"]
        await delivered(plugin, replace(events.FORGOTTEN, charge_point_id="CP 1"), site.site)
        late = replace(events.DISCONNECTED, charge_point_id="CP 1")
        await delivered(plugin, late, site.site)
        for topic in (DISCOVERY, CHARGE_POINT, CONNECTOR):
            await client.until(topic, lambda value: value == b"")
    await site.stop()
    async with site.client() as client:
        await client.until("mcpp/status", lambda value: value == b"offline")
        await client.say("end", "of what is retained")
        await client.until("end")
        assert not [topic for topic in client.last if "CP" in topic]


async def test_connectors_of_a_version_that_is_no_longer_spoken_are_taken_away(site: Site) -> None:
    plugin = await site.start()
    async with site.client() as client:
        await client.until(CONNECTOR)
        (_, connector) = state().connectors
        site.site.states["CP 1"] = replace(state(), connectors=(replace(connector, evse_id=1),))
        await delivered(plugin, replace(events.CONNECTED, charge_point_id="CP 1"), site.site)
        await client.until(CONNECTOR, lambda value: value == b"")
        # The entities first: Home Assistant would complain of a message without content.
        components = json.loads(client.last[DISCOVERY])["components"]
    assert components["connector_1_status"] == {"platform": "sensor"}
    assert components["evse_1_connector_1_status"]["state_topic"].endswith("/evses/1/connectors/1/state")


def shows_kilowatts(kilowatts: str, facts: dict[str, Any]) -> bool:
    return bool(facts["power_w"] == 1000 * float(kilowatts))


async def test_a_connector_that_is_known_by_its_meter_values_only_is_shown(site: Site) -> None:
    site.site.states["CP 1"] = replace(state(), connectors=())
    plugin = await site.start()
    async with site.client() as client:
        await client.until(CHARGE_POINT)
        site.site.states["CP 1"] = state(transaction_id=7)
        for kilowatts in ("1", "2"):
            samples = (Sample(START, POWER, kilowatts, 0),)
            measured = replace(events.MEASURED, charge_point_id="CP 1", transaction_id=None, samples=samples)
            await delivered(plugin, measured, site.site)
            shown = await client.until(CONNECTOR, partial(shows_kilowatts, kilowatts))
            assert shown["transaction_id"] == 7


async def test_a_switch_begins_and_ends_charging(site: Site) -> None:
    await site.start(id_tag="HOME")
    await site.site.line("mqtt_connected")
    async with site.client() as client:
        await client.say(SWITCH, "ON")
        assert await asyncio.wait_for(site.site.by_hand.done.get(), PATIENCE) == ("start", "CP 1", 1, "HOME")
        site.site.states["CP 1"] = state(transaction_id=7)
        await client.say(SWITCH, "OFF")
        assert await asyncio.wait_for(site.site.by_hand.done.get(), PATIENCE) == ("stop", "CP 1", 7)


async def test_a_number_limits_the_current_and_is_shown_once_accepted_also_after_a_restart(site: Site) -> None:
    async def ordered() -> object:
        return (await asyncio.wait_for(site.site.by_hand.done.get(), PATIENCE))[-1]

    await site.start()
    await site.site.line("mqtt_connected")
    async with site.client() as client:
        await client.say(LIMIT, "10.5")
        await client.until(CONNECTOR, lambda facts: facts["limit_a"] == 10.5)
        assert await ordered() == Decimal("10.5")
        for nonsense in ("-1", "nan", "1e9", "much"):
            await client.say(LIMIT, nonsense)
        await client.say(LIMIT, "13")
        assert await ordered() == 13
        assert len(site.site.named("mqtt_command_failed")) == 4
        await site.stop()
        await client.until("mcpp/status", lambda value: value == b"offline")
        assert (await client.until(CONNECTOR))["limit_a"] == 10.5
        await site.start()
        await client.until("mcpp/status", lambda value: value == b"online")
        assert (await client.until(CONNECTOR))["limit_a"] == 10.5
        await client.say(LIMIT, "none")
        await client.until(CONNECTOR, lambda facts: facts["limit_a"] is None)
        assert await ordered() is None


async def test_an_operation_is_sent_and_answered(site: Site) -> None:
    await site.start()
    await site.site.line("mqtt_connected")
    async with site.client() as client:
        await client.say("mcpp/charge_points/CP%201/commands/Reset", '{"type": "Soft"}')
        answer = await client.until("mcpp/charge_points/CP%201/answers/Reset")
        assert answer == {"response": {"status": "Accepted"}}
        assert site.site.commands == [("CP 1", "Reset", {"type": "Soft"})]


async def test_nonsense_is_answered_and_harms_nothing(site: Site) -> None:
    await site.start()
    await site.site.line("mqtt_connected")
    async with site.client() as client:
        await client.say(SWITCH, "PERHAPS")
        await client.say("mcpp/charge_points/CP%201/commands/Reset", "no json")
        assert "error" in await client.until("mcpp/charge_points/CP%201/answers/Reset")
        await client.say(SWITCH, "ON")
        await asyncio.wait_for(site.site.by_hand.done.get(), PATIENCE)
    assert len(site.site.named("mqtt_command_failed")) == 2
    assert len(site.site.named("mqtt_connected")) == 1


async def test_a_command_that_the_broker_kept_is_not_carried_out(site: Site) -> None:
    async with site.client() as client:
        await client.say(SWITCH, "OFF", retain=True)
        await client.until(SWITCH)
        site.site.states["CP 1"] = state(transaction_id=7)
        await site.start()
        await site.site.line("mqtt_connected")
        await client.say(SWITCH, "ON")
        assert (await asyncio.wait_for(site.site.by_hand.done.get(), PATIENCE))[0] == "start"
    assert site.site.by_hand.done.empty()


async def test_without_commands_nothing_is_obeyed_and_no_switch_is_shown(site: Site) -> None:
    await site.start(commands=False)
    async with site.client() as client:
        discovered = await client.until(DISCOVERY)
        await client.say(SWITCH, "ON")
        await client.until(SWITCH)
    await site.stop()
    assert discovered["components"]["connector_1_charging"] == {"platform": "switch"}
    assert discovered["components"]["connector_1_limit"] == {"platform": "number"}
    assert site.site.by_hand.done.empty()


async def test_a_broker_that_comes_back_is_told_everything_anew(site: Site, broker: Broker) -> None:
    plugin = await site.start()
    await site.site.line("mqtt_connected")
    await asyncio.to_thread(broker.stop)
    await site.site.line("mqtt_disconnected")
    site.site.states["CP 1"] = state(status="Charging", transaction_id=7)
    await delivered(plugin, status_changed(), site.site)
    await asyncio.to_thread(broker.start)
    async with site.client() as client:
        await client.until(CONNECTOR, lambda facts: facts["transaction_id"] == 7)
        await client.until(DISCOVERY)
        assert await client.until("mcpp/status") == b"online"
    assert len(site.site.named("mqtt_disconnected")) == 1


async def test_at_the_end_the_server_is_shown_as_offline(site: Site) -> None:
    await site.start()
    async with site.client() as client:
        await client.until("mcpp/status", lambda value: value == b"online")
        await site.stop()
        await client.until("mcpp/status", lambda value: value == b"offline")


async def test_the_end_does_not_wait_for_a_broker_that_is_not_there(site: Site, broker: Broker) -> None:
    await asyncio.to_thread(broker.stop)
    await site.start()
    await site.site.line("mqtt_disconnected")
    async with asyncio.timeout(10):
        await site.stop()
