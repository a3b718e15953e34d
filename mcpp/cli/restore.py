"""`mcpp restore`: a backup in the place of the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mcpp.cli.database import database_of
from mcpp.cli.options import setting_options
from mcpp.errors import StartError
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.restore import Restored
from mcpp.storage.sqlite.restore import restore as restore_database


@click.command(
    params=[
        click.Argument(["file"], type=click.Path(path_type=Path)),
        *setting_options("database"),
    ]
)
def restore(file: Path, **options: object) -> None:
    """Put a backup in place of the database, while no server runs.

    FILE is checked as a whole first, and stays as it is. The database that was there is kept under another name.

    Chargers still hold the ids of transactions that began after the backup was taken. No id is given again: they go on
    far above, and what chargers tell of unknown transactions is kept as unmatched.
    """
    database = database_of(options)
    try:
        restored = restore_database(file, database)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    for line in _told(file, database, restored):
        click.echo(line)


def _told(file: Path, database: Path, restored: Restored) -> Iterator[str]:
    yield (
        f"{database}: restored from {file}: {restored.size} bytes, schema version {restored.version}, checked, "
        f"{restored.transactions} transactions"
    )
    if restored.version < restored.newest_version:
        yield f"the server will bring it to schema version {restored.newest_version} when it starts"
    if restored.is_plain_copy:
        yield f"{file} is a plain copy, not taken by mcpp backup: what its -wal file held is missing"
    yield f"the ids of transactions go on from {restored.next_id}"
    if restored.kept is not None:
        yield f"the database that was there is {restored.kept.name} now; delete it when it isn't needed any more"
    if restored.old_fault is not None:
        yield f"it wasn't whole ({restored.old_fault}); a -wal file beside it was renamed like it"
