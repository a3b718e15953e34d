"""Log lines for people: one line each, what happened in columns, then the facts, and the short ids to search for.

    12:30:01.204 I CP-17    → StatusNotification         181B 3f2a9c01/9c01ab22 #1
    12:30:01.209 I CP-17    ←✓StatusNotification  4.8ms   45B 3f2a9c01/9c01ab22 #1

Arrows point from the charge point to the server and back; ✓ is an answer, ✗ an error for an answer. Then come the first
digits of the correlation id and of the session's, the connector (#1) or EVSE (EVSE 1) and the transaction (t12).

A line fits the terminal, or 120 columns: what says least is left out, and long texts are shortened, with … in its
place. The log as JSON has all of it. What to do about a warning stands below it.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import starmap
from typing import Final, TypeAlias

from mcpp.domain.memory import CHARGE_POINT
from mcpp.reads.connector_names import connector_mark
from mcpp.telemetry.logs.lines import Line, Renderer, json_value
from mcpp.telemetry.logs.sink import STANDARD_OUTPUT

_ID_DIGITS: Final = 8
_IDENTITY_WIDTH: Final = 8
_ACTION_WIDTH: Final = 18
_IDENTITY_LIMIT: Final = 40

_COLUMNS: Final = 120
"""Where nobody says how wide the terminal is."""
_FEWEST_COLUMNS: Final = 80
_LONG_VALUE: Final = 48
"""Characters that any value is shortened to before others are left out; the last ones go first."""
_SHORTEST: Final = 20
_MORE: Final = "…"
_INDENT: Final = " " * 14
"""As wide as time and level."""

_ARROWS: Final = {"in": "→", "out": "←"}
_MARKS: Final = {"call": " ", "call_result": "✓", "call_error": "✗"}

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE, _CYAN = "1", "2", "31", "32", "33", "34", "36"
_LEVEL_STYLES: Final = {"debug": _DIM, "info": "", "warning": _YELLOW, "error": f"{_BOLD};{_RED}"}
_ARROW_STYLES: Final = {"in": _GREEN, "out": _BLUE}

_IDS: Final = ("correlation_id", "session_correlation_id", "connector_id", "evse_id", "transaction_id")
_OMITTED: Final = ("category", "message_id", "trace_id", "span_id")
"""What the correlation id leads to, in lines of JSON."""
_BELOW: Final = {
    "page_url": "page",
    "docs_url": "API",
    "charger_url": "type this URL into chargers, which add their own identity",
    "remedy": "remedy",
}
"""What a person is to use or to do: never shortened, on lines of its own."""
_NOT_AS_FACTS: Final = frozenset(
    ("timestamp", "level", "event", "charge_point_id", "direction", "error", "stack", *_BELOW, *_IDS, *_OMITTED)
)
_SAYS_LEAST: Final = (
    "locations",
    "reported_at",
    "counted_wh",
    "serial_number",
    "meter_start",
    "meter_stop",
    "started_at",
    "stopped_at",
    "measured_at",
    "origin",
    "seconds",
)
"""Facts that are left out first where a line is too long."""
_SHORT_NAMES: Final = {"remote_address": "from"}
_MESSAGE_COLUMNS: Final = frozenset(("action", "message_type", "duration_ms", "size_bytes", "description", "payload"))
_LIBRARY_COLUMNS: Final = frozenset(("logger", "message"))


def terminal_columns() -> int:
    """How wide the terminal is, if the log goes to one."""
    try:
        columns = os.get_terminal_size(STANDARD_OUTPUT).columns
    except OSError:
        return _COLUMNS
    return max(columns, _FEWEST_COLUMNS) if columns else _COLUMNS


def console_renderer(*, colors: bool, columns: Callable[[], int] = terminal_columns) -> Renderer:
    """Renders lines for a terminal; a charger's text can't steer it."""
    layout = _Layout(columns, colors=colors)

    def render(line: Line) -> bytes:
        return f"{layout.render(line)}\n".encode(errors="backslashreplace")

    return render


class _Layout:
    def __init__(self, columns: Callable[[], int], *, colors: bool) -> None:
        self._columns = columns
        self._colors = colors

    def render(self, line: Line) -> str:
        columns = self._columns()
        level = str(line["level"])
        time, mark = str(line["timestamp"])[11:-1], level[:1].upper()
        head = [[(time, _DIM)], [(mark, _LEVEL_STYLES.get(level, ""))]]
        what = _message(line, columns) if line["event"] == "ocpp_message" else _event(line, level, columns)
        text = " ".join("".join(starmap(self._styled, part)) for part in (*head, *what))
        return text + self._below(line, columns)

    def _below(self, line: Line, columns: int) -> str:
        """What to use or to do, and where an error came from."""
        rows = []
        for name, label in _BELOW.items():
            if text := line.get(name):
                begin = f"{_INDENT}{label}: "
                rows += textwrap.wrap(
                    _plain(text),
                    columns,
                    initial_indent=begin,
                    subsequent_indent=" " * min(len(begin), _FEWEST_COLUMNS // 2),
                    break_long_words=False,
                    break_on_hyphens=False,
                )
        rows = [self._styled(row, _YELLOW if "remedy" in line else _BOLD) for row in rows]
        rows += [f"    {_escaped(row)}" for row in str(line.get("stack", "")).splitlines()]
        return "".join(f"\n{row}" for row in rows)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colors and style and text else text


_Part: TypeAlias = list[tuple[str, str]]
"""Text without a blank around it, in pieces of a style each."""
_Fact: TypeAlias = tuple[str, str]
"""Name and value."""


def _message(line: Line, columns: int) -> Iterator[_Part]:
    """A frame: who, which way, what, how long, how large."""
    direction, kind = str(line.get("direction")), str(line.get("message_type"))
    action = f"{_plain(line.get('action', '')):<{_ACTION_WIDTH}}"
    style = _RED if kind == "call_error" else _BOLD if kind == "call" else ""
    arrow = _ARROWS.get(direction, "?") + _MARKS.get(kind, "?")
    begin: list[_Part] = [
        _identity(line),
        [(arrow, _ARROW_STYLES.get(direction, "")), (action, style)],
        [(f"{_duration(line):>6} {_size(line):>5}", "")],
    ]
    ids = list(_ids(line))
    if line.get("error") and columns - _width([*begin, *ids]) < _SHORTEST:
        ids = list(_ids(line, with_correlation=False))
    yield from (*begin, *ids)
    if error := line.get("error"):
        text = ": ".join(_plain(text) for text in (error, line.get("description")) if text)
        yield [(_shortened(text, columns - _width([*begin, *ids]) - 1), _RED)]
    yield from map(_fact, _facts(line, _MESSAGE_COLUMNS))
    if payload := line.get("payload"):
        yield [(_plain(payload), _DIM)]  # whole: somebody has asked for it


def _event(line: Line, level: str, columns: int) -> Iterator[_Part]:
    """Whatever else happened: its name and its facts, as many as fit."""
    style = _LEVEL_STYLES[level] if level in {"warning", "error"} else _BOLD
    begin = [_identity(line)] if "charge_point_id" in line else []
    hidden: frozenset[str] = frozenset()
    if line["event"] == "library_message":
        begin.append([(_plain(line.get("logger")), style), (":", "")])
        begin.append([(_plain(line.get("message")), "")])
        hidden = _LIBRARY_COLUMNS
    else:
        begin.append([(_plain(line["event"]), style)])
    facts, ids = list(_facts(line, hidden)), list(_ids(line))
    telling = sum(len(name) + len(value) + 2 for name, value in facts if name not in _SAYS_LEAST)
    if telling > columns - _width([*begin, *ids]):
        ids = list(_ids(line, with_correlation=False))  # its message, in the line above, has it too
    end = ids
    if error := line.get("error"):
        end.append([(_plain(error), _RED)])
    yield from begin
    yield from map(_fact, _fitting(facts, columns - _width([*begin, *end])))
    yield from end


def _width(parts: Iterable[_Part]) -> int:
    """Columns of a line that begins with these, with the blanks before them."""
    return len(_INDENT) + sum(1 + sum(len(text) for text, _ in part) for part in parts)


def _fact(fact: _Fact) -> _Part:
    name, value = fact
    return [(f"{name}=" if name else "", _DIM), (value, "")]


def _fitting(facts: list[_Fact], room: int) -> list[_Fact]:
    """Those that say most in so many columns; nameless, … stands for what isn't there."""
    omitted: list[_Fact] = []

    def excess() -> int:
        return sum(len(name) + len(value) + 2 for name, value in (*facts, *omitted)) - room

    for least in _SAYS_LEAST:
        if excess() <= 0:
            return facts + omitted
        kept = [fact for fact in facts if fact[0] != least]
        if len(kept) < len(facts):
            facts, omitted = kept, [("", _MORE)]
    for at, (name, value) in enumerate(facts):
        if excess() > 0 and len(value) > _LONG_VALUE:
            facts[at] = name, _shortened(value, max(_LONG_VALUE, len(value) - excess()))
    while facts and (too_much := excess()) > 0:
        name, value = facts.pop()
        if len(value) - too_much >= _SHORTEST:
            facts.append((name, _shortened(value, len(value) - too_much)))
        else:
            omitted = [("", _MORE)]
    return facts + omitted


