"""`mcpp report`: energy and sessions, summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import click

from mcpp.cli.database import database_of, read_in_steps
from mcpp.cli.options import dialect_option, setting_options
from mcpp.cli.output import standard_output, write_csv, write_json, write_table
from mcpp.cli.zones import complete_zone, option_time, read_zone
from mcpp.domain.prices import spell_decimal
from mcpp.reads.csv_text import CsvText, Dialect
from mcpp.reads.people import read_names, read_prices
from mcpp.reads.reports import READABLE, By, Line, Period, Total, columns_of, grand_total, report_by_period, row_of
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL
from mcpp.storage.engine import ReaderPool

_NOBODY: Final = "(nobody)"
"""Sessions of cards that were nobody's; no person's id looks like it."""

_HEADINGS: Final = {By.CHARGER: "Charge point", By.ID_TAG: "Id tag", By.PERSON: "Person"}


class _ByChoice(click.Choice[str]):
    """The command line spells with a hyphen what the API spells with an underscore; both are understood."""

    def __init__(self) -> None:
        super().__init__([by.value.replace("_", "-") for by in By])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The API's spelling."""
        return str(super().convert(value.replace("_", "-"), param, ctx)).replace("-", "_")


@click.command(
    params=[
        click.Option(["--by"], type=_ByChoice(), default=By.CHARGER.value, show_default=True),
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
        click.Option(
            ["--amounts"],
            is_flag=True,
            help="Also what the sessions cost, each priced and rounded as in its holder's statement.",
        ),
        dialect_option(),
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
    amounts: bool,
    dialect: str,
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
    end = AFTER_ALL if until is None else option_time("--until", until, zone)
    whose = By(by)

    names: dict[str, str] = {}

    async def read(pool: ReaderPool) -> AsyncIterator[list[Line]]:
        if whose is By.PERSON:
            names.update(await read_names(pool))
        prices = await read_prices(pool) if amounts else None
        async for lines in report_by_period(pool, whose, Period(period), zone, first, end, prices):
            yield lines

    with read_in_steps(database_of(options), read) as lines, standard_output() as out:
        match output_format:
            case "csv":
                text = CsvText(columns_of(whose, amounts=amounts), Dialect(dialect), zone, readable=READABLE)
                write_csv(out, text, (row_of(line, whose, amounts=amounts) for line in lines))
            case "json":
                write_json(out, (row_of(line, whose, amounts=amounts) for line in lines))
            case _:
                numbers = ["Sessions", "Energy kWh", "Duration", "Implausible", *(["Amount"] if amounts else [])]
                headings = {"Period": False, _HEADINGS[whose]: False} | dict.fromkeys(numbers, True)
                write_table(out, headings, _table(list(lines), names, amounts=amounts))


def _table(lines: Sequence[Line], names: Mapping[str, str], *, amounts: bool) -> Iterator[Sequence[str]]:
    """Of people with their names, and with the ids of those who share one."""
    often = Counter(names.values())
    for line in lines:
        subject = line.subject or _NOBODY
        name = names.get(subject, subject)
        yield line.period, f"{name} ({subject})" if often[name] > 1 else name, *_cells(line.total, amounts=amounts)
    yield "Total", "", *_cells(grand_total(lines), amounts=amounts)


def _cells(total: Total, *, amounts: bool) -> Iterator[str]:
    minutes, seconds = divmod(total.duration // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    yield str(total.sessions)
    yield f"{total.energy_wh // 1000}.{total.energy_wh % 1000:03}"
    yield f"{hours}:{minutes:02}:{seconds:02}"
    yield str(total.implausible_sessions)
    if amounts:
        yield "-" if total.amount is None else spell_decimal(total.amount)
