from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.field_notes.site import Central, central_system


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    """A central system with the default settings."""
    async with central_system(tmp_path) as running:
        yield running
