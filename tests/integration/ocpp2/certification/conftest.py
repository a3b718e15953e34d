from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.certification.by_the_letter import Station, station_at


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def central(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Central]:
    """A central system for all tests of a module, where only cards charge that an operator has stored."""
    async with central_system(tmp_path_factory.mktemp("central"), authorization="known") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def cs(central: Central) -> AsyncIterator[Station]:
    """A station of its own that has booted; its connector is free."""
    async with station_at(central) as station:
        yield station
