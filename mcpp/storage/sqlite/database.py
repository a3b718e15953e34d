"""Opening the database: the one connection that writes, and what all connections have in common.

The file is in WAL mode, so readers never wait for the writer, and another process may read or back it up while the
server runs. Only one process may serve: it claims the database (`claim`) for as long as it lives. A command may write
as a guest beside it, a short transaction at a time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote

from mcpp.storage.engine import DatabaseUnusable, Durability
from mcpp.storage.sqlite.claim import Claim
from mcpp.storage.sqlite.migrations import pending_migrations
from mcpp.storage.sqlite.watch import DatabaseLost, FileWatch

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long a statement waits for another program's lock, well under the 10 s that a shutdown may take."""

CACHED_STATEMENTS: Final = 512
"""More than there are queries, so that none is ever parsed twice."""

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_WRITER_PRAGMAS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",  # KiB, taken as needed: the indexes that every insert touches stay in memory
    "PRAGMA temp_store = MEMORY",  # what a savepoint must remember isn't worth a file
    "PRAGMA wal_autocheckpoint = 3000",  # pages, 12 MiB: hot pages are copied back and fsynced less often
    "PRAGMA journal_size_limit = 67108864",  # bytes: a WAL that a long read made grow shrinks again
)


class WriterConnection(sqlite3.Connection):
    """The connection that may write, in autocommit mode; implements `mcpp.storage.engine.WriteConnection`.

    Closing it checkpoints the WAL and releases the process's claim on the file.
    """

    engine_error: ClassVar[type[Exception]] = sqlite3.Error
    claim: Claim | None = None
    watch: FileWatch | None = None
    is_lost = False
    """Whether the last transaction went into a database that can't be found at its path."""
    highest_id = 0
    """The highest transaction id that was made since `remember_ids`."""
    checkpoint_due = False
    """Whether the next transaction begins with what is left of a checkpoint, so that the WAL starts anew."""

    def begin(self) -> None:
        if self.is_lost and self.watch is not None:
            self.watch.check_wal()
            self.is_lost = False
        if self.checkpoint_due:
            self.checkpoint_due = False
            self.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        if self.claim is not None and self.highest_id > self.claim.record.given:
            self.claim.note(replace(self.claim.record, given=self.highest_id))
        self.execute("COMMIT")  # the inherited one does nothing where a transaction was lost
        # Only now it's sure that it can be found at its path.
        if self.watch is not None:
            self.is_lost = True
            self.watch.check_wal()
            self.is_lost = False

    def savepoint(self) -> None:
        self.execute("SAVEPOINT unit")

    def rollback_to_savepoint(self) -> None:
        self.execute("ROLLBACK TO unit")

    def release_savepoint(self) -> None:
        self.execute("RELEASE unit")

    def probe(self) -> str:
        touch(self)
        (_, _, path) = self.execute("PRAGMA database_list").fetchone()
        if free_space(Path(path)) < _LEAST_SPACE:
            # The page that was touched still has its place; what a message stores hasn't.
            raise sqlite3.OperationalError(f"the disk is full: less than {_LEAST_SPACE >> 10} KiB are left")
        try:
            pending = pending_migrations(self)
        except DatabaseUnusable as error:
            return str(error)
        return f"pending: {', '.join(map(str, pending))}" if pending else "ok"

    def note_error(self, error: Exception) -> None:
        """After damage was found nothing is written: what isn't answered now comes again once a backup is restored."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE and self.watch is not None:
            self.is_lost = True
            self.watch.ruin(f"is damaged ({error}): nothing is stored or answered; {_MEND}")

    def close(self) -> None:
        if self.watch is not None:
            self._leave_whole(self.watch)
        super().close()
        if self.claim is not None:
            self.claim.release()
            self.claim = None

    def _leave_whole(self, watch: FileWatch) -> None:
        """Sees to it that what the WAL holds gets into its own database, and into no other."""
        try:
            watch.check()
        except DatabaseLost:
            if watch.is_ruined:
                watch.keep_wal()
            else:
                # SQLite would leave the WAL where it is, and the file that was moved without what it holds.
                with suppress(sqlite3.Error):
                    self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def remember_ids(self) -> None:
        """From now on the lock file is told of each transaction id before it is given."""
        # A trigger costs only where there is an id; asking at each commit would cost all others too.
        self.create_function("mcpp_remember_id", 1, self._remember_id)
        self.execute(
            "CREATE TEMP TRIGGER remember_id AFTER INSERT ON main.transactions "
            "BEGIN SELECT mcpp_remember_id(NEW.id); END"
        )

    def _remember_id(self, made: int) -> None:
        self.highest_id = max(self.highest_id, made)


def database_path(setting: str) -> Path:
    """The absolute path that the setting `database` names: a path, or a URL `sqlite:///relative` or
    `sqlite:////absolute`, percent-encoded.

    Raises DatabaseUnusable for any other URL, and for SQLite's databases in memory, which nothing else could read.
    """
    path = unquote(setting.removeprefix("sqlite:///")) if setting.startswith("sqlite:///") else setting
    if "://" in path or path in {"", ":memory:"}:
        raise DatabaseUnusable(f"database {setting!r} names no file: give a path or a URL such as sqlite:///mcpp.db")
    return Path(path).resolve()


def open_writer(path: Path, durability: Durability = Durability.FULL) -> WriterConnection:
    """Opens the database for writing, in autocommit mode, and creates it where it doesn't exist.

    May be used by any thread, one at a time. Raises DatabaseUnusable.
    """
    path = path.resolve()
    claim = Claim.take(path)
    try:
        claim.take_file()
        return open_claimed(claim, durability)
    except BaseException:
        claim.release()
        raise


def open_claimed(claim: Claim, durability: Durability) -> WriterConnection:
    """As `open_writer`, for a file that is claimed. The claim is the connection's from then on, unless this raises."""
    path = claim.path
    assert claim.file is not None
    with errors_explained(path):
        connection = sqlite3.connect(
            path,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
            factory=WriterConnection,
        )
        try:
            refuse_foreign(connection, path)
            _configure(connection, durability)
            connection.watch = FileWatch(path, claim.file)
        except BaseException:
            connection.close()
            raise
    connection.claim = claim
    return connection


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Another program's database is left as it is, not even brought to WAL mode."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if tables and "schema_migrations" not in tables:
        raise DatabaseUnusable(f"database {path} holds another program's tables; choose another file, mcpp creates it")


