"""`mcpp report`: energy and sessions, summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import click

from mcpp.cli.database import database_of, open_database
from mcpp.cli.options import setting_options
from mcpp.cli.output import Row, standard_output, write_csv, write_json, write_table
from mcpp.cli.zones import complete_zone, option_time, read_zone
from mcpp.reads.people import stored_holders
from mcpp.reads.reports import By, Line, Period, Total, ended_sessions, grand_total, summed_up
from mcpp.reads.times import BEFORE_ALL

_NOBODY: Final = "(nobody)"
"""Sessions of cards that were nobody's; no person's id looks like it."""

_HEADINGS: Final = {By.CHARGER: "Charge point", By.ID_TAG: "Id tag", By.PERSON: "Person"}
_COLUMNS: Final = {By.CHARGER: "charge_point_id", By.ID_TAG: "id_tag", By.PERSON: "person_id"}


@click.command(
    params=[
        click.Option(["--by"], type=click.Choice([by.value for by in By]), default=By.CHARGER.value, show_default=True),
        click.Option(
            ["--period"],
            type=click.Choice([period.value for period in Period]),
            default=Period.MONTH.value,
            show_default=True,
        ),
        click.Option(
            ["--timezone"],
            metavar="NAME",
            shell_complete=complete_zone,
            help="Whose days these are, such as Europe/Berlin. [default: the machine's]",
        ),
        click.Option(["--since"], metavar="TIME", help="Only sessions that ended then or later."),
        click.Option(["--until"], metavar="TIME", help="Only sessions that ended before."),
        click.Option(
            ["--format", "output_format"],
            type=click.Choice(["table", "csv", "json"]),
            default="table",
            show_default=True,
            help="table: energy in kWh, with a total; csv and json: energy in Wh, duration in seconds.",
        ),
        *setting_options("database"),
    ]
)
def report(
    by: str,
    period: str,
    timezone: str | None,
    since: str | None,
    until: str | None,
    output_format: str,
    **options: object,
) -> None:
    """Sum up energy and sessions.

    By charger, id tag or person, and by day, month or year of a time zone, with how long the sessions took.

    A session counts whole in the period that its stop lies in; one that still runs doesn't count. Implausible sessions,
    whose energy can't be true, are counted apart, without energy and duration: mcpp export transactions --implausible
    lists them, and the API corrects them. The same export has the sessions of a report with --ended-since and
    --ended-until in the same time zone.

    A TIME is a date or 2026-03-29T12:00:00; without an offset it is meant in the time zone, so
    --since 2026-03-01 --until 2026-04-01 is March.
    """
    zone = None if timezone is None else read_zone(timezone)
    first = BEFORE_ALL if since is None else option_time("--since", since, zone)
    end = None if until is None else option_time("--until", until, zone)
    with open_database(database_of(options)) as guest, guest.snapshot() as queries:
        holders = stored_holders(queries) if By(by) is By.PERSON else None
        lines = summed_up(ended_sessions(queries, first, end), By(by), Period(period), zone, holders)
    with standard_output() as out:
        columns = ("period", _COLUMNS[By(by)], "sessions", "energy_wh", "duration_seconds", "implausible_sessions")
        match output_format:
            case "csv":
                write_csv(out, columns, _rows(columns, lines))
            case "json":
                write_json(out, _rows(columns, lines))
            case _:
                numbers = ("Sessions", "Energy kWh", "Duration", "Implausible")
                headings = {"Period": False, _HEADINGS[By(by)]: False} | dict.fromkeys(numbers, True)
                write_table(out, headings, _table(lines))


def _rows(columns: Sequence[str], lines: Sequence[Line]) -> Iterator[Row]:
    for line in lines:
        total = line.total
        yield dict(
            zip(
                columns,
                (
                    line.period,
                    line.subject,
                    total.sessions,
                    total.energy_wh,
                    total.duration // timedelta(seconds=1),
                    total.implausible_sessions,
                ),
                strict=True,
            )
        )


def _table(lines: Sequence[Line]) -> Iterator[Sequence[str]]:
    for line in lines:
        yield line.period, line.subject or _NOBODY, *_cells(line.total)
    yield "Total", "", *_cells(grand_total(lines))


def _cells(total: Total) -> tuple[str, str, str, str]:
    minutes, seconds = divmod(total.duration // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        str(total.sessions),
        f"{total.energy_wh // 1000}.{total.energy_wh % 1000:03}",
        f"{hours}:{minutes:02}:{seconds:02}",
        str(total.implausible_sessions),
    )
