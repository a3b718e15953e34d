"""A charge point as Home Assistant discovers it: one device with its entities (device discovery, since 2024.12)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from pydantic import JsonValue

from mcpp import __version__
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.statuses import ConnectorStatus
from mcpp.plugins import ChargePointState
from mcpp.plugins.builtin.mqtt.topics import Topics
from mcpp.reads.connector_names import Numbers, connector_name, has_several

_COMMANDED: Final = {"charging": "switch", "limit": "number"}

_PLATFORMS: Final = {"status": "sensor", "power": "sensor", "energy": "sensor", **_COMMANDED}
"""Of a connector's entities, by their names."""

_HIGHEST_LIMIT: Final = 32
"""A, per phase: most that a home's connector bears."""

_ENERGY: Final[dict[str, JsonValue]] = {
    "device_class": "energy",
    "unit_of_measurement": "kWh",
    "suggested_display_precision": 2,
}


def object_id(charge_point_id: str) -> str:
    """An identity in the characters that Home Assistant takes; no two become one."""
    return "mcpp_" + re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", charge_point_id)


def describe(
    state: ChargePointState, topics: Topics, *, commands: bool, gone: Collection[Numbers] = ()
) -> dict[str, JsonValue]:
    """The content of a discovery message; without what gives commands where none are taken.

    Home Assistant keeps an entity that a later message says nothing of; so of those that are gone it's told just the
    platform, which removes them.
    """
    identity = state.charge_point_id
    device: dict[str, JsonValue] = {
        "identifiers": [object_id(identity)],
        "name": state.display_name or identity,
        "manufacturer": state.vendor,
        "model": state.model,
        "serial_number": state.serial_number,
        "sw_version": state.firmware_version,
    }
    components: dict[str, JsonValue] = {}
    components.update(_station(identity, topics))
    numbers = [(connector.evse_id, connector.connector_id) for connector in state.connectors]
    for evse_id, connector_id in numbers:
        if connector_id != CHARGE_POINT:
            title = connector_name(connector_id, evse_id, several=has_several(evse_id, numbers))
            place = _Place(identity, connector_id, evse_id, title[:1].upper() + title[1:])
            components.update(_connector(place, topics, commands=commands))
    for evse_id, connector_id in gone:
        components.update({_key(name, connector_id, evse_id): _removed(name) for name in _PLATFORMS})
    return {
        "device": {name: value for name, value in device.items() if value is not None},
        "origin": {"name": "MCPP", "sw_version": __version__},
        "components": components,
    }


def _key(name: str, connector_id: int, evse_id: int) -> str:
    id_of_evse = "" if evse_id == NO_EVSE else f"evse_{evse_id}_"
    return f"{id_of_evse}connector_{connector_id}_{name}"


def _removed(name: str) -> JsonValue:
    return {"platform": _PLATFORMS[name]}


def _station(charge_point_id: str, topics: Topics) -> Iterable[tuple[str, JsonValue]]:
    """What is there also while the charge point is offline."""

    def entity(key: str, platform: str, name: str, template: str, **more: JsonValue) -> tuple[str, JsonValue]:
        return key, {
            "platform": platform,
            "unique_id": f"{object_id(charge_point_id)}_{key}",
            "name": name,
            "state_topic": topics.charge_point(charge_point_id),
            "value_template": template,
            "availability": [{"topic": topics.status}],
            **more,
        }

    yield entity(
        "connected",
        "binary_sensor",
        "Connected",
        "{{ 'ON' if value_json.connected else 'OFF' }}",
        device_class="connectivity",
        entity_category="diagnostic",
    )
    yield entity(
        "energy", "sensor", "Energy", "{{ value_json.energy_wh / 1000 }}", state_class="total_increasing", **_ENERGY
    )


class _Place(NamedTuple):
    """A connector and what it's called."""

    charge_point_id: str
    connector_id: int
    evse_id: int
    title: str


def _connector(place: _Place, topics: Topics, *, commands: bool) -> Iterable[tuple[str, JsonValue]]:
    charge_point_id, connector_id, evse_id, title = place

    def entity(name: str, label: str, template: str, **more: JsonValue) -> tuple[str, JsonValue]:
        key = _key(name, connector_id, evse_id)
        return key, {
            "platform": _PLATFORMS[name],
            "unique_id": f"{object_id(charge_point_id)}_{key}",
            "name": f"{title} {label}",
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

    yield entity(
        "status",
        "status",
        "{{ value_json.status }}",
        device_class="enum",
        options=[status.value for status in ConnectorStatus],
        icon="mdi:ev-station",
    )
    yield entity(
        "power",
        "power",
        "{{ value_json.power_w }}",
        device_class="power",
        state_class="measurement",
        unit_of_measurement="W",
        suggested_display_precision=0,
    )
    yield entity(
        "energy",
        "session energy",
        "{{ None if value_json.energy_wh is none else value_json.energy_wh / 1000 }}",
        state_class="total",
        last_reset_value_template="{{ value_json.session_started_at or '' }}",
        **_ENERGY,
    )
    if commands:
        yield entity(
            "charging",
            "charging",
            "{{ 'ON' if value_json.transaction_id else 'OFF' }}",
            command_topic=topics.charging(charge_point_id, connector_id, evse_id),
            icon="mdi:ev-plug-type2",
        )
        yield entity(
            "limit",
            "limit",
            "{{ value_json.limit_a }}",
            command_topic=topics.limit(charge_point_id, connector_id, evse_id),
            device_class="current",
            unit_of_measurement="A",
            min=0,
            max=_HIGHEST_LIMIT,
            step=1,
            mode="box",
        )
    else:
        for name in _COMMANDED:
            yield _key(name, connector_id, evse_id), _removed(name)
