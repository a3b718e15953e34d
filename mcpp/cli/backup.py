"""`mcpp backup`: a consistent copy of a database that is in use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from mcpp.cli.database import database_of, open_database
from mcpp.cli.options import setting_options
from mcpp.errors import StartError
from mcpp.storage.sqlite.guests import CopyFailed


@click.command(
    params=[
        click.Argument(["file"], type=click.Path(path_type=Path)),
        click.Option(["--force"], is_flag=True, help="Replace FILE where there is one."),
        *setting_options("database"),
    ]
)
def backup(file: Path, force: bool, **options: object) -> None:
    """Copy the database while a server writes to it.

    FILE gets the state of one moment: all that was answered before. The copy is checked, and appears under that name
    only when it is whole.

    To restore it, stop the server and put FILE in the place of the database, without the files beside that one whose
    names end in -wal and -shm.
    """
    database = database_of(options)
    _check_target(file, database, force)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise StartError(f"{file} can't be written: {error.strerror}") from error
    os.close(handle)
    partial = Path(name)
    try:
        version = _take(database, partial, file)
        partial.chmod(database.stat().st_mode & 0o777)
        partial.replace(file)
        _sync_directory(file.parent)
    except OSError as error:
        raise StartError(f"{file} can't be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"{file}: {file.stat().st_size} bytes, schema version {version}, checked")


def _check_target(file: Path, database: Path, force: bool) -> None:
    if file.resolve() == database:
        raise StartError(f"{file} is the database itself; choose another file")
    if file.is_dir():
        raise StartError(f"{file} is a directory; give the path of a file in it")
    if file.exists() and not force:
        raise StartError(f"{file} exists; choose another file, or replace it with --force")
    for leftover in (file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-journal")):
        # SQLite would take it for a part of the copy.
        if leftover.exists():
            raise StartError(f"{leftover} exists, so {file} is a database in use; choose another file")


def _take(database: Path, partial: Path, file: Path) -> int:
    """Takes the copy; returns the version of its schema. Raises StartError."""
    with open_database(database) as guest:
        try:
            return guest.copy_to(partial)
        except CopyFailed as error:
            raise StartError(f"database {database} can't be copied to {file}: {error}") from error


def _sync_directory(directory: Path) -> None:
    """A file's new name is on the disk when its directory is."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
