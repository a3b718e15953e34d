"""Lines of CSV that a spreadsheet may open: for the API and the command line alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

Value: TypeAlias = str | int | bool | Mapping[str, object] | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a text begins that a spreadsheet would run as a formula; and how one does that was marked as text."""

_TO_QUOTE: Final = re.compile(r'[",;\t\r\n]')
"""Also what delimits cells in other places than ours."""


def csv_line(values: Iterable[Value]) -> str:
    """One line with its end, LF (RFC 4180 otherwise).

    A text that a spreadsheet would run as a formula gets an apostrophe in front, and so does one that begins with an
    apostrophe: taking one off restores each value. Numbers stay numbers, the negative ones too.
    """
    return ",".join(map(_cell, values)) + "\n"


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _quoted(f"'{value}" if value.startswith(_FORMULA) else value)
        case _:
            return _quoted(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _quoted(text: str) -> str:
    if not _TO_QUOTE.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
