from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.station import VERSIONS, Station, station


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    """A central system with the default settings."""
    async with central_system(tmp_path) as running:
        yield running


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """What the station speaks."""
    spoken: str = request.param
    return spoken


@pytest.fixture
async def cp(central: Central, version: str) -> AsyncIterator[Station]:
    """A station that is connected to it, by the name CP-1."""
    async with station(central.ocpp_url, version) as connected:
        yield connected


@pytest.fixture
async def cp201(central: Central) -> AsyncIterator[Station]:
    """One that speaks 2.0.1, for what is the same in both."""
    async with station(central.ocpp_url, "2.0.1") as connected:
        yield connected
