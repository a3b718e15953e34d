"""Fixtures of the read side's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcpp.storage.sqlite.readers import SqliteReaderPool
from tests.unit.reads.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path / "mcpp.db")
    yield fleet
    fleet.close()


@pytest.fixture
async def pool(fleet: Fleet) -> AsyncIterator[SqliteReaderPool]:
    pool = await SqliteReaderPool.open(fleet.path, size=1)
    yield pool
    await pool.close()
