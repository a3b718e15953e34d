"""A charge point as Home Assistant discovers it: one device with its entities (device discovery, since 2024.12)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import JsonValue

from mcpp import __version__
from mcpp.domain.memory import NO_EVSE
from mcpp.plugins import ChargePointState
from mcpp.plugins.builtin.mqtt.topics import Topics
from mcpp.reads.connector_names import connector_name, has_several


def object_id(charge_point_id: str) -> str:
    """An identity in the characters that Home Assistant takes; no two become one."""
    return "mcpp_" + re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", charge_point_id)


def describe(state: ChargePointState, topics: Topics, *, commands: bool) -> dict[str, JsonValue]:
    """The content of a discovery message; without switches where commands aren't taken."""
    device: dict[str, JsonValue] = {
        "identifiers": [object_id(state.charge_point_id)],
        "name": state.charge_point_id,
        "manufacturer": state.vendor,
        "model": state.model,
        "sw_version": state.firmware_version,
    }
    components: dict[str, JsonValue] = {"connected": _connectivity(state.charge_point_id, topics)}
    numbers = [(connector.evse_id, connector.connector_id) for connector in state.connectors]
    for evse_id, connector_id in numbers:
        if connector_id > 0:
            title = connector_name(connector_id, evse_id, several=has_several(evse_id, numbers))
            place = _Place(state.charge_point_id, connector_id, evse_id, title[:1].upper() + title[1:])
            components.update(_connector(place, topics, commands=commands))
    return {
        "device": {name: value for name, value in device.items() if value is not None},
        "origin": {"name": "MCPP", "sw_version": __version__},
        "components": components,
    }


def _connectivity(charge_point_id: str, topics: Topics) -> JsonValue:
    return {
        "platform": "binary_sensor",
        "unique_id": f"{object_id(charge_point_id)}_connected",
        "name": "Connected",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": topics.charge_point(charge_point_id),
        "value_template": "{{ 'ON' if value_json.connected else 'OFF' }}",
        "availability": [{"topic": topics.status}],
    }


class _Place(NamedTuple):
    """A connector and what it's called."""

    charge_point_id: str
    connector_id: int
    evse_id: int
    title: str


def _connector(place: _Place, topics: Topics, *, commands: bool) -> Iterable[tuple[str, JsonValue]]:
    charge_point_id, connector_id, evse_id, title = place
    id_of_evse = "" if evse_id == NO_EVSE else f"evse_{evse_id}_"

    def entity(name: str, platform: str, template: str, **more: JsonValue) -> tuple[str, JsonValue]:
        key = f"{id_of_evse}connector_{connector_id}_{name}"
        return key, {
            "platform": platform,
            "unique_id": f"{object_id(charge_point_id)}_{key}",
            "name": f"{title} {name}",
            "state_topic": topics.connector(charge_point_id, connector_id, evse_id),
            "value_template": template,
            "availability": [
                {"topic": topics.status},
                {
                    "topic": topics.charge_point(charge_point_id),
                    "value_template": "{{ 'online' if value_json.connected else 'offline' }}",
                },
            ],
            "availability_mode": "all",
            **more,
        }

    yield entity("status", "sensor", "{{ value_json.status }}")
    yield entity(
        "power",
        "sensor",
        "{{ value_json.power_w }}",
        device_class="power",
        state_class="measurement",
        unit_of_measurement="W",
    )
    yield entity(
        "energy",
        "sensor",
        "{{ value_json.energy_wh }}",
        device_class="energy",
        state_class="total_increasing",
        unit_of_measurement="Wh",
    )
    if commands:
        yield entity(
            "charging",
            "switch",
            "{{ 'ON' if value_json.transaction_id else 'OFF' }}",
            command_topic=topics.charging(charge_point_id, connector_id, evse_id),
        )
