"""Fixtures of the tests of OCPP 1.6."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcpp.domain.memory import Memory
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.sqlite.queries import SqliteQueries
from tests.unit.ocpp16.central import Central


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    central = Central(writer, memory)
    central.key = await central.register("CP-1")
    yield central
    await writer.close()
