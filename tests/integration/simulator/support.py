"""A virtual charging station at a central system in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, JsonValue

from mcpp.csms.version import KnownVersion
from mcpp.simulator.ocpp2.charging_station import equip
from mcpp.simulator.ocpp2.station import Station
from tests.integration.field_notes.site import Central, central_system, until

TOKEN: Final[JsonValue] = {"idToken": "TAG", "type": "ISO14443"}


class Told:
    """What a station has told and was answered, by action."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Any]] = []

    async def __call__(self, action: str, request: BaseModel, _: BaseModel) -> None:
        self.messages.append((action, request))

    def of(self, action: str) -> list[Any]:
        return [request for name, request in self.messages if name == action]

    def take(self) -> list[str]:
        """The actions so far, which are forgotten."""
        taken, self.messages = [name for name, _ in self.messages], []
        return taken


@asynccontextmanager
async def station_at(folder: Path, version: KnownVersion) -> AsyncIterator[tuple[Central, Station, Told]]:
    told = Told()
    async with central_system(folder) as central:
        station = equip(Station(central.ocpp_url, "CP-1", version, connectors=(1, 2), seen=told, call_timeout=10))
        async with station:
            await station.boot()
            yield central, station, told


async def told_of(told: Told, *wanted: str) -> None:
    """Wait until it has told these, among others."""

    async def look() -> bool:
        names = [name for name, _ in told.messages]
        return all(names.count(name) >= wanted.count(name) for name in wanted)

    await until(look)
