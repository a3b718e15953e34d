"""Bringing the database to the schema of this program: `migrations/NNN_name.up.sql`, in order, each all or nothing."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from mcpp.storage.engine import DatabaseUnusable

_FILE_NAME: Final = re.compile(r"(?P<version>\d{3})_(?P<name>\w+)\.up\.sql")

_CREATE_RECORD: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Migration:
    """One step of the schema."""

    version: int
    """Counted from 1, without gaps."""
    name: str
    sql: str

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the SQL text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.version:03}_{self.name}"


class Migrated(NamedTuple):
    """From which version to which the database was brought; 0 is an empty database."""

    from_version: int
    to_version: int


def load_migrations(folder: Traversable) -> tuple[Migration, ...]:
    """Reads the migrations of a folder. Raises ValueError when their numbers aren't 1, 2, 3 and so on."""
    migrations = [
        Migration(int(match["version"]), match["name"], file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    migrations.sort(key=lambda migration: migration.version)
    if [migration.version for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError(f"migrations must be numbered 1, 2, 3, …: {', '.join(map(str, migrations))}")
    return tuple(migrations)


def bundled_migrations() -> tuple[Migration, ...]:
    """The migrations that this program carries."""
    return load_migrations(resources.files("mcpp.storage.sqlite") / "migrations")


def current_version(connection: sqlite3.Connection) -> int:
    """The version of the database's schema; 0 where no migration has been applied."""
    return max((version for version, _, _ in _applied(connection)), default=0)


def pending_migrations(
    connection: sqlite3.Connection, migrations: Sequence[Migration] | None = None
) -> tuple[Migration, ...]:
    """What `migrate` would apply; empty when the schema is current. Without `migrations`: the bundled ones.

    Raises DatabaseUnusable for a database that another program or another version of this one made.
    """
    if migrations is None:
        migrations = bundled_migrations()
    applied = _applied(connection)
    for (version, name, checksum), migration in zip(applied, migrations, strict=False):
        if (version, checksum) != (migration.version, migration.checksum):
            raise DatabaseUnusable(
                f"database {_path(connection)}: migration {version:03}_{name} is not the one that this mcpp knows; "
                "run the mcpp that made the database, or move the file away to begin with an empty one"
            )
    if len(applied) > len(migrations):
        version, name, _ = applied[-1]
        raise DatabaseUnusable(
            f"database {_path(connection)} is of a newer mcpp: its schema is at {version:03}_{name}, "
            f"this mcpp knows {len(migrations):03}; upgrade mcpp or choose another database"
        )
    return tuple(migrations[len(applied) :])


_OF_THE_FILE: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
    }
)
"""Errors that are no mistake of a migration: the next try may succeed."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] | None = None) -> Migrated:
    """Applies the pending migrations over an autocommit connection. Without `migrations`: the bundled ones.

    Raises DatabaseUnusable, also for a migration that fails; those before it stay, it leaves nothing behind. Raises
    sqlite3.Error where the file is at fault, such as for a full disk.
    """
    from_version = current_version(connection)
    for migration in pending_migrations(connection, migrations):
        try:
            _apply(connection, migration)
        except sqlite3.Error as error:
            # Extended result codes carry the primary one in their low byte.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_FILE:
                raise
            raise DatabaseUnusable(
                f"database {_path(connection)}: migration {migration} failed and was undone: {error}; "
                "run the mcpp that made the database until this is mended"
            ) from error
    return Migrated(from_version, current_version(connection))


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    (enforced,) = connection.execute("PRAGMA foreign_keys").fetchone()
    # A table that others refer to is changed by making it anew; enforced keys would delete those others' rows.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        # executescript commits only what is open before it begins, so the script opens the transaction itself.
        connection.executescript(f"BEGIN IMMEDIATE;\n{migration.sql}")
        if not connection.in_transaction:
            raise sqlite3.ProgrammingError("it ends the transaction that it runs in")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError("it leaves rows that refer to missing ones")
        connection.execute(_CREATE_RECORD)
        connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.checksum, datetime.now(UTC).isoformat()),
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute(f"PRAGMA foreign_keys = {enforced}")


def _applied(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Version, name and checksum of each applied migration, oldest first."""
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'").fetchone():
            return []
        return connection.execute("SELECT version, name, checksum FROM schema_migrations ORDER BY version").fetchall()
    except sqlite3.Error as error:
        raise DatabaseUnusable(
            f"database {_path(connection)}: its schema can't be read ({error}); choose another or restore a backup"
        ) from error


def _path(connection: sqlite3.Connection) -> str:
    (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
    return path or ":memory:"
