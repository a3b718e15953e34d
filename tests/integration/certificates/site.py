"""A central system with a certificate authority, in the test's own process."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from mcpp.certificates.authority import create_authority
from tests.integration.certificates.device import Device
from tests.integration.field_notes.site import Central, central_system, until


@dataclass
class Site:
    """What an operator sees and does."""

    central: Central

    @property
    def url(self) -> str:
        return self.central.ocpp_url

    def is_revoked(self, serial_number: str) -> bool:
        """What the listener asks where somebody connects by a certificate."""
        return self.central.core.certificates.revoked.is_revoked(serial_number)

    def age_certificates(self, *, hours: int) -> None:
        """As if all had been made so long ago."""
        with sqlite3.connect(self.central.database, timeout=10) as connection:
            milliseconds = hours * 3_600_000
            connection.execute(
                "UPDATE certificates SET issued_at = issued_at - ?, expires_at = expires_at - ?", (milliseconds,) * 2
            )
        connection.close()

    async def register(self, device: Device) -> None:
        await self.central.put(f"charge-points/{device.identity}", {"password": device.password})

    async def certificates(self, **query: str) -> list[dict[str, Any]]:
        return await self.central.items("certificates", **query)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.central.http.post(f"/api/v1/{path}", json=body)

    async def done(self, path: str, body: object = None) -> dict[str, Any]:
        """The answer to a request that must succeed."""
        answer = await self.post(path, body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def certificate(self, status: str, identity: str = "CP-1") -> dict[str, Any]:
        """The newest of a charger's, once it is in that state."""

        async def look() -> dict[str, Any] | None:
            found = await self.certificates(charge_point_id=identity)
            return found[0] if found and found[0]["status"] == status else None

        found = await until(look)
        assert found is not None
        return found

    async def roll_out(self, state: str, identity: str = "CP-1") -> dict[str, Any]:
        """A charger's roll-out, once it is in that state."""

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.central.get(f"charge-points/{identity}/security/roll-out")
            return found if found["state"] == state else None

        found = await until(look)
        assert found is not None
        return found

    async def waits_at(self, step: str, identity: str = "CP-1") -> dict[str, Any]:
        """A charger's roll-out, once that step's turn has come."""

        async def look() -> dict[str, Any] | None:
            found: dict[str, Any] = await self.central.get(f"charge-points/{identity}/security/roll-out")
            current = next((it["step"] for it in found["steps"] if it["state"] == "waiting"), None)
            return found if current == step else None

        found = await until(look)
        assert found is not None
        return found

    async def line(self, event: str, **facts: object) -> dict[str, Any]:
        """The log line of an event with these facts, once it is there."""
        return await self.central.logged(lambda line: line["event"] == event and facts.items() <= {**line}.items())


def make_authority(folder: Path) -> Path:
    directory = folder / "ca"
    create_authority(directory, "MCPP CA test", timedelta(days=3650), datetime.now(UTC))
    return directory


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Site]:
    """A central system whose authority's directory is `ca` in the folder, there or not."""
    async with central_system(folder, ca_directory=str(folder / "ca"), **settings) as central:
        yield Site(central)
