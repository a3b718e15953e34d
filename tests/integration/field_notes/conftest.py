from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.field_notes.charger import RawCharger
from tests.integration.field_notes.site import Central, central_system


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    """A central system with the default settings."""
    async with central_system(tmp_path) as running:
        yield running


@pytest.fixture
async def charger(central: Central) -> AsyncIterator[RawCharger]:
    """A charger that is connected to it, by the name CP-1."""
    async with central.dial() as connected:
        yield connected
