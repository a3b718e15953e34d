"""Log lines for people: one line each, what happened in columns, then the facts, and the short ids to search for.

    12:30:01.204 I CP-17    → StatusNotification         181B 3f2a9c01/9c01ab22 #1
    12:30:01.209 I CP-17    ←✓StatusNotification  4.8ms   45B 3f2a9c01/9c01ab22 #1

Arrows point from the charge point to the server and back; ✓ is an answer, ✗ an error for an answer. Then come the first
digits of the correlation id and of the session's, the connector (#1) and the transaction (t12).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mcpp.telemetry.logs.lines import Line, Renderer, json_value

_ID_DIGITS: Final = 8
_IDENTITY_WIDTH: Final = 8
_ACTION_WIDTH: Final = 18

_ARROWS: Final = {"in": "→", "out": "←"}
_MARKS: Final = {"call": " ", "call_result": "✓", "call_error": "✗"}

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE, _CYAN = "1", "2", "31", "32", "33", "34", "36"
_LEVEL_STYLES: Final = {"debug": _DIM, "info": "", "warning": _YELLOW, "error": f"{_BOLD};{_RED}"}
_ARROW_STYLES: Final = {"in": _GREEN, "out": _BLUE}

_IDS: Final = ("correlation_id", "session_correlation_id", "connector_id", "transaction_id")
_OMITTED: Final = ("category", "message_id", "trace_id", "span_id")
"""What the correlation id leads to, in lines of JSON."""
_NOT_AS_FACTS: Final = frozenset(
    ("timestamp", "level", "event", "charge_point_id", "direction", "error", "stack", *_IDS, *_OMITTED)
)
_MESSAGE_COLUMNS: Final = frozenset(("action", "message_type", "duration_ms", "size_bytes", "description", "payload"))
_LIBRARY_COLUMNS: Final = frozenset(("logger", "message"))


def console_renderer(*, colors: bool) -> Renderer:
    """Renders lines for a terminal; a charger's text can't steer it."""
    layout = _Layout(colors=colors)

    def render(line: Line) -> bytes:
        return f"{layout.render(line)}\n".encode(errors="backslashreplace")

    return render


class _Layout:
    def __init__(self, *, colors: bool) -> None:
        self._colors = colors

    def render(self, line: Line) -> str:
        level = str(line["level"])
        mark = self._styled(level[:1].upper(), _LEVEL_STYLES.get(level, ""))
        time = self._styled(str(line["timestamp"])[11:-1], _DIM)
        what = self._message(line) if line["event"] == "ocpp_message" else self._event(line, level)
        stack = "".join(f"\n    {_escaped(row)}" for row in str(line.get("stack", "")).splitlines())
        return " ".join((time, mark, *what)) + stack

    def _message(self, line: Line) -> Iterator[str]:
        """A frame: who, which way, what, how long, how large."""
        direction, kind = str(line.get("direction")), str(line.get("message_type"))
        arrow = self._styled(_ARROWS.get(direction, "?") + _MARKS.get(kind, "?"), _ARROW_STYLES.get(direction, ""))
        action = f"{_plain(line.get('action', '')):<{_ACTION_WIDTH}}"
        style = _RED if kind == "call_error" else _BOLD if kind == "call" else ""
        yield self._identity(line)
        yield f"{arrow}{self._styled(action, style)} {_duration(line):>6} {_size(line):>5}"
        yield from self._ids(line)
        if error := line.get("error"):
            yield self._styled(": ".join(_plain(text) for text in (error, line.get("description")) if text), _RED)
        yield from self._facts(line, _MESSAGE_COLUMNS)
        if payload := line.get("payload"):
            yield self._styled(_plain(payload), _DIM)

    def _event(self, line: Line, level: str) -> Iterator[str]:
        """Whatever else happened: its name and its facts."""
        style = _LEVEL_STYLES[level] if level in {"warning", "error"} else _BOLD
        if "charge_point_id" in line:
            yield self._identity(line)
        if line["event"] == "library_message":
            yield f"{self._styled(_plain(line.get('logger')), style)}: {_plain(line.get('message'))}"
            yield from self._facts(line, _LIBRARY_COLUMNS)
        else:
            yield self._styled(_plain(line["event"]), style)
            yield from self._facts(line, frozenset())
        yield from self._ids(line)
        if error := line.get("error"):
            yield self._styled(_plain(error), _RED)

    def _identity(self, line: Line) -> str:
        return self._styled(f"{_plain(line.get('charge_point_id', '')):<{_IDENTITY_WIDTH}}", _CYAN)

    def _ids(self, line: Line) -> Iterator[str]:
        ids = [_plain(line.get(name) or "")[:_ID_DIGITS] for name in ("correlation_id", "session_correlation_id")]
        if any(ids):
            yield self._styled("/".join(filter(None, ids)), _DIM)
        if (connector := line.get("connector_id")) is not None:
            yield f"#{_plain(connector)}"
        if (transaction := line.get("transaction_id")) is not None:
            yield f"t{_plain(transaction)}"

    def _facts(self, line: Line, columns: frozenset[str]) -> Iterator[str]:
        for name, value in line.items():
            if name not in columns and name not in _NOT_AS_FACTS:
                yield f"{self._styled(f'{_plain(name)}=', _DIM)}{_value(value)}"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colors and style else text


def _duration(line: Line) -> str:
    duration = line.get("duration_ms")
    if not isinstance(duration, int | float):
        return ""
    if duration >= 1000:
        return f"{duration / 1000:.1f}s"
    return f"{duration:.0f}ms" if duration >= 100 else f"{duration:.1f}ms"


def _size(line: Line) -> str:
    size = line.get("size_bytes")
    if not isinstance(size, int):
        return ""
    if size < 1000:
        return f"{size}B"
    return f"{size / 1000:.0f}kB" if size >= 10_000 else f"{size / 1000:.1f}kB"


def _value(value: object) -> str:
    """A fact as short as it stays clear: a word as it is, all else as JSON."""
    text = json_value(value)
    word = text[1:-1] if text.startswith('"') else ""
    return _escaped(word if word and not any(c.isspace() or c in '"\\=' for c in word) else text)


def _plain(value: object) -> str:
    return _escaped(value if isinstance(value, str) else json_value(value))


def _escaped(text: str) -> str:
    """Text that can't steer a terminal: what isn't printable becomes its escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
