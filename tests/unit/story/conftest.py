"""A session that was charged, in a real database and a log made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import Database
from tests.unit.story.charged import Charged


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "mcpp.db")
    yield database
    database.close()


@pytest.fixture
def charged(database: Database) -> Charged:
    return Charged(database)
