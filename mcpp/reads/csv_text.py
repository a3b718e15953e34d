"""Lines of CSV that a spreadsheet may open: for the API and the command line alike."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from mcpp.domain.prices import spell_decimal
from mcpp.reads.times import in_zone, spell_time

Value: TypeAlias = str | int | float | Decimal | bool | datetime | Mapping[str, object] | Sequence[object] | None


class Dialect(StrEnum):
    """For whom a file is."""

    STANDARD = "standard"
    """RFC 4180 with LF: commas, times as the API spells them."""
    EXCEL = "excel"
    """As a spreadsheet opens it by a double click where the comma is the decimal point's: a byte order mark,
    semicolons, decimal commas, local times."""
    EXCEL_EN = "excel-en"
    """The same where the decimal point is one: commas between the cells, decimal points."""


DIALECTS: Final = (
    "excel: byte order mark, semicolons, decimal commas, local times, and an apostrophe before a text that Excel would "
    "take for a number or a date, such as a card's number. excel-en: the same for an English Excel, with commas and "
    "decimal points."
)
"""What each is, for help texts and the API's description."""


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a text begins that a spreadsheet would run as a formula; and how one does that was marked as text."""

_TO_QUOTE: Final = re.compile(r'[",;\t\r\n]')
"""Also what delimits cells in other places than ours."""

_MONTHS: Final = "jan|feb|m[aä]r|mrz|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]"
_MANGLED: Final = re.compile(
    rf"(?:[.,]?\d[\d.,:/\-+e%€$ ]*|\d*[-./ ]*(?:{_MONTHS})[a-zäö]*[-./ ]*\d*|true|false|wahr|falsch)",
    re.IGNORECASE,
)
"""Texts that a spreadsheet would take for a number, a date or a truth and show otherwise, such as a card's number."""

_DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

_BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


class CsvText:
    """A file's text, line by line.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, and so does one that begins with an
    apostrophe: taking one off restores each value. For Excel, so does a text that it would take for a number or a date.
    Numbers stay numbers, the negative ones too. An object or a list is JSON.
    """

    def __init__(
        self,
        columns: Sequence[str],
        dialect: Dialect = Dialect.STANDARD,
        zone: tzinfo | None = None,
        *,
        readable: Collection[str] = (),
    ) -> None:
        """`zone`, None being the machine's, is that of Excel's local times.

        `readable` are the columns of texts that Excel shall read as numbers and dates, as they are.
        """
        self._columns = columns
        self._readable = frozenset(readable)
        self._is_for_excel = dialect is not Dialect.STANDARD
        self._zone = zone
        self._separator, self._decimal_sign = (";", ",") if dialect is Dialect.EXCEL else (",", ".")
        self._end = "\r\n" if self._is_for_excel else "\n"

    def head(self) -> str:
        """What the file begins with: the names of the columns."""
        return (_BYTE_ORDER_MARK if self._is_for_excel else "") + self._line(map(_quoted, self._columns))

    def line(self, row: Mapping[str, Value]) -> str:
        """One line, with its end."""
        return self._line(self._cell(column, row[column]) for column in self._columns)

    def _line(self, cells: Iterable[str]) -> str:
        return self._separator.join(cells) + self._end

    def _cell(self, column: str, value: Value) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "true" if value else "false"
            case int():
                return str(value)
            case float():
                return self._number(repr(value))
            case Decimal():
                return self._number(spell_decimal(value))
            case datetime():
                return self._time(value)
            case str():
                return self._text(column, value)
            case _:
                return _quoted(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def _number(self, text: str) -> str:
        return text.replace(".", self._decimal_sign)

    def _time(self, moment: datetime) -> str:
        if not self._is_for_excel:
            return spell_time(moment)
        return in_zone(moment, self._zone).replace(tzinfo=None).isoformat(" ", "seconds")

    def _text(self, column: str, text: str) -> str:
        if self._is_for_excel:
            if column in self._readable:
                if _DECIMAL.fullmatch(text):
                    return self._number(text)
            elif _MANGLED.fullmatch(text.strip()):
                return _quoted(f"'{text}")
        return _quoted(f"'{text}" if text.startswith(_FORMULA) else text)


def _quoted(text: str) -> str:
    if not _TO_QUOTE.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
