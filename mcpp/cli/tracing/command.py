"""`mcpp trace`: the story of a charging session, or of a charge point, from the books and the log."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import tzinfo
from typing import TextIO

import click

from mcpp.cli.books import database_of
from mcpp.cli.options import setting_options
from mcpp.cli.output import standard_output
from mcpp.cli.tracing.composing import story_of_charge_point, story_of_transaction
from mcpp.cli.tracing.gathering import EVER, Span
from mcpp.cli.tracing.printing import Style, write_json_lines, write_story
from mcpp.cli.zones import complete_zone, option_time, read_zone
from mcpp.telemetry.logs.pipeline import wants_colors


@click.command(
    params=[
        click.Argument(["transaction_id"], required=False, type=click.IntRange(1, 2**63 - 1)),
        click.Option(
            ["--log", "logs"],
            multiple=True,
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, allow_dash=True),
            help="The server's log in JSON, also as .gz; - is standard input. Give it again for each rotated file.",
        ),
        click.Option(["--charge-point", "charge_point_id"], metavar="ID", help="Tell of a charge point instead."),
        click.Option(
            ["--connector", "connector_id"],
            type=click.IntRange(0, 2**31 - 1),
            help="Of that charge point, without what is its other connectors'.",
        ),
        click.Option(["--since"], metavar="TIME", help="Of that charge point, from then on."),
        click.Option(["--until"], metavar="TIME", help="Of that charge point, up to then."),
        click.Option(
            ["--timezone"],
            metavar="NAME",
            shell_complete=complete_zone,
            help="Whose times to tell, such as Europe/Berlin or UTC. [default: the machine's]",
        ),
        click.Option(["--payloads"], is_flag=True, help="With OCPP's payloads, where the log has them."),
        click.Option(["--json", "as_json"], is_flag=True, help="A JSON object for each entry, times in UTC."),
        *setting_options("database"),
    ]
)
def trace(
    transaction_id: int | None,
    logs: Sequence[str],
    charge_point_id: str | None,
    connector_id: int | None,
    since: str | None,
    until: str | None,
    timezone: str | None,
    payloads: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Tell the story of a charging session.

    What the charger said, what server, plugins and operators did, how the meter rose, and where something was missing:
    put together from the database and the server's log, a line each, with the correlation id to find it in the log by.
    Without a log only what is in the books is told.

    mcpp trace --charge-point ID --log FILE tells of a charge point instead, whether it charged or not.

    A server may be running meanwhile. A TIME is a date or 2026-03-29T12:00:00; without an offset it is meant in the
    time zone.
    """
    zone = None if timezone is None else read_zone(timezone)
    span = Span(
        EVER.begin if since is None else option_time("--since", since, zone),
        EVER.end if until is None else option_time("--until", until, zone),
    )
    if transaction_id is not None:
        if charge_point_id is not None or connector_id is not None or span != EVER:
            raise click.UsageError("--charge-point, --connector, --since and --until don't go with a transaction's id")
        story = story_of_transaction(database_of(options), logs, transaction_id, zone, payloads=payloads)
    elif charge_point_id is None:
        raise click.UsageError("say what to trace: a transaction's id, or --charge-point")
    elif not logs:
        raise click.UsageError("--charge-point needs the server's log: give it with --log")
    else:
        story = story_of_charge_point(
            database_of(options), logs, charge_point_id, connector_id, span, zone, payloads=payloads
        )
    with standard_output() as out:
        if as_json:
            write_json_lines(out, story.heading_as_json(), story.entries, payloads=payloads)
        else:
            write_story(out, story.heading, story.entries, story.notes, _style(out, zone, payloads=payloads))
    if as_json:
        for note in story.notes:
            click.echo(note, err=True)


def _style(out: TextIO, zone: tzinfo | None, *, payloads: bool) -> Style:
    """For a terminal in its width and colours; elsewhere an entry is one line, so that grep finds it whole."""
    width = shutil.get_terminal_size().columns if out.isatty() else None
    return Style(zone, width, colors=width is not None and wants_colors(out.fileno()), payloads=payloads)
