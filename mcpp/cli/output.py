"""Rows on standard output: CSV, JSON or a table."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final, TextIO, TypeAlias

import click

from mcpp.cli.text import printable

Value: TypeAlias = str | int | bool | Mapping[str, object] | None
Row: TypeAlias = Mapping[str, Value]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a text begins that a spreadsheet would run as a formula; and how one begins that was marked as text."""


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output as UTF-8 whatever the locale, lines ending as they are written.

    Flushed at the end, so that a reader who closed the pipe is noticed here: click ends the command quietly then.
    Raises click.ClickException where it can't be written otherwise.
    """
    out = sys.stdout
    assert not isinstance(out, TextIO) or out is not None
    try:
        yield out
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"standard output can't be written: {error.strerror or error}") from error


def write_csv(out: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A header and a line for each row (RFC 4180, lines end with LF)."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)


def write_json(out: TextIO, rows: Iterable[Row]) -> None:
    """One array, a row in each line: a document for a parser, lines for a person."""
    out.write("[")
    separator = "\n"
    for row in rows:
        out.write(separator + json.dumps(row, ensure_ascii=False, separators=(",", ":")))
        separator = ",\n"
    out.write("\n]\n")


def write_table(out: TextIO, headings: Mapping[str, bool], rows: Iterable[Sequence[str]]) -> None:
    """A table for people; `headings` say whether a column is of numbers, which stand to the right."""
    lines = [tuple(map(printable, row)) for row in chain([tuple(headings)], rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, headings.values(), strict=True)
        )
        out.write("  ".join(cells).rstrip() + "\n")


def _cell(value: Value) -> str | int:
    """A cell that a spreadsheet takes for what it is.

    A text that it would run gets an apostrophe in front, and so does one that begins with an apostrophe: taking one
    off gives each value back. Numbers stay numbers, the negative ones too.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return value
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
