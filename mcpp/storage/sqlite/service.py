"""Opening the database to serve by it: it must be the one that was left here, whole, and of this program's schema."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from mcpp.storage.engine import DatabaseUnusable, Durability
from mcpp.storage.sqlite.claim import Claim, tighten
from mcpp.storage.sqlite.database import WriterConnection, errors_explained, open_claimed
from mcpp.storage.sqlite.integrity import header_of, quick_check, refuse_lost, refuse_stale_wal
from mcpp.storage.sqlite.migrations import Migrated, migrate
from mcpp.storage.sqlite.partial_files import remove_leftovers
from mcpp.storage.sqlite.sequences import highest_transaction_id, move_ahead
from mcpp.storage.sqlite.watch import Header

CHECK_SECONDS: Final = 5.0
"""How long a start may look for damage: 0.5 to 2 GiB; what is beyond that is found when it is read."""


class Notice(NamedTuple):
    """What was found or done at the opening, for the log."""

    event: str
    facts: Mapping[str, str | int | float | bool]
    is_warning: bool = True


class Opened(NamedTuple):
    """A database, ready to serve."""

    connection: WriterConnection
    migrated: Migrated
    notices: list[Notice]


def open_for_service(
    path: Path,
    durability: Durability = Durability.FULL,
    *,
    begin_anew: bool = False,
    check_seconds: float = CHECK_SECONDS,
) -> Opened:
    """Opens the database, made where there never was one; checks it and brings it to the current schema.

    `begin_anew`: an empty one may take the place of one that is gone. Raises DatabaseUnusable.
    """
    path = path.resolve()
    claim = Claim.take(path)
    try:
        header = _inspect(claim, begin_anew=begin_anew)
        notices = [Notice("database_file_made_private", {"file": str(file)}) for file in tighten(path)]
        notices += [Notice("leftover_removed", {"file": str(file)}) for file in remove_leftovers(path.parent)]
        claim.take_file()
        connection = open_claimed(claim, durability)
    except BaseException:
        claim.release()
        raise
    try:
        with errors_explained(path):
            notices.append(_check(connection, path, check_seconds))
            migrated = migrate(connection)
            notices += _keep_ids_unique(connection, claim, header)
            _begin_run(connection, claim)
    except BaseException:
        connection.close()
        raise
    return Opened(connection, migrated, notices)


def _inspect(claim: Claim, *, begin_anew: bool) -> Header | None:
    """Refuses what must not be opened, before SQLite touches it."""
    path, record = claim.path, claim.record
    try:
        header = header_of(path)
        refuse_stale_wal(path, header, record)
        if not begin_anew:
            refuse_lost(path, record)
        elif path.exists() and path.stat().st_size:
            raise DatabaseUnusable(f"database {path} is there; move it away to begin with an empty one")
    except OSError as error:
        raise DatabaseUnusable(
            f"database {path} can't be written ({error.strerror}); let this user write the file and its directory"
        ) from error
    return header


def _check(connection: WriterConnection, path: Path, within: float) -> Notice:
    checked = quick_check(connection, within)
    if checked.fault is not None:
        assert connection.watch is not None
        connection.watch.ruin("is damaged")
        raise DatabaseUnusable(f"database {path} is damaged ({checked.fault}); restore a backup with mcpp restore FILE")
    facts = {"finished": checked.is_finished, "seconds": round(checked.seconds, 3)}
    return Notice("database_checked", facts, is_warning=not checked.is_finished)


def _keep_ids_unique(connection: WriterConnection, claim: Claim, header: Header | None) -> list[Notice]:
    """Where this isn't the database as it was left here, its numbers go on far above those that were given."""
    record = claim.record
    highest = highest_transaction_id(connection)
    is_as_left = header is not None and header.is_wal and header.run in record.runs
    if record.run is None or (is_as_left and highest >= record.given):
        return []
    moved_to = move_ahead(connection, record.given)
    facts = {"highest_id": highest, "given_id": record.given, "next_id": moved_to + 1}
    return [Notice("database_replaced_ids_moved_ahead", facts)]


def _begin_run(connection: WriterConnection, claim: Claim) -> None:
    """Numbers this run in file and lock file alike, so that a copy which is put here later can be told from it."""
    run = new_run()
    assert claim.file is not None
    assert connection.watch is not None
    try:
        claim.note(replace(claim.record, next_run=run))
        claim.sync()
        connection.execute(f"PRAGMA user_version = {run}")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        header = Header.read(claim.file)
        if header is not None and header.run == run:
            claim.note(replace(claim.record, run=run, next_run=None))
            connection.watch.expect(run)
    except OSError as error:
        raise sqlite3.OperationalError(f"the lock file can't be written: {error.strerror}") from error
    connection.remember_ids()


def new_run() -> int:
    """A number that no other run has; fits SQLite's user_version."""
    return secrets.randbelow(2**31 - 2) + 1
