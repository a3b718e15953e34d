"""The text of a file that a person brings, in whatever encoding a spreadsheet or a database tool wrote it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final, NamedTuple, TextIO

from mcpp.errors import StartError

_IN_MEMORY: Final = 1 << 24
"""Bytes of a file that are held in memory while it's read."""

_UTF8: Final = "utf-8-sig"
_WINDOWS: Final = "cp1252"
"""What Excel writes as CSV on most machines of western languages."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")

_NO_TEXT: Final = (
    (b"PK\x03\x04", "a workbook or an archive (such as .xlsx or .ods)"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel (.xls)"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\x00", "a SQLite database"),
)
"""How files begin that are no text, and what they are."""


class FileText(NamedTuple):
    """A file as text."""

    text: TextIO
    note: str | None
    """What a person should know of how it was read."""


@contextmanager
def open_text(file: str) -> Iterator[FileText]:
    """The text of a file, `-` for standard input. Raises StartError for what can't be read or is no text.

    UTF-8 and UTF-16 by their marks; else UTF-8, unless nothing in it says so: Excel writes Windows-1252. A line of a
    file in UTF-8 that isn't keeps its odd bytes as surrogates, so that only this line is refused.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        try:
            if file == "-":
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with Path(file).open("rb") as binary:
                    shutil.copyfileobj(binary, copy)
        except OSError as error:
            raise StartError(f"{file} can't be read: {error.strerror or error}") from error
        copy.seek(0)
        encoding = _encoding_of(file, copy)
        copy.seek(0)
        note = f"{file}: read as Windows-1252, since it isn't UTF-8" if encoding == _WINDOWS else None
        with TextIOWrapper(copy, encoding=encoding, errors="surrogateescape", newline="") as text:
            yield FileText(text, note)


def _encoding_of(file: str, binary: IO[bytes]) -> str:
    begin = binary.read(16)
    for mark, what in _NO_TEXT:
        if begin.startswith(mark):
            raise StartError(f"{file} is {what}, not CSV; open it and save it as CSV UTF-8")
    if begin.startswith(_UTF16):
        return "utf-16"
    binary.seek(0)
    odd = False
    for line in binary:
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            odd = True
        else:
            return _UTF8
    return _WINDOWS if odd else _UTF8
