"""Opening the database: the one connection that writes, and what all connections have in common.

The file is in WAL mode, so readers never wait for the writer, and another process may read or back it up while the
server runs. Only one process may serve: it holds a lock on `<database>.lock` for as long as it lives. A command may
write as a guest beside it, a short transaction at a time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote

from mcpp.storage.engine import DatabaseUnusable, Durability
from mcpp.storage.sqlite.migrations import pending_migrations

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long a statement waits for another program's lock, well under the 10 s that a shutdown may take."""

CACHED_STATEMENTS: Final = 512
"""More than there are queries, so that none is ever parsed twice."""

_WRITER_PRAGMAS: Final = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",  # KiB, taken as needed: the indexes that every insert touches stay in memory
    "PRAGMA temp_store = MEMORY",  # what a savepoint must remember isn't worth a file
    "PRAGMA wal_autocheckpoint = 4000",  # pages, 16 MiB: hot pages are copied back and fsynced less often
    "PRAGMA journal_size_limit = 67108864",  # bytes: a WAL that a long read made grow shrinks again
)


class WriterConnection(sqlite3.Connection):
    """The connection that may write, in autocommit mode; implements `mcpp.storage.engine.WriteConnection`.

    Closing it checkpoints the WAL and releases the process's claim on the file.
    """

    engine_error: ClassVar[type[Exception]] = sqlite3.Error
    lock_fd: int | None = None

    def begin(self) -> None:
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.execute("COMMIT")  # the inherited one does nothing where a transaction was lost

    def savepoint(self) -> None:
        self.execute("SAVEPOINT unit")

    def rollback_to_savepoint(self) -> None:
        self.execute("ROLLBACK TO unit")

    def release_savepoint(self) -> None:
        self.execute("RELEASE unit")

    def probe(self) -> str:
        touch(self)
        try:
            pending = pending_migrations(self)
        except DatabaseUnusable as error:
            return str(error)
        return f"pending: {', '.join(map(str, pending))}" if pending else "ok"

    def close(self) -> None:
        super().close()
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None


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
    lock_fd = _claim(path)
    with errors_explained(path):
        try:
            connection = sqlite3.connect(
                path,
                timeout=BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=CACHED_STATEMENTS,
                factory=WriterConnection,
            )
        except sqlite3.Error:
            os.close(lock_fd)
            raise
        connection.lock_fd = lock_fd
        try:
            refuse_foreign(connection, path)
            _configure(connection, durability)
        except BaseException:
            connection.close()
            raise
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
    if durability is Durability.FULL:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: a plain fsync leaves the data in the drive's cache
    else:
        connection.execute("PRAGMA synchronous = NORMAL")
    touch(connection)


def touch(connection: sqlite3.Connection) -> None:
    """Writes a page that says what it said before: only a real write finds a read-only file, a full disk or a lock.

    Not an UPDATE, since SQLite writes no page for a row that stays the same. Raises sqlite3.Error.
    """
    (user_version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {user_version}")


def _claim(path: Path) -> int:
    """Takes this process's exclusive lock on the database; the file descriptor holds it.

    The kernel releases it however the process ends. The lock is on a file of its own: closing a descriptor of the
    database itself would drop the locks that SQLite holds on it.
    """
    if not path.parent.is_dir():
        raise DatabaseUnusable(
            f"database {path}: the directory {path.parent} does not exist; create it or choose another database"
        )
    if path.is_dir():
        raise DatabaseUnusable(f"database {path} is a directory; give the path of a file in it")
    lock_path = path.with_name(f"{path.name}.lock")
    try:
        lock_fd = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DatabaseUnusable(
            f"database {path}: {lock_path} can't be written ({error.strerror}); "
            "let this user write in that directory or choose another database"
        ) from error
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, str(os.getpid()).encode(), 0)
    except OSError as error:
        holder = os.pread(lock_fd, 20, 0).decode(errors="replace") or "unknown"
        os.close(lock_fd)
        if error.errno not in {errno.EAGAIN, errno.EACCES}:
            raise DatabaseUnusable(f"database {path}: {lock_path} can't be locked: {error.strerror}") from error
        raise DatabaseUnusable(
            f"database {path} is in use by another mcpp process (pid {holder}); "
            "stop that one or give this one a database of its own"
        ) from None
    return lock_fd


@contextmanager
def errors_explained(path: Path) -> Iterator[None]:
    """Raises DatabaseUnusable in the place of an error of SQLite's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: sqlite3.Error) -> DatabaseUnusable:
    # Extended result codes carry the primary one in their low byte.
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            problem = "is not an SQLite database; choose another file"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            problem = f"can't be written ({error}); let this user write the file and its directory"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            problem = "is locked by another program; close that program"
        case sqlite3.SQLITE_FULL:
            problem = "can't be written, the disk is full; free some space"
        case sqlite3.SQLITE_CORRUPT:
            problem = f"is damaged ({error}); restore a backup"
        case _:
            problem = f"can't be used: {error}"
    return DatabaseUnusable(f"database {path} {problem}")


def existing_uri(path: Path) -> str:
    if not path.is_file():
        raise DatabaseUnusable(f"database {path} does not exist; create it with mcpp migrate or choose another")
    # Not mode=ro: a reader may have to create the WAL's index; query_only keeps it from writing data.
    return f"{path.resolve().as_uri()}?mode=rw"
