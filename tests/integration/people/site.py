"""A central system whose clock the test sets, and a charger that charges at the times that it's told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import JsonValue

from mcpp.clock import Clock
from tests.integration.field_notes.charger import RawCharger, spelled
from tests.integration.field_notes.site import Central, central_system

BERLIN = "Europe/Berlin"


class SetClock:
    """Runs as the machine's does, from where the test sets it; forward only."""

    def __init__(self, text: str) -> None:
        self._ahead = datetime.fromisoformat(text).timestamp() - time.time()
        self.clock = Clock(
            lambda: time.time() + self._ahead, lambda: time.monotonic() + self._ahead, is_synchronized=lambda: True
        )

    def set(self, text: str) -> None:
        """Set it forward to a time, unless that is past."""
        self._ahead += max(0.0, (datetime.fromisoformat(text) - self.clock.now()).total_seconds())

    def forward(self, by: timedelta) -> None:
        self._ahead += by.total_seconds()


@dataclass
class House:
    """A house with a charger, its people and the clock."""

    central: Central
    charger: RawCharger
    time: SetClock
    meter: dict[int, int] = field(default_factory=dict)
    """The register of each connector, in Wh."""

    async def begin(self, tag: str, at: str, *, connector: int = 1) -> int:
        """A start at a time, which is the server's as well."""
        self.time.set(at)
        meter = self.meter.setdefault(connector, 1000)
        return await self.charger.start(told(at), meter=meter, tag=tag, connector=connector)

    async def end(
        self, transaction_id: int, at: str, wh: int, *, connector: int = 1, said_at: str | None = None
    ) -> None:
        """A stop with so much energy, told when it happens or later."""
        self.time.set(said_at or at)
        self.meter[connector] += wh
        await self.charger.stop(transaction_id, told(at), meter=self.meter[connector])

    async def charge(self, tag: str, begin: str, end: str, wh: int, *, connector: int = 1) -> int:
        """A whole session, told while it happens; gives its id."""
        transaction_id = await self.begin(tag, begin, connector=connector)
        await self.end(transaction_id, end, wh, connector=connector)
        return transaction_id

    async def put(self, person_id: str, body: dict[str, JsonValue], **parameters: str) -> httpx.Response:
        return await self.central.http.put(f"/api/v1/people/{person_id}", json=body, params=parameters)

    async def person(self, person_id: str, **body: JsonValue) -> dict[str, Any]:
        response = await self.put(person_id, body)
        assert response.is_success, response.text
        shown: dict[str, Any] = response.json()
        return shown

    async def statement(self, person_id: str, month: str) -> dict[str, Any]:
        shown: dict[str, Any] = await self.central.get(f"people/{person_id}/statement", month=month, timezone=BERLIN)
        return shown

    async def lines(self, person_id: str, month: str) -> list[tuple[int, int | None, str | None]]:
        """The sessions of a statement: transaction, Wh, amount."""
        return [
            (line["transaction_id"], line["figure"]["energy_wh"], line["figure"]["amount"])
            for line in (await self.statement(person_id, month))["sessions"]
        ]

    async def booked(self, person_id: str, **filters: str) -> int:
        """What the books say now of a person's sessions, in Wh."""
        items = await self.central.items("transactions", person_id=person_id, **filters)
        return sum(item["energy_wh"] for item in items if not item["energy_implausible"])


def told(text: str) -> str:
    """A time as a charger tells it."""
    return spelled(datetime.fromisoformat(text))


@asynccontextmanager
async def house(folder: Path, now: str, **settings: str) -> AsyncIterator[House]:
    """A house at a time."""
    time_set = SetClock(now)
    async with central_system(folder, time_set.clock, **settings) as central, central.dial() as charger:
        await charger.boot()
        yield House(central, charger, time_set)
