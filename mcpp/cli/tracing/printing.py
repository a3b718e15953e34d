"""A story on standard output: for people, in lines that fit their terminal, or as JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from textwrap import wrap
from typing import Final, TextIO

import click
import orjson
from pydantic import JsonValue

from mcpp.cli.text import printable
from mcpp.cli.tracing.story import Entry, Kind, Tone
from mcpp.cli.tracing.words import duration_text
from mcpp.reads.times import spell_time

_ID_LENGTH: Final = 8
"""Enough of a correlation id to find its lines by."""

_MEASURE: Final = re.compile(r"(?<=\d) (?=(?:kWh|kW|d|h|min|s|ms)\b)")
_GLUE: Final = "\N{NO-BREAK SPACE}"

_NARROWEST: Final = 24
"""A column of words is never narrower."""

_COLORS: Final[Mapping[Tone, str]] = {Tone.GOOD: "green", Tone.WARNING: "yellow", Tone.ERROR: "red"}

_ELSEWHERE: Final[Mapping[Kind, str]] = {Kind.BOOKED: "books", Kind.METER: "books"}
"""Where to look for what isn't in the log."""

_SOURCE_WIDTH: Final = 8

_INDENT: Final = len("15:00:00  ") + _SOURCE_WIDTH + 2 + _ID_LENGTH + 2


@dataclass(frozen=True, slots=True)
class Style:
    """How a story is printed."""

    zone: tzinfo | None
    """None: the machine's."""
    width: int | None
    """Columns of the terminal; None where nobody reads along, so that an entry stays in one line."""
    colors: bool
    payloads: bool

    def paint(self, text: str, *, color: str | None = None, dim: bool = False, bold: bool = False) -> str:
        """The text in a colour, on a terminal."""
        return click.style(text, fg=color, dim=dim or None, bold=bold or None) if self.colors else text

    def folded(self, text: str, room: int) -> list[str]:
        """The text in lines of a width; no number is torn from its unit."""
        if self.width is None:
            return [text]
        lines = wrap(_MEASURE.sub(_GLUE, text), max(room, _NARROWEST), break_on_hyphens=False)
        return [line.replace(_GLUE, " ") for line in lines] or [""]


def write_story(
    out: TextIO, heading: Sequence[str], entries: Sequence[Entry], notes: Iterable[str], style: Style
) -> None:
    """A heading, the entries under their days, and what is to be said of the telling itself."""
    title, *more = map(printable, heading)
    for line in style.folded(title, style.width or 0):
        out.write(style.paint(line, bold=True) + "\n")
    for text in more:
        out.writelines(f"  {line}\n" for line in style.folded(text, (style.width or 0) - 2))
    day: date | None = None
    for entry in entries:
        local = entry.place.astimezone(style.zone)
        if local.date() != day:
            day = local.date()
            out.write("\n" + style.paint(f"{local:%A, %Y-%m-%d} (UTC{local:%z})", bold=True) + "\n")
        out.writelines(f"{line}\n" for line in _lines(entry, style))
    if not entries:
        out.write("\n")
    out.write("\n" if entries else "")
    for note in notes:
        out.writelines(style.paint(line, dim=True) + "\n" for line in style.folded(printable(note), style.width or 0))


def write_json_lines(
    out: TextIO, heading: Mapping[str, JsonValue], entries: Iterable[Entry], *, payloads: bool
) -> None:
    """One object for the whole, then one for each entry."""
    for item in (heading, *(_as_json(entry, payloads=payloads) for entry in entries)):
        out.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE).decode())


def _lines(entry: Entry, style: Style) -> Iterator[str]:
    color = _COLORS.get(entry.tone)
    room = (style.width or 0) - _INDENT
    if entry.kind is Kind.GAP:
        for line in style.folded(printable(entry.what), room):
            yield " " * (_INDENT - 2) + style.paint(f"⋮ {line}", color=color, bold=True)
        return
    time = f"{entry.at.astimezone(style.zone):%H:%M:%S}"
    identifier = (entry.correlation_id or _ELSEWHERE.get(entry.kind, "-"))[:_ID_LENGTH]
    margin = "  ".join(
        (time, entry.source.ljust(_SOURCE_WIDTH), style.paint(printable(identifier).ljust(_ID_LENGTH), dim=True))
    )
    took = "" if entry.duration_ms is None else f" ({duration_text(timedelta(milliseconds=entry.duration_ms))})"
    for number, line in enumerate(style.folded(printable(entry.what) + took, room)):
        text = line.removesuffix(took)
        painted = style.paint(text, color=color, dim=entry.tone is Tone.QUIET)
        yield (" " * _INDENT if number else f"{margin}  ") + painted + style.paint(line[len(text) :], dim=True)
    if style.payloads:
        for name, payload in entry.payloads.items():
            text = f"{name} {orjson.dumps(payload).decode()}"
            for line in style.folded(printable(text), room):
                yield " " * _INDENT + style.paint(line, dim=True)


def _as_json(entry: Entry, *, payloads: bool) -> dict[str, JsonValue]:
    item: dict[str, JsonValue] = {
        "kind": entry.kind.value,
        "at": spell_time(entry.at),
        "until": None if entry.until is None else spell_time(entry.until),
        "source": entry.source.value,
        "what": entry.what,
        "correlation_id": entry.correlation_id,
        "duration_ms": entry.duration_ms,
    }
    item = {name: value for name, value in item.items() if value is not None}
    if entry.facts:
        item["facts"] = dict(entry.facts)
    if payloads and entry.payloads:
        item["payloads"] = dict(entry.payloads)
    return item
