"""Time zones as people name them on a command line, and times in them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import click
from click.shell_completion import CompletionItem

from mcpp.cli.times import read_time
from mcpp.reads.zones import find_zone


def complete_zone(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of time zones that begin so, for the shell."""
    return [CompletionItem(name) for name in sorted(available_timezones()) if name.startswith(incomplete)]


def read_zone(name: str) -> ZoneInfo:
    """The time zone of `--timezone`. Raises click.UsageError."""
    try:
        return find_zone(name)
    except ValueError as error:
        raise click.UsageError(f"--timezone: {error}") from error


def option_time(option: str, text: str, zone: tzinfo | None) -> datetime:
    """The time that an option names, in UTC. Raises click.UsageError."""
    try:
        return read_time(text, zone)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error
