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
from mcpp.plugins.builtin.mqtt.topics import ChargingCommand, LimitCommand, Operation, Topics
from tests.events import CONNECTED, DISCONNECTED, MEASURED, PREPARING, STARTED, STOPPED
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
    assert TOPICS.understand(TOPICS.limit(identity, 1, 2)) == LimitCommand(identity, 1, 2)


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


def followed(*happened: Event, running: int | None = None) -> SiteReadings:
    readings = SiteReadings()
    readings.look(seen(running))
    for event in (replace(CONNECTED, at=START), *happened):
        readings.follow(event)
    return readings


def seen(running: int | None = None, *, connected: bool = True, energy_wh: int = 0) -> ChargePointState:
    known = replace(connector(1), transaction_id=running, transaction_started_at=None if running is None else START)
    return replace(charge_point("CP-1", connected=connected), connectors=(known,), energy_wh=energy_wh)


def shown(readings: SiteReadings, at: datetime = START, *, connected: bool = True) -> tuple[object, object]:
    """Power and energy of the only connector."""
    state = seen(connected=connected)
    facts = readings.facts(state, state.connectors[0], at)
    return facts["power_w"], facts["energy_wh"]


def test_a_session_begins_at_zero_and_after_it_power_is_zero_until_it_is_measured_again() -> None:
    readings = followed(STARTED)
    assert shown(readings) == (None, 0)

    readings.follow(measured(START, power(7200.04), wh=1234))
    assert shown(readings) == (7200.0, 1234)

    readings.follow(replace(STOPPED, energy_wh=1240))
    readings.follow(replace(measured(minute(1), power(0, minute(1))), transaction_id=None))
    assert shown(readings, minute(1)) == (0.0, 1240)

    readings.follow(replace(STARTED, transaction_id=8))
    readings.follow(replace(measured(minute(60), power(3000, minute(60))), transaction_id=8))
    assert shown(readings, minute(60)) == (3000.0, 0)

    readings.follow(DISCONNECTED)
    assert shown(readings, minute(60), connected=False) == (None, 0)


def test_stale_power_is_not_shown_and_the_energy_stays() -> None:
    readings = followed(STARTED, measured(START, power(7200), wh=1234))

    assert shown(readings, minute(5)) == (7200.0, 1234)
    assert shown(readings, minute(5.1)) == (None, 1234)


def test_where_nothing_can_flow_the_power_is_zero_though_none_was_ever_measured() -> None:
    readings = followed(replace(PREPARING, status="Available"))
    assert shown(readings) == (0.0, None)
    readings.follow(replace(PREPARING, status="Charging"))
    assert shown(readings) == (None, None)


def test_power_follows_from_voltage_and_current() -> None:
    voltage = SampleKind("Voltage", "", "V", "Sample.Periodic", "Outlet", "Raw")
    current = SampleKind("Current.Import", "", "A", "Sample.Periodic", "Outlet", "Raw")
    readings = followed(STARTED, measured(START, Sample(START, voltage, "230", 0), Sample(START, current, "6", 1)))

    assert shown(readings) == (1380.0, 0)


def test_a_session_that_ran_before_the_server_came_is_known() -> None:
    charging = replace(connector(1), status="Charging", transaction_id=7, transaction_started_at=START, energy_wh=500)
    state = replace(charge_point("CP-1", connected=True), connectors=(charging,))
    readings = SiteReadings()
    readings.load([state])
    readings.look(state)
    assert readings.facts(state, charging, START) == {
        "power_w": None,
        "session_started_at": START.isoformat(),
        "energy_wh": 500,
    }
    readings.follow(measured(START, power(7200), wh=700))
    assert shown(readings) == (7200.0, 700)

    readings.follow(replace(STOPPED, energy_wh=710))
    assert shown(readings) == (0.0, 710)


def test_a_session_has_the_same_beginning_after_a_restart() -> None:
    told = replace(STARTED, started_at=START + timedelta(microseconds=983_704))
    state = seen()
    before = followed(told).facts(state, state.connectors[0], START)
    (known,) = seen(running=told.transaction_id).connectors
    stored = replace(state, connectors=(replace(known, transaction_started_at=START + timedelta(milliseconds=983)),))
    after = SiteReadings()
    after.look(stored)
    assert after.facts(stored, stored.connectors[0], START)["session_started_at"] == before["session_started_at"]


def test_a_session_that_is_over_does_not_replace_the_one_after_it() -> None:
    readings = followed(running=8)
    readings.follow(replace(STOPPED, transaction_id=7, energy_wh=1240))
    readings.follow(replace(measured(START, wh=5), transaction_id=8))
    assert shown(readings) == (None, 5)


def test_the_total_grows_with_the_session_and_never_falls() -> None:
    charging = replace(connector(1), transaction_id=7, energy_wh=500)
    state = replace(charge_point("CP-1", connected=True), connectors=(charging,), energy_wh=10_500)
    readings = SiteReadings()
    readings.look(state)
    assert readings.total_wh(state) == 10_500
    readings.follow(measured(START, wh=700))
    assert readings.total_wh(state) == 10_700
    read_too_early = replace(state, energy_wh=10_000, connectors=(replace(charging, transaction_id=None),))
    assert readings.total_wh(read_too_early) == 10_700
    readings.follow(replace(STOPPED, energy_wh=710))
    assert readings.total_wh(replace(read_too_early, energy_wh=10_710)) == 10_710


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
    components = message["components"]
    assert isinstance(components, dict)
    assert set(components) == {"connected", "energy"} | {
        f"connector_{n}_{entity}" for n in (1, 2) for entity in ("status", "power", "energy", "charging", "limit")
    }
    removed = {
        key for key, component in components.items() if component in ({"platform": "switch"}, {"platform": "number"})
    }
    assert removed == (set() if commands else {f"connector_{n}_{it}" for n in (1, 2) for it in ("charging", "limit")})
    ids = [component.get("unique_id") for component in components.values() if isinstance(component, dict)]
    assert len(set(map(str, ids)) - {"None"}) == len(components) - len(removed)


def test_home_assistant_is_told_the_charge_point_by_its_name_and_what_it_no_longer_has() -> None:
    state = replace(
        charge_point("CP-1", connected=True), display_name="Garage", serial_number="7", connectors=(connector(1, 1),)
    )
    message = describe(state, TOPICS, commands=True, gone=[(0, 1)])
    assert message["device"] == {"identifiers": ["mcpp_CP-1"], "name": "Garage", "serial_number": "7"}
    components = message["components"]
    assert isinstance(components, dict)
    removed = {key: component for key, component in components.items() if len(component or ()) == 1}  # type: ignore[arg-type]
    assert removed == {
        "connector_1_status": {"platform": "sensor"},
        "connector_1_power": {"platform": "sensor"},
        "connector_1_energy": {"platform": "sensor"},
        "connector_1_charging": {"platform": "switch"},
        "connector_1_limit": {"platform": "number"},
    }


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
    assert len(components) == 12


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


async def test_a_topic_that_is_cleared_is_sent_empty_until_the_broker_has_it() -> None:
    board = Board()
    board.pin("a", b"1")
    assert await board.take() == ("a", b"1")
    board.clear("a")
    board.clear("b")
    assert await board.take() == ("a", b"")
    board.renew()
    assert await board.take() == ("a", b"")
    taking = asyncio.ensure_future(board.take())
    await asyncio.wait_for(board.settled(), 10)
    board.renew()
    board.pin("c", b"1")
    assert await asyncio.wait_for(taking, 10) == ("c", b"1")