def _identity(line: Line) -> _Part:
    identity = _shortened(_plain(line.get("charge_point_id", "")), _IDENTITY_LIMIT)
    return [(f"{identity:<{_IDENTITY_WIDTH}}", _CYAN)]


def _ids(line: Line, *, with_correlation: bool = True) -> Iterator[_Part]:
    ids = [_plain(line.get(name) or "")[:_ID_DIGITS] for name in ("correlation_id", "session_correlation_id")]
    if with_correlation and any(ids):
        yield [("/".join(filter(None, ids)), _DIM)]
    if (place := _place(line)) is not None:
        yield [(place, "")]
    if (transaction := line.get("transaction_id")) is not None:
        yield [(f"t{_plain(transaction)}", "")]


def _place(line: Line) -> str | None:
    """The connector (#1), or the EVSE."""
    connector, evse = line.get("connector_id"), line.get("evse_id")
    if isinstance(evse, int):
        return connector_mark(connector if isinstance(connector, int) else CHARGE_POINT, evse)
    return None if connector is None else f"#{_plain(connector)}"


def _facts(line: Line, columns: frozenset[str]) -> Iterator[_Fact]:
    """Names and values, without those that say nothing."""
    day = str(line["timestamp"])[:11]
    # Why something ended comes behind how it did.
    for name, value in sorted(line.items(), key=lambda fact: fact[0] == "detail"):
        if value is None or value is False or name in columns or name in _NOT_AS_FACTS:
            continue
        yield (
            _SHORT_NAMES.get(name) or _plain(name),
            _time_of_day(value, day) if name.endswith("_at") else _value(value),
        )


def _time_of_day(value: object, day: str) -> str:
    """A time as short as it stays clear beside one of this day."""
    text = value if isinstance(value, str) else json_value(value).strip('"')
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return _value(value)
    return text[11:19] if text.startswith(day) else text[:16]


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    quote = '"' if text.startswith('"') else ""
    return text[: max(1, most - 1 - len(quote))] + _MORE + quote


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
