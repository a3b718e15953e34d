"""Rows on standard output: CSV, JSON or a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from typing import TextIO, TypeAlias

import click

from mcpp.reads.csv_text import CsvText, Value
from mcpp.reads.terminal_text import padded, printable, width_of

Row: TypeAlias = Mapping[str, Value]


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, in UTF-8 whatever the locale.

    Flushed at the end, so that a reader who closed the pipe is noticed here: click ends the command quietly then.
    Raises click.ClickException where it can't be written otherwise.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"standard output can't be written: {error.strerror or error}") from error


def write_csv(out: TextIO, text: CsvText, rows: Iterable[Row]) -> None:
    """A header and a line for each row."""
    out.write(text.head())
    out.writelines(map(text.line, rows))


def write_json(out: TextIO, rows: Iterable[Row]) -> None:
    """One array, each row in a line of its own: a document for a parser, lines for a person."""
    out.write("[")
    separator = "\n"
    for row in rows:
        out.write(separator + json.dumps(row, ensure_ascii=False, separators=(",", ":")))
        separator = ",\n"
    out.write("\n]\n")


def write_table(out: TextIO, headings: Mapping[str, bool], rows: Iterable[Sequence[str]]) -> None:
    """A table for people; `headings` say whether a column is of numbers, which stand to the right."""
    lines = [tuple(map(printable, row)) for row in chain([tuple(headings)], rows)]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            padded(text, width, right=is_number)
            for text, width, is_number in zip(line, widths, headings.values(), strict=True)
        )
        out.write("  ".join(cells).rstrip() + "\n")
