"""Opening the database: what it refuses, and how; and the readers beside the writer."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mcpp.storage.engine import DatabaseUnusable, Durability
from mcpp.storage.sqlite import database
from mcpp.storage.sqlite.database import database_path, open_writer
from mcpp.storage.sqlite.readers import SqliteReaderPool
from mcpp.storage.writer import Writer
from tests.unit.storage.pairs import Pairs, add_pair, open_pairs

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mcpp.db"


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    """A folder to take rights away from, in the skin of a user whom that stops."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if is_root:
            os.chown(folder, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            folder.chmod(0o700)
            if is_root:
                os.seteuid(0)


def refusal(path: Path) -> str:
    with pytest.raises(DatabaseUnusable) as caught:
        open_writer(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("mcpp.db", Path.cwd() / "mcpp.db"),
        ("sqlite:///mcpp.db", Path.cwd() / "mcpp.db"),
        ("/var/lib/mcpp/mcpp.db", Path("/var/lib/mcpp/mcpp.db")),
        ("sqlite:////var/lib/my%20mcpp.db", Path("/var/lib/my mcpp.db")),
    ],
)
def test_the_setting_is_a_path_or_a_url(setting: str, expected: Path) -> None:
    assert database_path(setting) == expected


@pytest.mark.parametrize("setting", ["postgresql://host/mcpp", "sqlite://mcpp.db", "sqlite:///", ":memory:", ""])
def test_a_setting_that_names_no_file_is_refused(setting: str) -> None:
    with pytest.raises(DatabaseUnusable, match="names no file"):
        database_path(setting)


def test_a_missing_directory(tmp_path: Path) -> None:
    assert "create it" in refusal(tmp_path / "missing" / "mcpp.db")


def test_a_directory(tmp_path: Path) -> None:
    assert "is a directory" in refusal(tmp_path)


def test_a_file_of_another_kind_is_refused_and_left_as_it_was(path: Path) -> None:
    text = "not a database, though long enough for a header\n" * 100
    path.write_text(text)
    assert "is not an SQLite database" in refusal(path)
    assert path.read_text() == text


def test_another_programs_database_is_refused_and_left_as_it_was(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    assert "another program's tables" in refusal(path)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    other.close()


def test_a_directory_that_cannot_be_written(unprivileged_folder: Path) -> None:
    unprivileged_folder.chmod(0o500)
    assert "Permission denied" in refusal(unprivileged_folder / "mcpp.db")


def test_a_file_that_cannot_be_written(unprivileged_folder: Path) -> None:
    path = unprivileged_folder / "mcpp.db"
    open_writer(path).close()
    path.chmod(0o400)
    assert "can't be written" in refusal(path)


def test_a_file_that_cannot_be_read(unprivileged_folder: Path) -> None:
    path = unprivileged_folder / "mcpp.db"
    open_writer(path).close()
    path.chmod(0)
    assert "can't be written" in refusal(path)


def test_a_lock_of_another_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 0.01)
    open_writer(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "locked by another program" in refusal(path)
    other.close()
    open_writer(path).close()


def test_a_second_server_is_refused_until_the_first_has_ended(path: Path) -> None:
    hold = (
        "import sys, pathlib; from mcpp.storage.sqlite.database import open_writer;"
        " c = open_writer(pathlib.Path(sys.argv[1]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{hold}; print(flush=True); sys.stdin.read()", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline()
        assert f"in use by another mcpp process (pid {first.pid})" in refusal(path)
        first.kill()
    open_writer(path).close()


def test_two_names_of_one_file_are_one_database(path: Path) -> None:
    holder = open_writer(path)
    link = path.with_name("link.db")
    link.symlink_to(path)
    with pytest.raises(DatabaseUnusable, match="in use"):
        open_writer(link)
    holder.close()
    open_writer(link).close()


def test_a_refused_file_is_not_held(path: Path) -> None:
    path.write_text("not a database, though long enough for a header\n" * 100)
    refusal(path)
    path.unlink()
    open_writer(path).close()


@pytest.mark.parametrize(("durability", "level"), [(Durability.FULL, 2), (Durability.NORMAL, 1)])
def test_the_settings_of_the_writer(path: Path, durability: Durability, level: int) -> None:
    connection = open_writer(path, durability)
    assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    connection.close()


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer[Pairs]]:
    connection = open_pairs(path)
    writer = Writer(connection, Pairs(connection))
    yield writer
    await writer.close()


@pytest.fixture
async def readers(path: Path, writer: Writer[Pairs]) -> AsyncIterator[SqliteReaderPool]:
    readers = await SqliteReaderPool.open(path, size=2)
    yield readers
    await readers.close()


async def count_rows(readers: SqliteReaderPool) -> int:
    async with readers.connection() as connection:
        ((rows,),) = await connection.execute_fetchall("SELECT count(*) FROM half")
        assert isinstance(rows, int)
        return rows


async def test_a_reader_sees_what_was_answered(writer: Writer[Pairs], readers: SqliteReaderPool) -> None:
    for pair in range(5):
        await writer.submit(add_pair, pair)
        assert await count_rows(readers) == 2 * (pair + 1)


async def test_an_open_read_does_not_hold_up_the_writer(writer: Writer[Pairs], readers: SqliteReaderPool) -> None:
    await writer.submit(add_pair, 1)
    async with readers.connection() as connection, connection.execute("SELECT * FROM half") as cursor:
        await cursor.fetchone()
        async with asyncio.timeout(20):
            await writer.submit(add_pair, 2)


async def test_a_reader_cannot_write(readers: SqliteReaderPool) -> None:
    async with readers.connection() as connection:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await connection.execute("DELETE FROM half")


async def test_more_reads_than_connections_wait_their_turn(readers: SqliteReaderPool) -> None:
    async with asyncio.timeout(20):
        assert await asyncio.gather(*(count_rows(readers) for _ in range(10))) == [0] * 10


async def test_closing_ends_a_read_that_would_take_minutes(readers: SqliteReaderPool) -> None:
    async def read_for_minutes() -> None:
        async with readers.connection() as connection:
            await connection.execute_fetchall(
                "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 400000000) "
                "SELECT max(n) FROM number"
            )

    reading = asyncio.create_task(read_for_minutes())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await readers.close()
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            await reading


async def test_readers_of_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="does not exist"):
        await SqliteReaderPool.open(path)
    assert not path.exists()
