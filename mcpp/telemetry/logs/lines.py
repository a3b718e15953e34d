"""One log line: its fields, from which level on it is written, and its form for machines, which is JSON."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache, partial
from typing import TypeAlias

import orjson

from mcpp.telemetry.logs.redaction import redact_text
from mcpp.telemetry.logs.sink import STANDARD_OUTPUT, LogSink

Line: TypeAlias = dict[str, object]
"""The fields of a line; `timestamp`, `level`, `event` and `category` come first."""

Renderer: TypeAlias = Callable[[Line], bytes]


class LogLevel(StrEnum):
    """From which level on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """As the standard library counts levels."""
        return logging.getLevelNamesMapping()[self.name]


class LogFormat(StrEnum):
    """For whom lines are rendered."""

    JSON = "json"
    CONSOLE = "console"


def usual_format() -> LogFormat:
    """That of lines on standard output where nothing else is wanted: for people on a terminal."""
    try:
        return LogFormat.CONSOLE if os.isatty(STANDARD_OUTPUT) else LogFormat.JSON
    except OSError:  # it is closed
        return LogFormat.JSON


class LineWriter:
    """Renders lines and hands them to the sink: the one way out, for loggers and for the observer.

    What it writes may change at any time, so it's asked for every line. Safe from any thread.
    """

    def __init__(
        self,
        sink: LogSink,
        render: Renderer,
        level: LogLevel,
        *,
        log_payloads: bool = False,
        file: LogSink | None = None,
    ) -> None:
        """`file` gets every line as well, in JSON."""
        self._sink = sink
        self._file = file
        self._render = render
        self._log_payloads = log_payloads
        self.takes_text = False
        """Whether a line of level info without a payload may be handed over as JSON text."""
        self.level = level
        sink.tell_lost = partial(_lines_lost, render)
        if file is not None:
            file.tell_lost = partial(_lines_lost, render_json)

    @property
    def level(self) -> LogLevel:
        """Lines of this level and of the graver ones are written."""
        return self._level

    @level.setter
    def level(self, level: LogLevel) -> None:
        self._level = level
        self._written = frozenset(graver for graver in LogLevel if graver.number >= level.number)
        self._settle()

    @property
    def log_payloads(self) -> bool:
        """Whether message lines hold the whole payload."""
        return self._log_payloads

    @log_payloads.setter
    def log_payloads(self, wanted: bool) -> None:
        self._log_payloads = wanted
        self._settle()

    def writes(self, level: LogLevel) -> bool:
        """Whether lines of this level are wanted now."""
        return level in self._written

    def write(self, line: Line) -> None:
        """Write a line as it is; its fields hold no secrets any more."""
        rendered = self._render(line)
        self._sink.write(rendered)
        if self._file is not None:
            self._file.write(rendered if self._render is render_json else render_json(line))

    def write_text(self, lines: str) -> None:
        """Write whole lines of JSON, where `takes_text` says so; their fields hold no secrets any more."""
        encoded = lines.encode()
        self._sink.write(encoded)
        if self._file is not None:
            self._file.write(encoded)

    @property
    def dropped(self) -> int:
        """Lines that never reached a reader, or the file."""
        return self._sink.dropped + (0 if self._file is None else self._file.dropped)

    def _settle(self) -> None:
        self.takes_text = self._render is render_json and not self._log_payloads and self.writes(LogLevel.INFO)


def _lines_lost(render: Renderer, count: int) -> bytes:
    """Written at every level: the lines that are missing had any."""
    return render(
        {
            "timestamp": timestamp(),
            "level": LogLevel.WARNING.value,
            "event": "log_lines_dropped",
            "category": "system",
            "count": count,
        }
    )


def timestamp() -> str:
    """Now, as every line says it: RFC 3339, UTC, milliseconds and `Z`."""
    return _timestamp_of(int(time.time() * 1000))


def timestamps(seconds: float) -> tuple[str, str]:
    """As `timestamp`, of what began so many seconds ago and of its end, which is now."""
    now = time.time()
    return _timestamp_of(int((now - seconds) * 1000)), _timestamp_of(int(now * 1000))


# Most lines share the millisecond with another, nearly all the second.
@lru_cache(64)
def _timestamp_of(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{_second(seconds)}.{milliseconds - seconds * 1000:03d}Z"


@lru_cache(8)
def _second(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(number))


def render_json(line: Line) -> bytes:
    """One JSON object and a newline; a value that JSON can't hold becomes text."""
    try:
        return orjson.dumps(line, _as_json, _JSON_OPTIONS)
    except TypeError:
        fragments = {_as_text(name): orjson.Fragment(json_value(value)) for name, value in line.items()}
        return orjson.dumps(fragments, None, _JSON_OPTIONS)


def json_value(value: object) -> str:
    """One value of a line as JSON text."""
    try:
        return orjson.dumps(value, _as_json, _JSON_OPTIONS & ~orjson.OPT_APPEND_NEWLINE).decode()
    except TypeError:
        return orjson.dumps(_as_text(value)).decode()


# A dataclass has names and values that nobody has searched: it becomes the text of its repr, which is.
_JSON_OPTIONS = (
    orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_NON_STR_KEYS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)


def _as_json(value: object) -> str:
    if isinstance(value, datetime):
        # A third of what isoformat() costs; digits after the seconds are there only where they aren't all 0.
        text = orjson.dumps(value.astimezone(UTC)).decode()
        return f"{text[1:24]}Z" if value.microsecond else f"{text[1:20]}.000Z"
    return redact_text(str(value) if isinstance(value, Exception) else repr(value))


def _as_text(value: object) -> str:
    """Text that UTF-8 can hold: lone surrogates, which a charger's JSON may name, are written as escapes."""
    text = value if isinstance(value, str) else repr(value)
    return text.encode(errors="backslashreplace").decode()
