from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from mcpp.domain.events import Event, MeterValuesReceived
from mcpp.domain.samples import Sample, SampleKind
from mcpp.errors import StartError
from mcpp.plugins import ChargePointState, ConnectorState
from mcpp.plugins.builtin.mqtt import Mqtt, MqttSettings
from mcpp.plugins.builtin.mqtt.board import Board
from mcpp.plugins.builtin.mqtt.discovery import describe, object_id
from mcpp.plugins.builtin.mqtt.readings import SiteReadings
from mcpp.plugins.builtin.mqtt.settings import Broker, broker
from mcpp.plugins.builtin.mqtt.topics import ChargingCommand, Operation, Topics
from tests.events import CONNECTED, DISCONNECTED, MEASURED, STARTED, STOPPED
from tests.unit.plugins.site_by_hand import START, charge_point

TOPICS = Topics("mcpp")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker.example", Broker("broker.example", 1883, False, None, None)),
        ("mqtts://broker.example", Broker("broker.example", 8883, True, None, None)),
        ("mqtt://user:p%40ss@[::1]:1884/", Broker("::1", 1884, False, "user", "p@ss")),
    ],
)
def test_a_url_names_the_broker(url: str, expected: Broker) -> None:
    assert broker(url) == expected


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("URL", "http://user:hunter2@broker.example", "must be a URL such as"),
        ("URL", "mqtt://user:hunter2@broker.example:port", "must be a URL such as"),
        ("URL", "mqtt://user:hunter2@broker.example/topic", "must be a URL such as"),
        ("PREFIX", "site/+", "is no topic"),
        ("DISCOVERY_PREFIX", "$SYS", "is no topic"),
    ],
)
def test_a_mistake_in_the_settings_stops_the_start(
    name: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_MQTT_URL", "mqtt://broker.example")
    monkeypatch.setenv(f"MCPP_PLUGIN_MQTT_{name}", value)
    with pytest.raises(ValidationError, match=complaint) as mistake:
        MqttSettings()
    assert "hunter2" not in str(mistake.value)


def test_without_its_package_the_plugin_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    monkeypatch.setenv("MCPP_PLUGIN_MQTT_URL", "mqtt://broker.example")
    with pytest.raises(StartError, match=r"pip install 'mcpp-csms\[mqtt\]'"):
        Mqtt()


@pytest.mark.parametrize("identity", ["CP-1", "ten #7", "a+b", "50%", "münchen", "a/b"])
def test_an_identity_comes_back_from_its_topic(identity: str) -> None:
    topic = TOPICS.charging(identity, 2)
    assert not set("+#") & set(topic)
    assert topic.count("/") == TOPICS.charging("CP-1", 2).count("/")
    assert TOPICS.understand(topic) == ChargingCommand(identity, 2)


def test_an_operation_is_answered_beside_its_topic() -> None:
    found = TOPICS.understand("mcpp/charge_points/a%2Bb/commands/Reset")
    assert found == Operation("a+b", "Reset", "mcpp/charge_points/a%2Bb/answers/Reset")


@pytest.mark.parametrize("topic", ["mcpp/status", TOPICS.charge_point("CP-1"), "mcpp/charge_points/CP-1/commands/a/b"])
def test_other_topics_are_no_commands(topic: str) -> None:
    assert TOPICS.understand(topic) is None


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def power(watts: object, at: datetime = START) -> Sample:
    return Sample(at, SampleKind("Power.Active.Import", "", "W", "Sample.Periodic", "Outlet", "Raw"), str(watts), 0)


def measured(at: datetime, *samples: Sample, wh: int | None = None) -> MeterValuesReceived:
    return replace(MEASURED, at=at, samples=samples, energy_wh=wh)


def followed(*happened: Event) -> SiteReadings:
    readings = SiteReadings()
    for event in (replace(CONNECTED, at=START), *happened):
        readings.follow(event)
    return readings


def test_after_a_session_power_is_zero_until_it_is_measured_again() -> None:
    readings = followed(STARTED)
    assert readings.facts("CP-1", 1, START) == {"power_w": None, "energy_wh": None}

    readings.follow(measured(START, power(7200.04), wh=1234))
    assert readings.facts("CP-1", 1, START) == {"power_w": 7200.0, "energy_wh": 1234}

    readings.follow(replace(STOPPED, energy_wh=1240))
    readings.follow(replace(measured(minute(1), power(0, minute(1))), transaction_id=None))
    assert readings.facts("CP-1", 1, minute(1)) == {"power_w": 0.0, "energy_wh": 1240}

    readings.follow(replace(STARTED, transaction_id=8))
    readings.follow(replace(measured(minute(60), power(3000, minute(60))), transaction_id=8))
    assert readings.facts("CP-1", 1, minute(60)) == {"power_w": 3000.0, "energy_wh": 1240}

    readings.follow(DISCONNECTED)
    assert readings.facts("CP-1", 1, minute(60)) == {"power_w": None, "energy_wh": 1240}


def test_stale_power_is_not_shown_and_the_energy_stays() -> None:
    readings = followed(STARTED, measured(START, power(7200), wh=1234))

    assert readings.facts("CP-1", 1, minute(5)) == {"power_w": 7200.0, "energy_wh": 1234}
    assert readings.facts("CP-1", 1, minute(5.1)) == {"power_w": None, "energy_wh": 1234}


def test_power_follows_from_voltage_and_current() -> None:
    voltage = SampleKind("Voltage", "", "V", "Sample.Periodic", "Outlet", "Raw")
    current = SampleKind("Current.Import", "", "A", "Sample.Periodic", "Outlet", "Raw")
    readings = followed(STARTED, measured(START, Sample(START, voltage, "230", 0), Sample(START, current, "6", 1)))

    assert readings.facts("CP-1", 1, START) == {"power_w": 1380.0, "energy_wh": None}


def test_a_session_that_ran_before_the_server_came_is_known() -> None:
    charging = replace(connector(1), status="Charging", transaction_id=7)
    readings = SiteReadings()
    readings.load([replace(charge_point("CP-1", connected=True), connectors=(charging,))])
    readings.follow(measured(START, power(7200)))
    assert readings.facts("CP-1", 1, START)["power_w"] == 7200.0

    readings.follow(STOPPED)
    assert readings.facts("CP-1", 1, START)["power_w"] == 0.0


def test_no_two_identities_share_an_object_id() -> None:
    identities = ["CP_1", "CP 1", "CP-1", "CP_5f_1", "CP#1", "cp-1"]
    ids = {object_id(identity) for identity in identities}
    assert len(ids) == len(identities)
    assert all(c.isascii() and (c.isalnum() or c in "_-") for one in ids for c in one)


def connector(connector_id: int, evse_id: int = 0) -> ConnectorState:
    return ConnectorState(
        connector_id=connector_id,
        evse_id=evse_id,
        status="Available",
        error_code="NoError",
        status_at=START,
        transaction_id=None,
        inoperative=False,
        reserved_for=None,
        session_correlation_id=None,
    )


@pytest.mark.parametrize("commands", [True, False])
def test_home_assistant_is_told_of_each_connector(commands: bool) -> None:
    state = ChargePointState(
        charge_point_id="CP-1",
        connected=True,
        accepted=True,
        vendor="Vendor",
        model="Model",
        firmware_version=None,
        auto_start=None,
        connectors=(connector(0), connector(1), connector(2)),
    )
    message = describe(state, TOPICS, commands=commands)
    assert message["device"] == {
        "identifiers": ["mcpp_CP-1"],
        "name": "CP-1",
        "manufacturer": "Vendor",
        "model": "Model",
    }
    entities = ["status", "power", "energy", *(["charging"] if commands else [])]
    components = message["components"]
    assert isinstance(components, dict)
    assert set(components) == {"connected"} | {f"connector_{n}_{entity}" for n in (1, 2) for entity in entities}
    ids = [component["unique_id"] for component in components.values() if isinstance(component, dict)]
    assert len(ids) == len(set(map(str, ids))) == len(components)


def test_an_evse_has_topics_and_entities_of_its_own() -> None:
    state = replace(charge_point("CP-1", connected=True), connectors=(connector(0), connector(1, 1), connector(1, 2)))
    components = describe(state, TOPICS, commands=True)["components"]
    assert isinstance(components, dict)
    switch = components["evse_2_connector_1_charging"]
    assert isinstance(switch, dict)
    topic = "mcpp/charge_points/CP-1/evses/2/connectors/1"
    assert (switch["name"], switch["state_topic"], switch["command_topic"]) == (
        "EVSE 2 charging",
        f"{topic}/state",
        f"{topic}/charging/set",
    )
    assert TOPICS.understand(f"{topic}/charging/set") == ChargingCommand("CP-1", 1, 2)
    assert len(components) == 9


async def test_the_board_keeps_the_last_word_of_each_topic() -> None:
    board = Board()
    for number in range(1000):
        board.pin("a", str(number).encode())
        board.pin("b", b"same")
    assert [await board.take(), await board.take()] == [("a", b"999"), ("b", b"same")]
    taking = asyncio.ensure_future(board.take())
    await asyncio.wait_for(board.settled(), 10)
    board.pin("b", b"same")
    assert not taking.done()
    board.pin("b", b"other")
    assert await asyncio.wait_for(taking, 10) == ("b", b"other")


async def test_a_broker_that_is_back_is_told_everything() -> None:
    board = Board()
    board.pin("a", b"1")
    board.pin("b", b"2")
    await board.take()
    await board.take()
    board.renew()
    assert {await board.take(), await board.take()} == {("a", b"1"), ("b", b"2")}
