"""The server's own view of one state of its database, for what reads by the domain's functions on a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mcpp.storage.sqlite.database import BUSY_TIMEOUT_SECONDS, existing_uri
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries


@contextmanager
def snapshot(path: Path) -> Iterator[Queries]:
    """One state of the database, whatever is written meanwhile; only to be read, and not for long: it holds the WAL.

    On a connection of its own, to be used by one thread. (A command's way, `open_guest`, isn't for the server's
    process: it reads the file itself, and closing it would release SQLite's locks.)
    """
    connection = sqlite3.connect(existing_uri(path), uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    with closing(connection):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield SqliteQueries(connection)
