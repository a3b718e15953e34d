"""`mcpp export`: the database's records on standard output."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from mcpp.cli.database import database_of, read_in_steps
from mcpp.cli.options import WholeNumber, dialect_option, setting_options
from mcpp.cli.output import standard_output, write_csv, write_json
from mcpp.cli.zones import complete_zone, option_time, read_zone
from mcpp.reads.csv_text import CsvText, Dialect
from mcpp.reads.transactions import COLUMNS, TransactionQuery, row_of, stream, values_of


@click.group()
def export() -> None:
    """Write the database's records as CSV or JSON."""


@export.command(
    "transactions",
    params=[
        click.Option(
            ["--format", "output_format"],
            type=click.Choice(["csv", "json"]),
            default="csv",
            show_default=True,
            help="json: one array, a transaction in each line.",
        ),
        dialect_option(),
        click.Option(["--charge-point-id"], metavar="TEXT", help="Only of this charge point."),
        click.Option(["--connector-id"], type=WholeNumber(0, 2**31 - 1), help="Only of connectors of this number."),
        click.Option(["--evse-id"], type=WholeNumber(0, 2**31 - 1), help="Only of EVSEs of this number."),
        click.Option(["--id-tag"], metavar="TEXT", help="Only of this id tag; letter case doesn't matter."),
        click.Option(["--open/--closed", "open_"], default=None, help="Only those that run, or that have ended."),
        click.Option(
            ["--implausible"],
            is_flag=True,
            help="Only those whose energy is implausible, which nobody has corrected.",
        ),
        click.Option(["--since"], metavar="TIME", help="Only those that began then or later."),
        click.Option(["--until"], metavar="TIME", help="Only those that began before."),
        click.Option(["--ended-since"], metavar="TIME", help="Only those that ended then or later."),
        click.Option(["--ended-until"], metavar="TIME", help="Only those that ended before."),
        click.Option(
            ["--timezone"],
            metavar="NAME",
            shell_complete=complete_zone,
            help="What a TIME without an offset is meant in, such as Europe/Berlin, and times for Excel are shown in. "
            "[default: UTC; for Excel the machine's]",
        ),
        *setting_options("database"),
    ],
)
def export_transactions(
    output_format: str,
    dialect: str,
    charge_point_id: str | None,
    connector_id: int | None,
    evse_id: int | None,
    id_tag: str | None,
    open_: bool | None,
    implausible: bool,
    since: str | None,
    until: str | None,
    ended_since: str | None,
    ended_until: str | None,
    timezone: str | None,
    **options: object,
) -> None:
    """Write transactions to standard output, the newest first, in the columns of the API.

    Energy and registers are in Wh, times in UTC. A TIME is a date or 2026-03-29T12:00:00Z; without an offset it is
    meant in the time zone. A server may be running meanwhile.

    A session belongs to the day that its stop lies in, here as in mcpp report: with --ended-since 2026-03-01
    --ended-until 2026-04-01 --timezone Europe/Berlin these are the sessions of the report's March, in the order of
    their stops. (--since and --until ask when a session began, as in the API.)

    CSV is safe to open in a spreadsheet: an apostrophe stands before a text that it would take for a formula (one that
    begins with = + - @, a tab or an apostrophe). JSON has every text as it is.
    """
    database = database_of(options)
    zone = UTC if timezone is None else read_zone(timezone)

    def time(option: str, text: str | None) -> datetime | None:
        return None if text is None else option_time(option, text, zone)

    query = TransactionQuery(
        charge_point_id=charge_point_id,
        connector_id=connector_id,
        evse_id=evse_id,
        id_tag=id_tag,
        open=open_,
        implausible=implausible,
        since=time("--since", since),
        until=time("--until", until),
        ended_since=time("--ended-since", ended_since),
        ended_until=time("--ended-until", ended_until),
    )
    with read_in_steps(database, lambda pool: stream(pool, query, limit=None)) as found, standard_output() as out:
        if output_format == "csv":
            # What a TIME is meant in is UTC where no zone is named, what a spreadsheet shows is the machine's.
            text = CsvText(COLUMNS, Dialect(dialect), None if timezone is None else zone)
            write_csv(out, text, map(values_of, found))
        else:
            write_json(out, map(row_of, found))
