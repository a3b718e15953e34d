"""The site's chargers that speak OCPP 2.0.1 or 2.1."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from mcpp.csms.version import KnownVersion
from mcpp.simulator.ocpp2.charging_station import equip
from mcpp.simulator.ocpp2.station import Station, card
from mcpp_generated.ocpp21.models import (
    ChargingStateEnumType,
    ChargingStationType,
    ConnectorStatusEnumType,
    TriggerReasonEnumType,
)
from tools.showcase.charger import Charger, Model

_CONNECTOR = 1
"""Of every EVSE."""


class Station2(Charger):
    """One of them."""

    def __init__(self, model: Model, url: str, version: KnownVersion) -> None:
        super().__init__(model)
        self._at: datetime | None = None
        """When that happens that it tells of; None for now."""
        self.station = equip(
            Station(
                url,
                model.identity,
                version,
                connectors=(1,) * model.places,
                station=ChargingStationType(
                    vendor_name=model.vendor,
                    model=model.model,
                    firmware_version=model.firmware,
                    serial_number=model.serial_number,
                ),
                now=lambda: self._at or datetime.now(UTC),
                items_per_message=50,
            )
        )

    async def come(self) -> None:
        await self.station.boot()

    async def begin(self, card_number: str, at: datetime, place: int) -> None:
        self._at = at
        evse = self.station.evses[place]
        evse.register, evse.plugged = self.register(place), _CONNECTOR
        await self.station.begin(place, TriggerReasonEnumType.AUTHORIZED, token=card(card_number))
        await self.station.change_state(place, ChargingStateEnumType.CHARGING)

    async def measure(self, at: datetime, watts: float, place: int) -> None:
        self._at = at
        evse = self.station.evses[place]
        evse.register, evse.power = self.register(place), watts
        await self.station.sample(place)

    async def end(self, at: datetime, place: int) -> None:
        self._at = at
        evse = self.station.evses[place]
        evse.register, evse.plugged = self.register(place), None
        await self.station.end(place)
        self._at = None

    async def show_charging(self, place: int) -> None:
        self._at = None
        await self.station.report_status(place, _CONNECTOR, ConnectorStatusEnumType.OCCUPIED)

    async def show_full(self, place: int) -> None:
        await self.show_charging(place)
        await self.station.change_state(place, ChargingStateEnumType.SUSPENDED_EV)

    async def show_fault(self, place: int) -> None:
        self._at = None
        await self.station.report_status(place, _CONNECTOR, ConnectorStatusEnumType.FAULTED)


@asynccontextmanager
async def connected(url: str, model: Model, version: KnownVersion) -> AsyncIterator[Charger]:
    """One that is connected while the block runs."""
    station = Station2(model, url, version)
    async with station.station:
        yield station
