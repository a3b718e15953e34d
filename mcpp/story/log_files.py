"""Log files, read in blocks of whole lines: of a large log most is only searched for bytes, never parsed."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, Final, TypeAlias, cast

import orjson
from pydantic import JsonValue

_BLOCK: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 25
"""A longer line is no log line: a frame of the largest size, with its payload, is far smaller."""

_GZIP: Final = b"\x1f\x8b"
_TIMESTAMP: Final = re.compile(rb'"timestamp": ?"([^"]{19,35})"')

Line: TypeAlias = dict[str, JsonValue]
"""The fields of a log line, as INTERFACE.md §4 names them."""


class NotJsonLines(Exception):
    """A log without a line in JSON, such as one for the console. The message is the file's name."""


@dataclass(slots=True)
class LogCoverage:
    """How much of a log was read, and from when to when it goes."""

    lines: int = 0
    used: int = 0
    """Lines that became a part of the story."""
    skipped: int = 0
    """Lines that aren't JSON, or cut short."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    damaged: list[str] = field(default_factory=list)
    """Compressed files that end too early."""

    def count(self, block: bytes) -> None:
        """Add a block of whole lines."""
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        self.lines += count
        # Cheap where all is well: each line begins with a brace and ends with one.
        if block.count(b"}\n{") != count - 1 or not block.startswith(b"{") or not block.rstrip().endswith(b"}"):
            lines = block.split(b"\n")
            self.lines -= sum(not line.strip() for line in lines) - block.endswith(b"\n")
            self.skipped += sum(bool(line.strip()) and json_part(line) is None for line in lines)
        for at in filter(None, span_of(block)):
            self.first_at = at if self.first_at is None else min(self.first_at, at)
            self.last_at = at if self.last_at is None else max(self.last_at, at)


class LogFile:
    """One file of a log, compressed or not; may be read more than once, so the file must be seekable."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        self._file = file

    def blocks(self, coverage: LogCoverage | None = None) -> Iterator[bytes]:
        """The file in blocks of whole lines, each counted in `coverage`. Raises NotJsonLines."""
        self._file.seek(0)
        is_compressed = self._file.read(2) == _GZIP
        self._file.seek(0)
        source = cast("BinaryIO", gzip.GzipFile(fileobj=self._file)) if is_compressed else self._file
        is_first = True
        try:
            for block in _whole_lines(source):
                if is_first:
                    self._require_json(block)
                    is_first = False
                if coverage is not None:
                    coverage.count(block)
                yield block
        except (EOFError, zlib.error, gzip.BadGzipFile):
            if coverage is not None:
                coverage.damaged.append(self.name)

    def _require_json(self, block: bytes) -> None:
        if block.strip() and not any(parse(line) for line in block.split(b"\n")):
            raise NotJsonLines(self.name)


def parse(line: bytes) -> Line | None:
    """The fields of a line, None where it's no whole log line; text before it, as journalctl has, is passed over."""
    part = json_part(line)
    if part is None:
        return None
    try:
        fields: JsonValue = orjson.loads(part)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("event"), str) or time_of(fields) is None:
        return None
    return fields


def json_part(line: bytes) -> bytes | None:
    """The line from its first brace to its last character, if that's a brace."""
    begin = line.find(b"{")
    part = line[begin:].rstrip()
    return part if begin >= 0 and part.endswith(b"}") else None


def time_of(line: Line) -> datetime | None:
    """A line's timestamp."""
    stamp = line.get("timestamp")
    return _moment(stamp) if isinstance(stamp, str) else None


def text_of(line: Line, name: str) -> str:
    """A field that is text, else ''."""
    value = line.get(name)
    return value if isinstance(value, str) else ""


def number_of(line: Line, name: str) -> int | None:
    """A field that is a whole number."""
    value = line.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def span_of(block: bytes) -> tuple[datetime | None, datetime | None]:
    """The timestamps of the first and the last line of a block."""
    first = _TIMESTAMP.search(block)
    last = _TIMESTAMP.search(block, max(0, block.rfind(b'"timestamp"')))
    return _stamped(first), _stamped(last)


def _stamped(match: re.Match[bytes] | None) -> datetime | None:
    return None if match is None else _moment(match[1].decode(errors="replace"))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _whole_lines(source: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while block := source.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        elif len(rest) < _LONGEST_LINE:
            rest += block
    if rest:
        yield rest
