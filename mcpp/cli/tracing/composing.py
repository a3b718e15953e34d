"""Books and log put together to a story."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from pathlib import Path
from typing import Final

import click
from pydantic import JsonValue

from mcpp.cli.books import open_books
from mcpp.cli.tracing.books import TransactionBooks, read_transaction, transactions_of_charge_point
from mcpp.cli.tracing.condensing import at_their_messages, condensed
from mcpp.cli.tracing.gaps import gaps_of_connection, gaps_of_meter
from mcpp.cli.tracing.gathering import EVER, Span, charge_point_lines, session_lines
from mcpp.cli.tracing.log_lines import Line, Reach, number_of, open_logs, text_of, time_of
from mcpp.cli.tracing.story import Entry, Kind, Story
from mcpp.cli.tracing.telling import tell
from mcpp.errors import StartError

_SAME: Final = timedelta(minutes=1)
"""What books and log date so close to each other is told once."""

_ENDS: Final = frozenset({"transaction_recovered", "transaction_stop_superseded"})
"""Events that are a stop in the books."""


def story_of_transaction(
    database: Path, logs: Sequence[str], transaction_id: int, zone: tzinfo | None, *, payloads: bool
) -> Story:
    """The story of a transaction's session. Raises StartError and click.ClickException."""
    with open_books(database) as guest, guest.snapshot() as queries:
        books = read_transaction(queries, transaction_id)
    if books is None:
        raise click.ClickException(f"there is no transaction {transaction_id} in {database}")
    reach = Reach()
    with open_logs(logs) as files:
        lines = session_lines(files, books.session, reach)
    told = tell(lines)
    record = books.record
    gaps = chain(
        gaps_of_connection(told),
        gaps_of_meter([reading.at for reading in books.readings], record.started_at, record.stopped_at),
    )
    entries = _in_order(told, _not_told(books.entries, lines), gaps)
    notes = [*_notes_on_log(logs, reach, len(lines), zone), *_notes_on_session(books, reach, lines)]
    if payloads:
        notes += _notes_on_payloads(logs, told)
    return Story(books.heading, books.as_json, condensed(entries, keep_payloads=payloads), notes)


def story_of_charge_point(
    database: Path,
    logs: Sequence[str],
    charge_point_id: str,
    connector_id: int | None,
    span: Span,
    zone: tzinfo | None,
    *,
    payloads: bool,
) -> Story:
    """The story of a charge point, as far as the log goes. Raises click.ClickException."""
    reach = Reach()
    with open_logs(logs) as files:
        lines = charge_point_lines(files, charge_point_id, connector_id, span, reach)
    told, booked, notes = tell(lines), list[Entry](), _notes_on_log(logs, reach, len(lines), zone)
    is_known = any(text_of(line, "charge_point_id") for line in lines)
    try:
        with open_books(database) as guest, guest.snapshot() as q:
            is_known = is_known or q.get_charge_point(identity=charge_point_id) is not None
            if reach.first_at is not None and reach.last_at is not None:
                seen = Span(max(span.begin, reach.first_at), min(span.end, reach.last_at))
                booked = transactions_of_charge_point(q, charge_point_id, connector_id, seen)
    except StartError as error:
        notes.append(f"Told from the log alone: {error}.")
    if not is_known:
        raise click.ClickException(f"there is no charge point {charge_point_id!r} in {database}, nor in the log")
    if payloads:
        notes += _notes_on_payloads(logs, told)
    entries = _in_order(told, _not_told(booked, lines), gaps_of_connection(told))
    title = f"Charge point {charge_point_id}" + ("" if connector_id is None else f", connector {connector_id}")
    as_json: dict[str, JsonValue] = {"kind": "charge_point", "charge_point_id": charge_point_id}
    as_json |= {} if connector_id is None else {"connector_id": connector_id}
    return Story([title, *_window(span, zone)], lambda: as_json, condensed(entries, keep_payloads=payloads), notes)


def _in_order(told: Iterable[Entry], booked: Iterable[Entry], gaps: Iterable[Entry]) -> list[Entry]:
    # A gap is told when it's over, before what ended it; one that isn't over comes last.
    return sorted(
        (*gaps, *at_their_messages((*booked, *told))),
        key=lambda entry: (entry.place, entry.kind is Kind.GAP and entry.until is None),
    )


def _not_told(booked: Iterable[Entry], lines: Iterable[Line]) -> Iterator[Entry]:
    """What the books have and the log hasn't."""
    told: dict[tuple[str, int | None], list[datetime]] = {}
    for line in lines:
        event, at = text_of(line, "event"), time_of(line)
        event = "transaction_stopped" if event in _ENDS else event
        if at is not None:
            told.setdefault((event, number_of(line, "transaction_id")), []).append(at)
    for entry in booked:
        number = entry.facts.get("transaction_id")
        key = (str(entry.facts.get("event")), number if isinstance(number, int) else None)
        if not any(abs(at - entry.at) <= _SAME for at in told.get(key, ())):
            yield entry


def _window(span: Span, zone: tzinfo | None) -> list[str]:
    bounds = [
        f"{word} {_clock(at, zone)}"
        for word, at, default in (("from", span.begin, EVER.begin), ("until", span.end, EVER.end))
        if at != default
    ]
    return [" ".join(bounds)] if bounds else []


def _notes_on_log(logs: Sequence[str], reach: Reach, count: int, zone: tzinfo | None) -> list[str]:
    if not logs:
        return ["Told from the books alone: connections, commands, errors and plugins are missing without --log FILE."]
    text = f"Log: {reach.lines:,} lines read, {count:,} told of here"
    if reach.first_at is not None and reach.last_at is not None:
        text += f"; it goes from {_clock(reach.first_at, zone)} to {_clock(reach.last_at, zone)}"
    notes = [f"{text}."]
    if reach.skipped:
        notes.append(f"Skipped {reach.skipped:,} lines that are no JSON, or cut short.")
    notes += (f"{name} ends too early: its end is missing." for name in reach.damaged)
    return notes


def _notes_on_session(books: TransactionBooks, reach: Reach, lines: Sequence[Line]) -> Iterator[str]:
    if not books.readings:
        yield "The books have no meter values of this transaction."
    if reach.lines == 0:
        return
    session = books.session
    if not any(text_of(line, "session_correlation_id") == session.correlation_id for line in lines):
        yield "The log has no line of this session."
        return
    if reach.first_at is not None and reach.first_at > session.span.begin:
        yield "The log begins after this session: what came before isn't told. Give the rotated files too."
    if books.record.stopped_at is not None and reach.last_at is not None and reach.last_at < session.span.end:
        yield "The log ends before this session: what came after isn't told. Give the newer files too."


def _notes_on_payloads(logs: Sequence[str], told: Iterable[Entry]) -> list[str]:
    if not logs or any(entry.payloads for entry in told if entry.kind in {Kind.MESSAGE, Kind.COMMAND}):
        return []
    return ["The log has no payloads; the server writes them with --log-payloads on."]


def _clock(at: datetime, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
