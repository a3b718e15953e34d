"""What can be said of a database without serving by it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.claim import lock_path_of, read_record, unusable_file
from mcpp.storage.sqlite.database import errors_explained, existing_uri, free_space, refuse_foreign
from mcpp.storage.sqlite.integrity import header_of, refuse_lost, refuse_stale_wal
from mcpp.storage.sqlite.migrations import bundled_migrations, current_version, pending_migrations


def describe_database(path: Path) -> str:
    """Its state in a line: size, schema, free space, who holds it. Raises DatabaseUnusable where none could serve."""
    path = path.resolve()
    if not path.parent.is_dir():
        raise DatabaseUnusable(
            f"database {path}: the directory {path.parent} does not exist; create it or choose another database"
        )
    if path.is_dir():
        raise DatabaseUnusable(f"database {path} is a directory; give the path of a file in it")
    for file in (path.parent, path, lock_path_of(path)):
        if file.exists() and not os.access(file, os.W_OK):
            raise unusable_file(path, file, PermissionError(13, os.strerror(13)))
    record = read_record(path)
    try:
        refuse_lost(path, record)
        refuse_stale_wal(path, header_of(path), record)
        is_there = path.exists() and path.stat().st_size > 0
        told = _schema(path) if is_there else "not there yet"
        holder = _holder(path)
        if is_there and holder is None:
            _refuse_locked(path)
    except OSError as error:
        raise unusable_file(path, path, error) from error
    free = f"{free_space(path) / 1e9:.1f} GB free"
    return "; ".join(part for part in (told, free, holder and f"in use by an mcpp process (pid {holder})") if part)


def _schema(path: Path) -> str:
    with errors_explained(path), closing(sqlite3.connect(existing_uri(path), uri=True, isolation_level=None)) as books:
        books.execute("PRAGMA query_only = ON")
        refuse_foreign(books, path)
        pending = pending_migrations(books)
        newest = len(bundled_migrations())
        schema = f"schema version {current_version(books)}" + (f", to be brought to {newest}" if pending else "")
    return f"{path.stat().st_size / 1e6:.1f} MB, {schema}"


def _refuse_locked(path: Path) -> None:
    """Raises DatabaseUnusable where another program keeps it from being written."""
    with errors_explained(path), closing(sqlite3.connect(existing_uri(path), uri=True, isolation_level=None)) as books:
        books.execute("PRAGMA busy_timeout = 0")
        books.execute("BEGIN IMMEDIATE")
        books.execute("ROLLBACK")


def _holder(path: Path) -> int | None:
    """The process that serves by it."""
    lock_path = lock_path_of(path)
    if not lock_path.exists():
        return None
    with lock_path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return read_record(path).pid
    return None
