"""The database, for commands that work on it beside a running server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mcpp.cli.options import given_flags
from mcpp.errors import StartError
from mcpp.settings import Settings
from mcpp.storage.database import DatabaseUnusable, open_guest
from mcpp.storage.migrations import pending_migrations


def database_of(options: Mapping[str, object]) -> Path:
    """The database that a command's options or the environment name. Raises StartError."""
    return Settings.load(given_flags(options)).database


@contextmanager
def open_books(database: Path, *, may_write: bool = False) -> Iterator[sqlite3.Connection]:
    """A guest's connection to a database whose schema is this program's.

    Raises StartError, also for whatever SQLite finds wrong in the block.
    """
    try:
        with open_guest(database, may_write=may_write) as connection:
            if pending_migrations(connection):
                raise StartError(f"database {database} is of an older mcpp; run mcpp migrate, or start the server anew")
            yield connection
    except DatabaseUnusable as error:
        raise StartError(str(error)) from error
