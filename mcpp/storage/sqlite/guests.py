"""A command's way to a database that a server may be running on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.claim import Claim, read_record
from mcpp.storage.sqlite.database import errors_explained, existing_uri, refuse_foreign
from mcpp.storage.sqlite.integrity import header_of, refuse_stale_wal
from mcpp.storage.sqlite.migrations import current_version, pending_migrations
from mcpp.storage.sqlite.sequences import give_next
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries

TIMEOUT_SECONDS: Final = 30.0
"""How long a command waits for its turn to write: longer than a busy server needs between two commits."""

_TURN_POLL_SECONDS: Final = 0.0005


class CopyFailed(Exception):
    """There is no whole copy; the message is SQLite's."""


class Guest:
    """What a command may do; its transactions must be short, since the server waits 5 s for them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queries = SqliteQueries(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Queries]:
        """Reads one state of the database, whatever is written meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield self._queries
        finally:
            self._connection.rollback()

    @contextmanager
    def transaction(self) -> Iterator[Queries]:
        """Writes between two transactions of the server; all is undone where the block raises."""
        self._await_turn()
        try:
            yield self._queries
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of a transaction: what it has written is undone where the block raises."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    def go_on_with_transaction(self, number: int) -> None:
        """Let the next charging transaction have this id, where no higher one was given yet."""
        give_next(self._connection, number)

    def copy_to(self, target: Path) -> int:
        """Copies the state of one moment into one file and checks it; returns its schema version. Raises CopyFailed."""
        try:
            with closing(sqlite3.connect(target, isolation_level=None)) as copy:
                # In one step: in WAL mode no writer waits for it, nor makes it start again.
                self._connection.backup(copy)
                # One file, that opens from a medium without write access too.
                copy.execute("PRAGMA journal_mode = DELETE")
                (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise CopyFailed(found)
                return current_version(copy)
        except sqlite3.Error as error:
            raise CopyFailed(str(error)) from error

    def _await_turn(self) -> None:
        # SQLite's own waiting looks again every 100 ms, and a busy server is between two commits for microseconds.
        deadline = time.monotonic() + TIMEOUT_SECONDS
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    self._connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                time.sleep(_TURN_POLL_SECONDS)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {TIMEOUT_SECONDS * 1000:.0f}")


@contextmanager
def open_guest(path: Path, *, may_write: bool, alone: bool = False) -> Iterator[Guest]:
    """Opens a database whose schema is this program's; claims a lock on it only where it wants to be `alone`.

    Raises DatabaseUnusable, also in the place of an error of SQLite's that the block raises.
    """
    with errors_explained(path), _claimed(path) if alone else nullcontext():
        uri = existing_uri(path)
        refuse_stale_wal(path, header_of(path), read_record(path))
        connection = sqlite3.connect(uri, uri=True, timeout=TIMEOUT_SECONDS, isolation_level=None)
        with closing(connection):
            refuse_foreign(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # the server's own work
            connection.execute(f"PRAGMA query_only = {'OFF' if may_write else 'ON'}")
            if pending_migrations(connection):
                raise DatabaseUnusable(
                    f"database {path} is of an older mcpp; run mcpp migrate, or start the server anew"
                )
            yield Guest(connection)


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    existing_uri(path)
    claim = Claim.take(path)
    try:
        claim.take_file()
        yield
    finally:
        claim.release()
