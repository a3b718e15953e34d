"""A story as text: in lines that fit a terminal, or one line for each entry where nobody reads along."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from textwrap import wrap
from typing import Final, Protocol

import orjson

from mcpp.domain.energy import told_register
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.reads.connector_names import connector_name
from mcpp.reads.terminal_text import printable
from mcpp.reads.times import in_zone
from mcpp.story.log_files import LogCoverage
from mcpp.story.model import EVER, ChargePointSubject, Entry, Kind, Shortfall, Span, Story, Tone, TransactionSubject
from mcpp.story.phrases import IMPLAUSIBLE, duration_text, energy_text
from mcpp_generated.db.enums import Suspicion

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

_SUSPICIONS: Final = {
    Suspicion.CONNECTOR_AVAILABLE: "its connector was reported free",
    Suspicion.BOOT: "its charge point booted and hasn't spoken of it since",
}

_SHORTFALLS: Final[Mapping[Shortfall, str]] = {
    Shortfall.NO_METER_VALUES: "The database has no meter values of this transaction.",
    Shortfall.METER_VALUES_LEFT_OUT: "There are too many meter values to tell of each: a part of them is left out.",
    Shortfall.SESSION_NOT_LOGGED: "The log has no line of this session.",
    Shortfall.LOG_BEGINS_LATE: (
        "The log begins after this session: what came before isn't shown. Give the rotated files too."
    ),
    Shortfall.LOG_ENDS_EARLY: (
        "The log ends before this session: what came after isn't shown. Give the newer files too."
    ),
    Shortfall.LOG_LEFT_OUT: "The log has too many lines of this session for the running server: use mcpp trace.",
    Shortfall.NO_PAYLOADS: "The log has no payloads; the server writes them with --log-payloads on.",
}


class Paint(Protocol):
    """Colours a text for a terminal."""

    def __call__(self, text: str, *, color: str | None = None, dim: bool = False, bold: bool = False) -> str: ...


@dataclass(frozen=True, slots=True)
class Style:
    """How a story is written."""

    zone: tzinfo | None = None
    """Whose times; None: the machine's."""
    width: int | None = None
    """Columns of the terminal; None where there is none, so that an entry stays in one line."""
    painter: Paint | None = None
    """None: without colours."""
    payloads: bool = False

    def paint(self, text: str, *, color: str | None = None, dim: bool = False, bold: bool = False) -> str:
        """The text in a colour, where there are colours."""
        return text if self.painter is None else self.painter(text, color=color, dim=dim, bold=bold)

    def folded(self, text: str, room: int) -> list[str]:
        """The text in lines of a width; no number is torn from its unit."""
        if self.width is None:
            return [text]
        lines = wrap(_MEASURE.sub(_GLUE, text), max(room, _NARROWEST), break_on_hyphens=False)
        return [line.replace(_GLUE, " ") for line in lines] or [""]


def text_lines(story: Story, style: Style) -> Iterator[str]:
    """A heading, the entries under their days, and what is to be known of the story itself; lines without their ends.

    No control character of a charger's reaches the terminal.
    """
    title, *more = map(printable, _heading(story.subject, style.zone))
    for line in style.folded(title, style.width or 0):
        yield style.paint(line, bold=True)
    for text in more:
        yield from (f"  {line}" for line in style.folded(text, (style.width or 0) - 2))
    day: date | None = None
    for entry in story.entries:
        local = in_zone(entry.place, style.zone)
        if local.date() != day:
            day = local.date()
            yield ""
            yield style.paint(f"{local:%A}, {day.isoformat()} (UTC{local:%z})", bold=True)
        yield from _entry_lines(entry, style)
    yield ""
    for note in notes(story, style.zone):
        yield from (style.paint(line, dim=True) for line in style.folded(printable(note), style.width or 0))


