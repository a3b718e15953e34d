"""One log line: its fields in their order, rendered as JSON for machines or in colour for people."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

import orjson
import structlog

from mcpp.telemetry.log_sink import LogSink
from mcpp.telemetry.redaction import redact_text

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


class LineWriter:
    """Renders lines and hands them to the sink: the one way out, for loggers and for the middleware."""

    def __init__(self, sink: LogSink, render: Renderer, level: LogLevel) -> None:
        self._sink = sink
        self._render = render
        self._level = level.number

    def writes(self, level: LogLevel) -> bool:
        """Whether lines of this level are wanted at all."""
        return level.number >= self._level

    def write(self, line: Line) -> None:
        """Write a line as it is; its fields hold no secrets any more."""
        self._sink.write(self._render(line))


class _Second:
    """The text of the current second, since most lines share it with the one before."""

    __slots__ = ("number", "text")

    def __init__(self, number: int) -> None:
        self.number = number
        self.text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(number))


_second = _Second(0)


def timestamp() -> str:
    """Now, as every line says it: RFC 3339, UTC, milliseconds and `Z`."""
    global _second  # noqa: PLW0603 - a cache; replaced whole, so that threads need no lock
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds // 1000
    second = _second
    if second.number != number:
        _second = second = _Second(number)
    return f"{second.text}.{milliseconds - number * 1000:03d}Z"


def render_json(line: Line) -> bytes:
    """One JSON object and a newline; a value that JSON can't hold becomes text."""
    try:
        return orjson.dumps(line, _as_json, _JSON_OPTIONS)
    except TypeError:
        return orjson.dumps({_as_text(name): _storable(value) for name, value in line.items()}, None, _JSON_OPTIONS)


def console_renderer(*, colors: bool) -> Renderer:
    """For people: the time of day, level and event in columns, then the other fields."""
    console = structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=24, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def render(line: Line) -> bytes:
        shown = {name: _harmless(name, value) for name, value in line.items() if name != "category"}
        shown["timestamp"] = str(line["timestamp"])[11:-1]
        return f"{console(None, '', shown)}\n".encode(errors="backslashreplace")

    return render


_JSON_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def _as_json(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return redact_text(str(value) if isinstance(value, Exception) else repr(value))


def _as_text(value: object) -> str:
    """Text that UTF-8 can hold: lone surrogates, which a charger's JSON may name, are written as escapes."""
    text = value if isinstance(value, str) else repr(value)
    return text.encode(errors="backslashreplace").decode()


def _storable(value: object) -> object:
    try:
        return orjson.Fragment(orjson.dumps(value, _as_json, _JSON_OPTIONS & ~orjson.OPT_APPEND_NEWLINE))
    except TypeError:
        return _as_text(value)


def _harmless(name: str, value: object) -> object:
    """Text from a charger must not steer the terminal; a stack's line breaks are ours."""
    if isinstance(value, datetime):
        return _as_json(value)
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(c if c.isprintable() or (c == "\n" and name == "stack") else ascii(c)[1:-1] for c in value)
