"""`mcpp backup`: a consistent copy of a database that is in use."""

from __future__ import annotations

from pathlib import Path

import click

from mcpp.cli.database import database_of, open_database
from mcpp.cli.options import setting_options
from mcpp.errors import StartError
from mcpp.storage.sqlite.guests import CopyFailed
from mcpp.storage.sqlite.partial_files import partial_file, sync_directory


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

    To restore it, stop the server and run mcpp restore FILE.
    """
    database = database_of(options)
    _check_target(file, database, force)
    try:
        with partial_file(file) as partial:
            version = _take(database, partial, file)
            partial.replace(file)
            sync_directory(file.parent)
    except OSError as error:
        raise StartError(f"{file} can't be written: {error.strerror or error}") from error
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
