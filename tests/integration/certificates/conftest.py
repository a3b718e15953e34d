from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.certificates.device import Device, DeviceCharger, on_line
from tests.integration.certificates.site import Site, make_authority, running


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A central system with an authority."""
    make_authority(tmp_path)
    async with running(tmp_path) as site:
        yield site


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
async def charger(site: Site, device: Device) -> AsyncIterator[DeviceCharger]:
    """A charger that is connected by its password."""
    await site.register(device)
    async with on_line(device, site.url) as connected:
        yield connected
