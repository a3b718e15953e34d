"""`mcpp conformance`: what chargers depart in from OCPP's contract."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

import click

from mcpp.cli.database import database_of, open_database
from mcpp.cli.options import dialect_option, setting_options
from mcpp.cli.output import Row, standard_output, write_csv, write_json, write_table
from mcpp.errors import StartError
from mcpp.reads.conformance import Departure, SharedDeparture, list_all, list_all_of
from mcpp.reads.csv_text import CsvText, Dialect, Value
from mcpp.reads.terminal_text import printable
from mcpp.reads.times import spell_time
from mcpp_generated.db.enums import MessageRole

_NARROWEST: Final = 20
"""Columns for a text that is folded, however narrow the terminal is."""


@click.command(
    params=[
        click.Option(["--charge-point"], metavar="ID", help="Of one charge point, rather than by vendor and firmware."),
        click.Option(
            ["--format", "output_format"],
            type=click.Choice(["table", "csv", "json"]),
            default="table",
            show_default=True,
            help="table: folded on a terminal, else a line each; csv and json: in the columns of the API.",
        ),
        dialect_option(),
        *setting_options("database"),
    ]
)
def conformance(charge_point: str | None, output_format: str, dialect: str, **options: object) -> None:
    """Show what chargers break of the contract.

    By vendor, model and firmware: which rule, in which message and field, how often, since when, at how many charge
    points, what came last and what was made of it. All of this was tolerated, except for the rule "refused".

    Secrets are masked. A server may be running meanwhile; what it saw in the last seconds isn't here yet.
    """
    database = database_of(options)
    found: Sequence[Departure] | None
    with open_database(database) as guest, guest.snapshot() as queries:
        found = list_all(queries) if charge_point is None else list_all_of(queries, charge_point)
    if found is None:
        raise StartError(f"there is no charge point {charge_point!r} in {database}")
    with standard_output() as out:
        match output_format:
            case "csv":
                write_csv(
                    out, CsvText(_columns(one=charge_point is not None), Dialect(dialect)), map(_timed_row, found)
                )
            case "json":
                write_json(out, map(_row, found))
            case _ if out.isatty():
                out.writelines(f"{line}\n" for line in folded(found, shutil.get_terminal_size().columns))
            case _:
                columns = _columns(one=charge_point is not None)
                headings = {column: column in {"count", "charge_points"} for column in columns}
                write_table(out, headings, (_cells(departure, columns) for departure in found))


def folded(departures: Iterable[Departure], width: int) -> Iterator[str]:
    """Lines for a terminal: a paragraph for each firmware, what is commonest first, long texts folded."""
    nothing = True
    for firmware, group in groupby(departures, lambda it: (it.vendor, it.model, it.firmware_version)):
        if not nothing:
            yield ""
        nothing = False
        yield from _paragraph(firmware, sorted(group, key=lambda it: -it.count), width)
    if nothing:
        yield "Nothing is recorded: no charge point broke the contract."


def _paragraph(firmware: Sequence[str | None], departures: Sequence[Departure], width: int) -> Iterator[str]:
    yield from _fold(_called(*firmware), width)
    shared = all(isinstance(it, SharedDeparture) for it in departures)
    rows = [["Count", *(["Chargers"] if shared else []), "Since", "Rule"]]
    for it in departures:
        chargers = [str(it.charge_points)] if isinstance(it, SharedDeparture) else []
        rows.append([str(it.count), *chargers, it.first_at.date().isoformat(), printable(it.rule)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    margin = sum(widths) + 2 * len(widths) + 2
    texts = [["Where, what came last -> as what it was taken"], *([_place(it), *_example(it)] for it in departures)]
    for row, paragraph in zip(rows, texts, strict=True):
        cells = [cell.rjust(size) for cell, size in zip(row, widths, strict=True)]
        cells[-1] = row[-1].ljust(widths[-1])
        first, *others = (line for text in paragraph for line in _fold(text, max(width - margin, _NARROWEST)))
        yield "  " + "  ".join([*cells, first])
        yield from (" " * margin + line for line in others)


def _called(vendor: str | None, model: str | None, firmware_version: str | None) -> str:
    name = " ".join(filter(None, (vendor, model))) or "Not said which vendor and model"
    return printable(f"{name}, firmware {firmware_version}" if firmware_version else f"{name}, firmware not said")


def _place(departure: Departure) -> str:
    message = departure.action or "Frame or handshake"
    if departure.message is MessageRole.ANSWER:
        message = f"Answer to {message}"
    return printable(f"{message}: {departure.field}" if departure.field else message)


def _example(departure: Departure) -> Iterator[str]:
    if departure.example:
        yield printable(departure.example) + (printable(f" -> {departure.taken_as}") if departure.taken_as else "")


def _fold(text: str, width: int) -> list[str]:
    """The text in lines that are no longer, broken at spaces, else before dots, else anywhere."""
    lines: list[str] = []
    while len(text) > width:
        ends = (text.rfind(" ", 0, width + 1), text.rfind(".", 0, width + 1), width)
        end = next(end for end in ends if end > width // 3)
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*lines, text]


def _columns(*, one: bool) -> list[str]:
    """In the order of a table; `charge_points` where they are of several."""
    columns = ["vendor", "model", "firmware_version", "charge_points", "message", "action", "rule", "field"]
    if one:
        columns.remove("charge_points")
    return [*columns, "count", "first_at", "last_at", "example", "taken_as"]


def _row(departure: Departure) -> Row:
    row: dict[str, str | int | None] = {
        "vendor": departure.vendor,
        "model": departure.model,
        "firmware_version": departure.firmware_version,
    }
    if isinstance(departure, SharedDeparture):
        row["charge_points"] = departure.charge_points
    return row | {
        "message": departure.message.value,
        "action": departure.action,
        "rule": departure.rule,
        "field": departure.field,
        "count": departure.count,
        "first_at": spell_time(departure.first_at),
        "last_at": spell_time(departure.last_at),
        "example": departure.example,
        "taken_as": departure.taken_as,
    }


def _timed_row(departure: Departure) -> Mapping[str, Value]:
    """The same with moments, which each dialect spells in its own way."""
    return {**_row(departure), "first_at": departure.first_at, "last_at": departure.last_at}


def _cells(departure: Departure, columns: Sequence[str]) -> list[str]:
    row = _row(departure)
    return ["" if row[column] is None else str(row[column]) for column in columns]
