from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api.support import Site, site


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Site]:
    """A server without a token."""
    async with site(tmp_path) as running:
        yield running
