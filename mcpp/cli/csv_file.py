"""CSV files that people bring: any column order, comma or semicolon, and a reason for each line that can't be used."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from mcpp.errors import StartError
from mcpp.reads.terminal_text import printable

Cells: TypeAlias = Mapping[str, str]
"""The cells of a line by column; only of the columns that the file has."""

_NOTHING: Final = frozenset({"NULL", r"\N"})
"""How database tools write an empty cell."""


@dataclass(frozen=True)
class Column:
    """A column that a file may have."""

    name: str
    aliases: frozenset[str] = frozenset()
    """Other names that it goes by."""
    verbatim: bool = False
    """Blanks around it, and what looks like an empty cell, belong to it."""


class LineRefused(Exception):
    """A line that can't be used; the text says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Record:
    """A line that could be read: the number of its first line in the file, from 1, and its cells."""

    line: int
    cells: Cells


@dataclass(frozen=True)
class Unreadable:
    """A line that couldn't be."""

    line: int
    reason: str


@contextmanager
def open_csv(file: str) -> Iterator[TextIO]:
    """The text of a file, `-` for standard input. Raises StartError."""
    try:
        binary = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115  closed with the text
    except OSError as error:
        raise StartError(f"{file} can't be read: {error.strerror or error}") from error
    # What isn't UTF-8 is kept apart as surrogates, so that only its own line is refused.
    with TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield text


class CsvTable:
    """A CSV file with a header row: its header at once, its records one by one."""

    def __init__(self, file: str, text: TextIO, columns: Sequence[Column]) -> None:
        """Reads the header. Raises StartError for one that can't be used; the first of `columns` must be there."""
        self._skipped, first = next(((n, line) for n, line in enumerate(text) if line.strip()), (0, ""))
        self._rows = csv.reader(chain([first], text), delimiter=_delimiter(first), strict=True)
        try:
            names = next(self._rows, [])
        except csv.Error as error:
            raise StartError(f"{file}: the header row can't be read: {error}") from error
        self._columns = [_find(name, columns) for name in names]
        self.unused = [name for name, column in zip(names, self._columns, strict=True) if column is None]
        """Names of columns that nothing is known about."""
        _check(file, names, self._columns, columns)

    def __iter__(self) -> Iterator[Record | Unreadable]:
        """The records of the file; empty lines are passed over."""
        while True:
            line = self._skipped + self._rows.line_num + 1
            try:
                row = next(self._rows, None)
            except csv.Error as error:
                yield Unreadable(
                    line, f"not CSV: {error}; quotes around a cell must be closed, those within it doubled"
                )
                continue
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield self._record(line, row)

    def _record(self, line: int, row: list[str]) -> Record | Unreadable:
        if any(cell.strip() for cell in row[len(self._columns) :]):
            return Unreadable(
                line, f"{len(row)} cells under {len(self._columns)} columns; put a cell with a delimiter into quotes"
            )
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            return Unreadable(line, "not UTF-8; save the file in that encoding")
        row += [""] * (len(self._columns) - len(row))
        known = zip(self._columns, row, strict=False)
        return Record(line, {column.name: _cell(column, text) for column, text in known if column is not None})


def _delimiter(header: str) -> str:
    return ";" if header.count(";") > header.count(",") else ","


def _find(name: str, columns: Sequence[Column]) -> Column | None:
    wanted = name.strip().lower().replace(" ", "_").replace("-", "_")
    return next((column for column in columns if wanted == column.name or wanted in column.aliases), None)


def _check(file: str, names: list[str], found: Sequence[Column | None], columns: Sequence[Column]) -> None:
    known = ", ".join(column.name for column in columns)
    if columns[0] not in found:
        has = f"the first line is {printable(', '.join(names))[:200]}" if names else "it is empty"
        raise StartError(
            f"{file}: no column {columns[0].name}: {has}; the first line names the columns, in UTF-8: {known}"
        )
    twice = [column.name for column in columns if found.count(column) > 1]
    if twice:
        raise StartError(f"{file}: more than one column for {', '.join(twice)}; take one of them out")


def _cell(column: Column, text: str) -> str:
    if column.verbatim:
        return text
    text = text.strip()
    return "" if text in _NOTHING else text
