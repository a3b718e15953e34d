"""Bringing databases to the current schema, on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.database import errors_explained, open_writer
from mcpp.storage.sqlite.migrations import (
    Migrated,
    Migration,
    bundled_migrations,
    current_version,
    load_migrations,
    migrate,
    pending_migrations,
)

FIRST = Migration(1, "initial", "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT) STRICT;")
SECOND = Migration(
    2,
    "child",
    """
    CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE) STRICT;
    CREATE TRIGGER named AFTER INSERT ON parent BEGIN
        UPDATE parent SET name = coalesce(name, 'none') WHERE id = new.id;
    END;
    INSERT INTO parent (id) VALUES (1);
    INSERT INTO child (parent) VALUES (1) -- no semicolon, and a comment at the end""",
)
REBUILDING = Migration(
    3,
    "rebuild_parent",
    """
    CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
    INSERT INTO parent_new SELECT id, name FROM parent;
    DROP TABLE parent;
    ALTER TABLE parent_new RENAME TO parent;
    """,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mcpp.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_writer(path)
    yield connection
    connection.close()


def dump(connection: sqlite3.Connection) -> list[str]:
    return list(connection.iterdump())


def refusal(connection: sqlite3.Connection, *migrations: Migration) -> str:
    before = dump(connection)
    with pytest.raises(DatabaseUnusable) as caught:
        migrate(connection, migrations)
    assert dump(connection) == before
    assert not connection.in_transaction
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    message = str(caught.value)
    assert "mcpp.db" in message
    assert "\n" not in message
    return message


def test_a_fresh_database_comes_to_the_newest_version(connection: sqlite3.Connection) -> None:
    newest = len(bundled_migrations())
    assert newest >= 1
    assert current_version(connection) == 0
    assert pending_migrations(connection) == bundled_migrations()
    assert migrate(connection) == Migrated(0, newest)
    assert current_version(connection) == newest
    assert pending_migrations(connection) == ()


def test_a_current_database_stays_as_it_is(connection: sqlite3.Connection) -> None:
    migrate(connection)
    before = dump(connection)
    newest = len(bundled_migrations())
    assert migrate(connection) == Migrated(newest, newest)
    assert dump(connection) == before


def test_an_older_database_gets_what_is_missing(path: Path, connection: sqlite3.Connection) -> None:
    assert migrate(connection, [FIRST]) == Migrated(0, 1)
    assert pending_migrations(connection, [FIRST, SECOND]) == (SECOND,)
    assert migrate(connection, [FIRST, SECOND]) == Migrated(1, 2)
    other = sqlite3.connect(path)
    assert other.execute("SELECT name FROM parent JOIN child ON parent.id = child.parent").fetchall() == [("none",)]
    other.close()


def test_a_newer_database_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST, SECOND])
    assert "newer mcpp: its schema is at 002_child, this mcpp knows 001" in refusal(connection, FIRST)


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST])
    changed = Migration(1, "initial", f"{FIRST.sql}\n-- changed")
    message = refusal(connection, changed, SECOND)
    assert "001_initial" in message
    assert "move the file away" in message


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("INSERT INTO parent (id) VALUES (7); CREATE TABLE left_over (id INTEGER) STRICT; SELECT no_such;", "no_such"),
        ("INSERT INTO child (parent) VALUES (404);", "refer to missing"),
        ("INSERT INTO parent (id) VALUES (7), (7);", "UNIQUE"),
        ("CREATE TABLE left_over (id INTEGER", "incomplete input"),
    ],
)
def test_a_migration_that_fails_leaves_nothing(connection: sqlite3.Connection, sql: str, reason: str) -> None:
    migrate(connection, [FIRST, SECOND])
    message = refusal(connection, FIRST, SECOND, Migration(3, "broken", sql))
    assert "003_broken failed" in message
    assert reason in message
    assert migrate(connection, [FIRST, SECOND, REBUILDING]) == Migrated(2, 3)


def test_migrations_before_the_failing_one_stay(connection: sqlite3.Connection) -> None:
    with pytest.raises(DatabaseUnusable):
        migrate(connection, [FIRST, SECOND, Migration(3, "broken", "SELECT no_such;")])
    assert current_version(connection) == 2


def test_a_migration_that_ends_its_transaction_is_refused(connection: sqlite3.Connection) -> None:
    with pytest.raises(DatabaseUnusable, match="ends the transaction"):
        migrate(connection, [Migration(1, "ends", "COMMIT;")])
    assert current_version(connection) == 0


def test_a_table_can_be_rebuilt_without_losing_the_rows_that_refer_to_it(connection: sqlite3.Connection) -> None:
    migrate(connection, [FIRST, SECOND, REBUILDING])
    assert connection.execute("SELECT count(*) FROM child").fetchone() == (1,)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO child (parent) VALUES (404)")


def test_a_record_of_migrations_that_is_not_ours_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE schema_migrations (version TEXT)")
    assert "choose another" in refusal(connection, FIRST)


def test_numbers_must_be_without_gaps(tmp_path: Path) -> None:
    for name in ("001_initial.up.sql", "003_later.up.sql", "README.md"):
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match="001_initial, 003_later"):
        load_migrations(tmp_path)
    (tmp_path / "002_between.up.sql").write_text("")
    assert [str(migration) for migration in load_migrations(tmp_path)] == ["001_initial", "002_between", "003_later"]


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    migrate(connection)
    tables = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    assert {name for name, strict in tables if not strict and not name.startswith("sqlite_")} == set()


def test_a_disk_that_is_full_is_no_fault_of_a_migration(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "mcpp.db")
    connection.execute("PRAGMA max_page_count = 20")
    is_full = pytest.raises(DatabaseUnusable, match="the disk is full; free some space")
    with is_full as raised, errors_explained(tmp_path / "mcpp.db"):
        migrate(connection)
    assert raised.value.passes
    assert current_version(connection) == 0

    connection.execute("PRAGMA max_page_count = 100000")
    assert migrate(connection).to_version > 0
    connection.close()
