"""The plugin `mqtt`: what is shown of charge points, and what commands do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from typing import Final

import orjson
from pydantic import JsonValue

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointForgotten,
    ChargePointSettingsChanged,
    ConnectorStatusChanged,
    Event,
    MeterValuesReceived,
    TransactionCorrected,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.memory import NO_EVSE
from mcpp.errors import StartError, needs_extra
from mcpp.plugins import ChargePointState, Site, hookimpl
from mcpp.plugins.builtin.mqtt.board import Board
from mcpp.plugins.builtin.mqtt.discovery import describe, object_id
from mcpp.plugins.builtin.mqtt.limits import Limits
from mcpp.plugins.builtin.mqtt.readings import SiteReadings
from mcpp.plugins.builtin.mqtt.settings import MqttSettings, broker
from mcpp.plugins.builtin.mqtt.topics import ChargingCommand, LimitCommand, Operation, Topics
from mcpp.reads.connector_names import Numbers

_STOP_SECONDS: Final = 1.5
"""What the server's end may wait for the broker to be up to date, and again for the connection to close."""

_NO_LIMIT: Final = "NONE"
"""What lifts a limit."""

_HIGHEST_AMPERES: Final = 1000


class Mqtt:
    """Shows charge points and connectors on retained topics, and takes commands."""

    def __init__(self, settings: MqttSettings | None = None, *, backoff: Callable[[int], float] | None = None) -> None:
        """Settings come from the environment where none are given. Raises ValidationError or StartError."""
        if find_spec("aiomqtt") is None:
            raise StartError(needs_extra("mqtt"))
        self._settings = settings or MqttSettings()
        self._topics = Topics(self._settings.prefix)
        self._board = Board()
        self._backoff = backoff
        self._readings = SiteReadings()
        self._limits = Limits()
        self._states: dict[str, ChargePointState] = {}
        """As last read and shown."""
        self._gone: dict[str, set[Numbers]] = {}
        """Connectors that were shown and are none any more, such as those of another version of OCPP."""
        self._link: asyncio.Task[None] | None = None

    @hookimpl
    async def server_started(self, site: Site) -> None:
        """Show everything, and connect."""
        from mcpp.plugins.builtin.mqtt.link import Link, Reply, backoff  # aiomqtt is an extra

        async def obey(topic: str, payload: bytes) -> Reply | None:
            answer = await self._obey(topic, payload, site)
            return None if answer is None else Reply(*answer)

        self._board.pin(self._topics.status, b"online")
        states = await site.charge_points()
        self._readings.load(states)
        self._limits.load(await site.recall())
        for state in states:
            self._show(state, site.now())
        link = Link(
            broker(self._settings.url.get_secret_value()),
            self._topics,
            self._board,
            obey if self._settings.commands else None,
            site.log,
            self._backoff or backoff,
        )
        self._link = asyncio.get_running_loop().create_task(link.run())

    @hookimpl
    async def server_stopping(self) -> None:
        """Publish that the server is offline; clients needn't wait until the broker notices."""
        if self._link is None:
            return
        self._board.pin(self._topics.status, b"offline")
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._board.settled()
        self._link.cancel()
        await asyncio.wait((self._link,), timeout=_STOP_SECONDS)

    @hookimpl
    def event_published(self, event: Event, site: Site) -> Awaitable[None] | None:
        """Show what has changed."""
        self._readings.follow(event)
        match event:
            case MeterValuesReceived(connector_id=connector_id, evse_id=evse_id):
                # All else that is shown changes with events that cause it to be read again.
                state = self._states.get(event.charge_point_id)
                is_known = self._readings.knows(event)
                if state is not None and is_known and (evse_id, connector_id) in _numbers_of(state):
                    self._show_values(state, site.now())
                    return None
            case ChargePointForgotten():
                self._clear(event.charge_point_id)
                return self._limits.forget(event.charge_point_id, site)
            case (
                ChargePointConnected()
                | ChargePointDisconnected()
                | ChargePointBooted()
                | ChargePointSettingsChanged()
                | ConnectorStatusChanged()
                | TransactionStarted()
                | TransactionStopped()
                | TransactionCorrected()
            ):
                pass
            case _:
                return None
        return self._look(event.charge_point_id, site)

    async def _look(self, charge_point_id: str, site: Site) -> None:
        state = await site.charge_point(charge_point_id)
        if state is not None:
            self._show(state, site.now())

    def _show(self, state: ChargePointState, now: datetime) -> None:
        identity = state.charge_point_id
        before = self._states.get(identity)
        self._states[identity] = state
        self._readings.look(state)
        gone = self._gone.setdefault(identity, set())
        gone |= _numbers_of(before) if before is not None else set()
        gone -= _numbers_of(state)
        self._show_values(state, now)
        if self._settings.discovery:
            described = describe(state, self._topics, commands=self._settings.commands, gone=sorted(gone))
            self._board.pin(self._discovery_topic(identity), orjson.dumps(described))
        # Last, when Home Assistant no longer listens there: it would complain of a message without content.
        for evse_id, connector_id in gone:
            self._board.clear(self._topics.connector(identity, connector_id, evse_id))

    def _clear(self, identity: str) -> None:
        """Nothing is known of a charge point any more; Home Assistant forgets its device."""
        state = self._states.pop(identity, None)
        self._gone.pop(identity, None)
        self._board.clear(self._discovery_topic(identity))
        for evse_id, connector_id in _numbers_of(state) if state is not None else ():
            self._board.clear(self._topics.connector(identity, connector_id, evse_id))
        self._board.clear(self._topics.charge_point(identity))

    def _discovery_topic(self, identity: str) -> str:
        return f"{self._settings.discovery_prefix}/device/{object_id(identity)}/config"

    def _show_values(self, state: ChargePointState, now: datetime) -> None:
        identity = state.charge_point_id
        facts = {
            "name": state.display_name,
            "connected": state.connected,
            "vendor": state.vendor,
            "model": state.model,
            "serial_number": state.serial_number,
            "firmware_version": state.firmware_version,
            "energy_wh": self._readings.total_wh(state),
        }
        self._board.pin(self._topics.charge_point(identity), orjson.dumps(facts))
        for connector in state.connectors:
            shown = {
                "status": connector.status,
                "error_code": connector.error_code,
                "transaction_id": connector.transaction_id,
                **self._readings.facts(state, connector, now),
                "limit_a": self._limits.of(identity, connector.evse_id, connector.connector_id),
            }
            if connector.evse_id != NO_EVSE:
                shown["reported_status"] = connector.reported_status
            topic = self._topics.connector(identity, connector.connector_id, connector.evse_id)
            self._board.pin(topic, orjson.dumps(shown))

    async def _obey(self, topic: str, payload: bytes, site: Site) -> tuple[str, bytes] | None:
        """Carry out a command. Returns the answer and its topic where one is due."""
        command = self._topics.understand(topic)
        try:
            match command:
                case ChargingCommand():
                    accepted = await self._switch(command, payload, site)
                    site.log.info("mqtt_command", category="ocpp", topic=topic, accepted=accepted)
                case LimitCommand():
                    accepted = await self._limit(command, payload, site)
                    site.log.info("mqtt_command", category="ocpp", topic=topic, accepted=accepted)
                case Operation():
                    response = await site.send(command.charge_point_id, command.action, _json_object(payload))
                    site.log.info("mqtt_command", category="ocpp", topic=topic)
                    return command.answer_topic, orjson.dumps({"response": dict(response)})
                case None:
                    pass
        except Exception as error:  # noqa: BLE001  whatever a client of the broker wants must not end the connection
            site.log.warning("mqtt_command_failed", category="error", topic=topic, error=error)
            if isinstance(command, Operation):
                return command.answer_topic, orjson.dumps({"error": str(error)})
        return None

    async def _switch(self, command: ChargingCommand, payload: bytes, site: Site) -> bool:
        """Begin or end charging; whether the charge point accepts. Ending what doesn't run is done already."""
        identity, connector_id, evse_id = command
        match payload.strip().upper():
            case b"ON":
                return await site.verbs.remote_start(identity, connector_id, self._settings.id_tag, evse_id)
            case b"OFF":
                state = await site.charge_point(identity)
                connectors = state.connectors if state is not None else ()
                running = [
                    known.transaction_id
                    for known in connectors
                    if (known.evse_id, known.connector_id) == (evse_id, connector_id) and known.transaction_id
                ]
                return all([await site.verbs.remote_stop(identity, transaction_id) for transaction_id in running])
            case _:
                raise ValueError("a charging command is ON or OFF")

    async def _limit(self, command: LimitCommand, payload: bytes, site: Site) -> bool:
        """Limit the current, or lift the limit; whether the charge point accepts."""
        identity, connector_id, evse_id = command
        amperes = _amperes(payload)
        if not await site.verbs.limit_current(identity, connector_id, amperes, evse_id):
            return False
        await self._limits.keep(identity, evse_id, connector_id, amperes, site)
        state = self._states.get(identity)
        if state is not None:
            self._show_values(state, site.now())
        return True


def _amperes(payload: bytes) -> Decimal | None:
    text = payload.decode(errors="replace").strip()
    if text.upper() == _NO_LIMIT:
        return None
    try:
        amperes = Decimal(text)
    except InvalidOperation:
        amperes = Decimal("NaN")
    if not amperes.is_finite() or not 0 <= amperes <= _HIGHEST_AMPERES:
        raise ValueError(f"a limit is a number of amperes, from 0 to {_HIGHEST_AMPERES}, or {_NO_LIMIT}")
    return amperes


def _numbers_of(state: ChargePointState) -> set[Numbers]:
    return {(known.evse_id, known.connector_id) for known in state.connectors}


def _json_object(payload: bytes) -> dict[str, JsonValue]:
    value: JsonValue = orjson.loads(payload or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the payload is not a JSON object")
    return value