def notes(story: Story, zone: tzinfo | None) -> list[str]:
    """What is to be known of the story itself: what it was put together from, and what is missing."""
    if story.log is None:
        texts = ["Told from the books alone: connections, commands, errors and plugins are missing without --log FILE."]
    else:
        texts = list(_notes_on_log(story.log, zone))
    if story.database_problem is not None:
        texts.append(f"Told from the log alone: {story.database_problem}.")
    return texts + [_SHORTFALLS[shortfall] for shortfall in story.shortfalls]


def _notes_on_log(log: LogCoverage, zone: tzinfo | None) -> Iterator[str]:
    text = f"Log: {log.lines:,} lines read, {log.used:,} told of here"
    if log.first_at is not None and log.last_at is not None:
        text += f"; it goes from {_clock(log.first_at, zone)} to {_clock(log.last_at, zone)}"
    yield f"{text}."
    if log.skipped:
        yield f"Skipped {log.skipped:,} lines that are no JSON, or cut short."
    yield from (f"{name} ends too early: its end is missing." for name in log.damaged)


def _heading(subject: TransactionSubject | ChargePointSubject, zone: tzinfo | None) -> list[str]:
    """A title, then what is worth knowing first."""
    if isinstance(subject, TransactionSubject):
        record = subject.record
        place = connector_name(record.connector_id, record.evse_id)
        card = f"id tag {record.id_tag}" if record.id_tag else "no id tag"
        title = f"Transaction {record.transaction_id}: {record.charge_point_id}, {place}, {card}"
        ids = [] if record.ocpp_transaction_id is None else [f"the charger's id {record.ocpp_transaction_id}"]
        return [title, *_outcome(subject), *ids, f"session {record.session_correlation_id}"]
    title = f"Charge point {subject.charge_point_id}"
    if subject.connector_id is not None or subject.evse_id is not None:
        title += f", {connector_name(subject.connector_id or CHARGE_POINT, subject.evse_id or NO_EVSE)}"
    return [title, *_window(subject.span, zone)]


def _outcome(subject: TransactionSubject) -> Iterator[str]:
    transaction = subject.transaction
    if transaction.stopped_at is None or transaction.meter_stop is None:
        register = told_register(transaction.meter_start, transaction.ocpp_transaction_id)
        yield "still running" if register is None else f"still running, from {energy_text(register)}"
        if transaction.suspicion is not None:
            yield f"suspected to be over: {_SUSPICIONS[transaction.suspicion]}"
        return
    wh, took = transaction.energy_wh or 0, transaction.stopped_at - transaction.started_at
    begin = told_register(transaction.meter_start, transaction.ocpp_transaction_id)
    end = told_register(transaction.meter_stop, transaction.ocpp_transaction_id)
    told = [f"{where} {energy_text(at)}" for where, at in (("from", begin), ("to", end)) if at is not None]
    yield ", ".join(filter(None, (f"{energy_text(wh)} in {duration_text(took)}", " ".join(told))))
    if transaction.implausible_reason is not None:
        yield f"implausible: {IMPLAUSIBLE[transaction.implausible_reason]}, so no energy is counted"
    if subject.ended_how is not None:
        yield subject.ended_how


def _window(span: Span, zone: tzinfo | None) -> list[str]:
    bounds = [
        f"{word} {_clock(at, zone)}"
        for word, at, default in (("from", span.begin, EVER.begin), ("until", span.end, EVER.end))
        if at != default
    ]
    return [" ".join(bounds)] if bounds else []


def _clock(at: datetime, zone: tzinfo | None) -> str:
    # %Y has no zeros before year 1000.
    return in_zone(at, zone).replace(tzinfo=None).isoformat(" ", "seconds")


def _entry_lines(entry: Entry, style: Style) -> Iterator[str]:
    color = _COLORS.get(entry.tone)
    room = (style.width or 0) - _INDENT
    if entry.kind is Kind.GAP:
        for line in style.folded(printable(entry.what), room):
            yield " " * (_INDENT - 2) + style.paint(f"⋮ {line}", color=color, bold=True)
        return
    time = f"{in_zone(entry.at, style.zone):%H:%M:%S}"
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