def _configure(connection: sqlite3.Connection, durability: Durability) -> None:
    mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system allows journal mode {mode!r} only, not WAL")
    for pragma in _WRITER_PRAGMAS:
        connection.execute(pragma)
    set_durability(connection, durability)
    touch(connection)


def set_durability(connection: sqlite3.Connection, durability: Durability) -> None:
    """Says how deep what this connection writes must be stored."""
    if durability is Durability.FULL:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: a plain fsync leaves the data in the drive's cache
    else:
        connection.execute("PRAGMA synchronous = NORMAL")


def touch(connection: sqlite3.Connection) -> None:
    """Writes a page that says what it said before: only a real write finds a read-only file, a full disk or a lock.

    Not an UPDATE, since SQLite writes no page for a row that stays the same. Raises sqlite3.Error.
    """
    (user_version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {user_version}")


@contextmanager
def errors_explained(path: Path, what: str = "database") -> Iterator[None]:
    """Raises DatabaseUnusable in the place of an error of SQLite's; `what` the file is."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(path, what, error) from error


_MEND: Final = "stop the server and restore a backup with mcpp restore"

_LEAST_SPACE: Final = 1 << 20
"""Bytes without which a disk counts as full. SQLite calls it an I/O error where it can't open a database for that."""


def free_space(path: Path) -> int:
    """Bytes that this user may still write beside a file. Raises OSError."""
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize


def _unusable(path: Path, what: str, error: sqlite3.Error) -> DatabaseUnusable:
    # Extended result codes carry the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    space = os.statvfs(path.parent) if path.parent.is_dir() else None
    if code == sqlite3.SQLITE_IOERR and space is not None and free_space(path) < _LEAST_SPACE:
        code = sqlite3.SQLITE_FULL
    is_read_only = space is not None and bool(space.f_flag & os.ST_RDONLY)
    match code:
        case sqlite3.SQLITE_NOTADB:
            problem = "is not an SQLite database; choose another file"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM if is_read_only:
            problem = f"can't be written ({error}), its file system is read-only; mount it for writing"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            problem = f"can't be written ({error}); let this user write the file and its directory"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            problem = "is locked by another program; close that program"
        case sqlite3.SQLITE_FULL:
            problem = "can't be written, the disk is full; free some space"
        case sqlite3.SQLITE_CORRUPT:
            problem = f"is damaged ({error}); restore a backup with mcpp restore"
        case _:
            problem = f"can't be used: {error}"
    passes = is_read_only or code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
    return DatabaseUnusable(f"{what} {path} {problem}", passes=passes)


def existing_uri(path: Path) -> str:
    if not path.is_file():
        raise DatabaseUnusable(f"database {path} does not exist; create it with mcpp migrate or choose another")
    # Not mode=ro: a reader may have to create the WAL's index; query_only keeps it from writing data.
    return f"{path.resolve().as_uri()}?mode=rw"
