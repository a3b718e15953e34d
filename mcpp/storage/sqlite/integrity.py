"""Is a database sound?"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Timer
from time import perf_counter
from typing import NamedTuple

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.claim import LockRecord
from mcpp.storage.sqlite.watch import Header


class Checked(NamedTuple):
    """What came of a check."""

    fault: str | None
    """The first that was found."""
    is_finished: bool
    """False where the time was over before all of it was seen."""
    seconds: float


def quick_check(connection: sqlite3.Connection, within: float) -> Checked:
    """Looks for damage for `within` seconds at most, by a connection that other threads may use too."""
    began = perf_counter()
    # An interrupt, not a progress handler: SQLite checks a whole tree in a single step.
    timer = Timer(within, connection.interrupt)
    timer.daemon = True
    timer.start()
    fault, is_finished = None, True
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        fault = None if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_INTERRUPT:
            is_finished = False
        elif error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CORRUPT:
            fault = str(error)
        else:
            raise
    finally:
        timer.cancel()
        timer.join()
    return Checked(fault, is_finished, perf_counter() - began)


def header_of(path: Path) -> Header | None:
    """What a file says of itself; None where there is none, or it is empty or no database. Raises OSError.

    Only before this process opens the database: closing a file drops the locks that SQLite holds on it.
    """
    try:
        with path.open("rb") as file:
            return Header.read(file.fileno())
    except FileNotFoundError:
        return None


def refuse_stale_wal(path: Path, header: Header | None, record: LockRecord) -> None:
    """Raises DatabaseUnusable where the WAL beside a database is another's: SQLite would write it into this one.

    It's so where a copy was put in the place of a database whose server was killed.
    """
    wal = path.with_name(f"{path.name}-wal")
    if header is None or not wal.exists() or not wal.stat().st_size:
        return
    # A file in WAL mode says so before it has a WAL; a backup says that it isn't.
    if not header.is_wal or (record.runs and header.run not in record.runs):
        raise DatabaseUnusable(
            f"database {path} is a copy, and {wal.name} beside it belongs to the one that was there before: move the "
            f"copy away and put it in place with mcpp restore, or move {wal.name} and {path.name}-shm away"
        )


def refuse_lost(path: Path, record: LockRecord) -> None:
    """Raises DatabaseUnusable where a database is missing or empty that was in use before."""
    is_missing = not path.exists()
    if record.run is not None and (is_missing or not path.stat().st_size):
        raise DatabaseUnusable(
            f"database {path} is {'missing' if is_missing else 'empty'}, though there was one: put it back, or "
            "restore a backup with mcpp restore FILE, or begin with an empty one with mcpp migrate --new"
        )
