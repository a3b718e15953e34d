"""What `GET /readyz` says of the storage."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcpp.storage.readiness import check_writable
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mcpp.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer[sqlite3.Connection]]:
    connection = open_writer(path)
    migrate(connection)
    writer = Writer[sqlite3.Connection](connection, connection)
    yield writer
    await writer.close()


async def test_a_current_writable_database_is_ready(writer: Writer[sqlite3.Connection]) -> None:
    assert await check_writable(writer) == {"database": "ok", "schema": "ok"}


async def test_it_takes_a_write_to_be_ready(writer: Writer[sqlite3.Connection], path: Path) -> None:
    other = sqlite3.connect(path)
    before = other.execute("PRAGMA data_version").fetchone()
    await check_writable(writer)
    assert other.execute("PRAGMA data_version").fetchone() != before
    other.close()


async def test_a_locked_database_is_not(writer: Writer[sqlite3.Connection], path: Path) -> None:
    await writer.submit(lambda connection: connection.execute("PRAGMA busy_timeout = 1").fetchone())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await check_writable(writer) == {"database": "not stored: database is locked", "schema": "unknown"}
    other.close()
    assert (await check_writable(writer))["database"] == "ok"


async def test_an_answer_comes_though_the_disk_hangs(writer: Writer[sqlite3.Connection], path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # the writer waits for it, for seconds
    assert await check_writable(writer, within=0.01) == {"database": "no write within 0.01 s", "schema": "unknown"}
    other.close()


async def test_an_older_schema_is_not(writer: Writer[sqlite3.Connection]) -> None:
    await writer.submit(lambda connection: connection.execute("DELETE FROM schema_migrations WHERE version = 1"))
    checks = await check_writable(writer)
    assert checks["database"] == "ok"
    assert checks["schema"] != "ok"


async def test_a_newer_schema_is_not(writer: Writer[sqlite3.Connection]) -> None:
    await writer.submit(
        lambda connection: connection.execute("INSERT INTO schema_migrations VALUES (999, 'later', '', '')")
    )
    assert "newer mcpp" in (await check_writable(writer))["schema"]


async def test_a_closed_writer_is_not(writer: Writer[sqlite3.Connection]) -> None:
    await writer.close()
    assert (await check_writable(writer))["database"] != "ok"
