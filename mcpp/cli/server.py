"""The commands that serve: `serve`, `migrate` and `check-config`."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import click

from mcpp.cli.database import open_database
from mcpp.cli.options import EPILOG, given_flags, setting_options
from mcpp.errors import StartError
from mcpp.settings import Settings, shown_settings
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.inspection import describe_database
from mcpp.storage.sqlite.migrations import Migrated
from mcpp.storage.sqlite.service import open_for_service
from mcpp.telemetry.tracing.settings import describe_tracing


@click.command(params=setting_options(), epilog=EPILOG)
def serve(**options: object) -> int:
    """Run the central system.

    The OCPP listener and the HTTP listener run in one process. Pending migrations of the database are applied first.
    """
    settings = Settings.load(given_flags(options))
    gc.disable()  # until the server is up: what a start makes stays
    from mcpp.server.serve import serve as run  # the whole server: help and the other commands do without

    return run(settings)


@click.command(
    "migrate",
    params=[
        click.Option(
            ["--new"], is_flag=True, help="Begin with an empty database where the one that there was is gone."
        ),
        *setting_options("database"),
    ],
)
def migrate_database(new: bool, **options: object) -> None:
    """Bring the database to the schema of this program."""
    settings = Settings.load(given_flags(options))
    try:
        connection, migrated, notices = open_for_service(settings.database, settings.durability, begin_anew=new)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    connection.close()
    for event, facts, is_warning in notices:
        if is_warning:
            click.echo(f"{event}: {', '.join(f'{name} {value}' for name, value in facts.items())}", err=True)
    click.echo(f"{settings.database}: {_what_happened(migrated)}")


def _what_happened(migrated: Migrated) -> str:
    if migrated.from_version == migrated.to_version:
        return f"schema version {migrated.to_version} is current, nothing to do"
    return f"migrated from schema version {migrated.from_version} to {migrated.to_version}"


@click.command(params=setting_options(), epilog=EPILOG)
def check_config(**options: object) -> None:
    """Print the effective settings.

    Each with its source, where traces go, and what is found at the database's path; secrets are masked. A line for
    each mistake instead where there are some.
    """
    settings = Settings.load(given_flags(options))
    from mcpp.server.parts import enabled_plugins  # the whole server, as above
    from mcpp.server.versions import spoken_versions

    enabled_plugins(settings)
    spoken_versions(settings.ocpp_versions)
    tracing = describe_tracing(os.environ)
    try:
        database = describe_database(settings.database)
    except DatabaseUnusable as error:
        raise StartError(str(error), passes=error.passes) from error
    settings.check_public(has_named_token=_has_named_token(settings.database))
    effective = [f"{shown.name}: {shown.value} ({shown.source})" for shown in shown_settings(settings)]
    for line in [*effective, f"database found: {database}", f"tracing: {tracing}"]:
        click.echo(line)


def _has_named_token(database: Path) -> bool:
    if not database.exists():
        return False
    with open_database(database) as guest, guest.snapshot() as q:
        return bool(q.list_tokens())
