"""Fixtures of the read side's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcpp.storage.sqlite.readers import SqliteReaderPool
from tests.database import Database


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Database]:
    fleet = Database(tmp_path / "mcpp.db")
    yield fleet
    fleet.close()


@pytest.fixture
async def pool(fleet: Database) -> AsyncIterator[SqliteReaderPool]:
    pool = await SqliteReaderPool.open(fleet.path, size=1)
    yield pool
    await pool.close()
