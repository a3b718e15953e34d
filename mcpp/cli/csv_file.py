"""CSV files that people bring: any column order and delimiter, and a reason for each line that can't be used."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TextIO, TypeAlias

from mcpp.errors import StartError
from mcpp.reads.terminal_text import printable

Cells: TypeAlias = Mapping[str, str]
"""The cells of a line by column; only of the columns that the file has."""

_DELIMITERS: Final = (",", ";", "\t")
"""The first of them wins where the header has as many of another."""

_NAMED_DELIMITER: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""A line before the header by which Excel is told the delimiter."""

_AS_TEXT: Final = re.compile(r'="((?:[^"]|"")*)"')
"""A formula by which Excel is kept from taking a text for a number."""

_MARK_OF_TEXT: Final = "'"
"""What our own CSV has before a text that a spreadsheet would take for something else (`mcpp.reads.csv_text`)."""

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


class CsvTable:
    """A CSV file with a header row: its header at once, its records one by one."""

    def __init__(self, file: str, text: TextIO, columns: Sequence[Column]) -> None:
        """Reads the header. Raises StartError for one that can't be used; the first of `columns` must be there."""
        self._skipped, first = next(((n, line) for n, line in enumerate(text) if line.strip()), (0, ""))
        named = _NAMED_DELIMITER.fullmatch(first.strip("\r\n"))
        if named:
            self._skipped, first = self._skipped + 1, next(text, "")
        delimiter = named[1] if named else max(_DELIMITERS, key=first.count)
        self._rows = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
        try:
            names = next(self._rows, [])
        except csv.Error as error:
            raise StartError(f"{file}: the header row can't be read: {error}") from error
        self._columns = [_find(name, columns) for name in names]
        self.unused = [
            name for name, column in zip(names, self._columns, strict=True) if column is None and name.strip()
        ]
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


def _find(name: str, columns: Sequence[Column]) -> Column | None:
    wanted = name.strip().lower().replace(" ", "_").replace("-", "_")
    return next((column for column in columns if wanted == column.name or wanted in column.aliases), None)


def _check(file: str, names: list[str], found: Sequence[Column | None], columns: Sequence[Column]) -> None:
    known = ", ".join(column.name for column in columns)
    if columns[0] not in found:
        has = f"the first line is {printable(', '.join(names))[:200]}" if names else "it is empty"
        raise StartError(f"{file}: no column {columns[0].name}: {has}; the first line names the columns: {known}")
    twice = [column.name for column in columns if found.count(column) > 1]
    if twice:
        raise StartError(f"{file}: more than one column for {', '.join(twice)}; take one of them out")


def _cell(column: Column, text: str) -> str:
    if column.verbatim:
        return text
    text = text.strip()
    formula = _AS_TEXT.fullmatch(text)
    text = formula[1].replace('""', '"') if formula else text.removeprefix(_MARK_OF_TEXT)
    return "" if text in _NOTHING else text
