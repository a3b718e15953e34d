"""The commands of INTERFACE.md §1."""

from __future__ import annotations

from collections.abc import Mapping

import click

from mcpp import __version__
from mcpp.cli.options import EPILOG, given_flags, setting_options
from mcpp.errors import StartError
from mcpp.settings import Settings, setting
from mcpp.storage.database import DatabaseUnusable, open_writer
from mcpp.storage.migrations import Migrated, migrate

MISUSE = 2
"""Exit code for wrong use, a bad setting or a database that can't be used."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count: 128 and the signal's number."""


def main() -> int:
    """Runs the command line; gives the exit code. What is wrong is told on standard error, a line each."""
    try:
        code: object = program.main(prog_name="mcpp", standalone_mode=False)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return MISUSE
    except StartError as error:
        for line in error.lines:
            click.echo(line, err=True)
        return MISUSE
    except click.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def program() -> None:
    """MCPP, the Minimal Central Power Point: a central system for EV chargers."""


@program.command(params=setting_options(), epilog=EPILOG)
def serve(**options: object) -> int:
    """Run the central system.

    The OCPP listener and the HTTP listener run in one process. Pending migrations of the database are applied first.
    """
    settings = Settings.load(given_flags(options))
    from mcpp.app import serve as run  # the whole server: help and the other commands do without

    return run(settings)


@program.command("migrate", params=setting_options("database"))
def migrate_database(**options: object) -> None:
    """Bring the database to the schema of this program."""
    settings = Settings.load(given_flags(options))
    try:
        connection = open_writer(settings.database, settings.durability)
        try:
            migrated = migrate(connection)
        finally:
            connection.close()
    except DatabaseUnusable as error:
        raise StartError(str(error)) from error
    click.echo(f"{settings.database}: {_what_happened(migrated)}")


def _what_happened(migrated: Migrated) -> str:
    if migrated.from_version == migrated.to_version:
        return f"schema version {migrated.to_version} is current, nothing to do"
    return f"migrated from schema version {migrated.from_version} to {migrated.to_version}"


@program.command(params=setting_options(), epilog=EPILOG)
def check_config(**options: object) -> None:
    """Print the effective settings.

    Each with its source; secrets are masked. A line for each mistake instead where there are some.
    """
    flags = given_flags(options)
    for line in _effective(Settings.load(flags), flags):
        click.echo(line)


def _effective(settings: Settings, flags: Mapping[str, str]) -> list[str]:
    return [
        f"{setting(name)}: {settings.text(name)} ({settings.source(name, flags)})" for name in Settings.model_fields
    ]
