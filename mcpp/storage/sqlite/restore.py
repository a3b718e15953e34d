"""Putting a backup in the place of the database: what is at its path is the old one or the new one at any moment."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.claim import Claim, LockRecord, unusable_file
from mcpp.storage.sqlite.database import errors_explained, refuse_foreign
from mcpp.storage.sqlite.integrity import header_of, refuse_stale_wal
from mcpp.storage.sqlite.migrations import bundled_migrations, current_version, pending_migrations
from mcpp.storage.sqlite.partial_files import partial_file, sync_directory
from mcpp.storage.sqlite.sequences import highest_transaction_id, move_ahead
from mcpp.storage.sqlite.service import new_run

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


class Restored(NamedTuple):
    """What was done."""

    size: int
    """In bytes."""
    version: int
    """Of the schema."""
    newest_version: int
    """Of this program's."""
    transactions: int
    next_id: int
    """The next transaction's, at least."""
    kept: Path | None
    """What the database that was there is called now; None where there was none, or it can't be kept."""
    old_fault: str | None
    """Why what the old one's WAL held couldn't be brought into it."""
    is_plain_copy: bool
    """The backup wasn't taken by `mcpp backup`: what its WAL held isn't in it."""


def restore(source: Path, path: Path) -> Restored:
    """Checks a copy and puts it in the place of a database that no server runs on. Raises DatabaseUnusable."""
    path = path.resolve()
    _check_source(source, path)
    claim = Claim.take(path)
    try:
        with partial_file(path) as new:
            if path.exists():
                claim.take_file()
            is_plain_copy = _copy(source, new)
            version, transactions = _verify(source, new)
            given, old_fault = _close_old(path, claim.record)
            run = new_run()
            highest = _number(new, given, run)
            claim.note(replace(claim.record, next_run=run))
            claim.sync()
            kept = _keep_old(path)
            new.chmod(0o600)
            _sync(new)
            new.replace(path)
            sync_directory(path.parent)
            claim.note(replace(claim.record, run=run, next_run=None, given=given))
            claim.sync()
    except OSError as error:
        raise unusable_file(path, path, error) from error
    finally:
        claim.release()
    return Restored(
        size=path.stat().st_size,
        version=version,
        newest_version=len(bundled_migrations()),
        transactions=transactions,
        next_id=highest + 1,
        kept=kept,
        old_fault=old_fault,
        is_plain_copy=is_plain_copy,
    )


def _check_source(source: Path, path: Path) -> None:
    if source.is_dir():
        raise DatabaseUnusable(f"{source} is a directory; give the path of a backup")
    if not source.exists():
        raise DatabaseUnusable(f"{source} does not exist; give the path of a backup")
    if path.exists() and source.samefile(path):
        raise DatabaseUnusable(f"{source} is the database itself; give the path of a backup")
    if not source.stat().st_size:
        raise DatabaseUnusable(f"{source} is empty; give the path of a backup")
    for name in ("-wal", "-journal"):
        beside = source.with_name(f"{source.name}{name}")
        if beside.exists() and beside.stat().st_size:
            raise DatabaseUnusable(
                f"{beside} exists, so {source} is a database in use and not all of it is in that file; "
                "take a backup of it with mcpp backup"
            )


def _copy(source: Path, new: Path) -> bool:
    """Copies the backup, which nobody writes; returns whether it was in WAL mode."""
    header = header_of(source)
    with (
        errors_explained(source, what="backup"),
        # immutable: it may lie on a medium that can't be written.
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as old,
    ):
        refuse_foreign(old, source)
        if not old.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            raise DatabaseUnusable(f"backup {source} holds nothing; give the path of another")
        with errors_explained(new, what="copy"), closing(sqlite3.connect(new, isolation_level=None)) as copy:
            old.backup(copy)
    return header is not None and header.is_wal


def _verify(source: Path, new: Path) -> tuple[int, int]:
    """Checks the copy as a whole; returns the version of its schema and how many transactions it has."""
    with errors_explained(new, what="copy"), closing(sqlite3.connect(new, isolation_level=None)) as copy:
        fault = _fault(copy)
        if fault is not None:
            raise DatabaseUnusable(f"backup {source} is damaged ({fault}); give the path of another")
        try:
            pending_migrations(copy)
        except DatabaseUnusable as error:
            raise DatabaseUnusable(str(error).replace(f"database {new}", f"backup {source}")) from error
        (transactions,) = copy.execute("SELECT count(*) FROM transactions").fetchone()
        return current_version(copy), int(transactions)


def _number(new: Path, given: int, run: int) -> int:
    """Moves the copy's numbers ahead and gives it that of its run; returns the highest id of a transaction so far."""
    with errors_explained(new, what="copy"), closing(sqlite3.connect(new, isolation_level=None)) as copy:
        highest = move_ahead(copy, given)
        copy.execute(f"PRAGMA user_version = {run}")
        # As the server leaves one: in WAL mode, and no WAL beside it once this is closed.
        copy.execute("PRAGMA journal_mode = WAL").fetchone()
        return highest


def _fault(copy: sqlite3.Connection) -> str | None:
    try:
        (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            return str(found)
        orphan = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if orphan is None else f"a row of {orphan[0]} refers to a missing one of {orphan[2]}"


def _close_old(path: Path, record: LockRecord) -> tuple[int, str | None]:
    """Brings what the WAL holds into the old database, so that it's whole by itself.

    Returns the highest transaction id ever given, and why it couldn't be done. Raises DatabaseUnusable where another
    program has the database open: what that writes would be lost.
    """
    given = record.given
    if not path.exists():
        return given, None
    try:
        refuse_stale_wal(path, header_of(path), record)
    except DatabaseUnusable:
        return given, "the -wal file beside it belongs to another one"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=1, isolation_level=None)) as old:
            with suppress(sqlite3.OperationalError):  # no tables: a database that never was in use
                given = max(given, highest_transaction_id(old))
            # SQLite removes the WAL with it, where it alone has the database open.
            old.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseUnusable(
                f"database {path} is open in another program; close that program", passes=True
            ) from error
        return given, str(error)
    return given, None


def _keep_old(path: Path) -> Path | None:
    """Gives the old database another name too, and what is left of its side files."""
    kept = _linked(path) if path.exists() and path.stat().st_size else None
    for name in _SIDE_FILES:
        left = path.with_name(f"{path.name}{name}")
        if left.exists() and kept is not None and name != "-shm":
            left.rename(kept.with_name(f"{kept.name}{name}"))
        else:
            left.unlink(missing_ok=True)
    return kept


def _linked(path: Path) -> Path | None:
    other = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    try:
        os.link(path, other)
    except OSError:  # a file system without hard links
        return None
    return other


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
