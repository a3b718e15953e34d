"""Database and log put together in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from mcpp.csms.vocabulary import Vocabulary
from mcpp.errors import StartError
from mcpp.story.endings import ending_of
from mcpp.story.exchanges import log_entries
from mcpp.story.gaps import gaps_of_connection, gaps_of_meter
from mcpp.story.log_files import Line, LogCoverage, LogFile, number_of, text_of, time_of
from mcpp.story.log_selection import LINES_LIMIT, charge_point_lines, session_lines
from mcpp.story.model import ChargePointSubject, Entry, Kind, Shortfall, Span, Story, TransactionSubject
from mcpp.story.records import TransactionRecords, transactions_of_charge_point
from mcpp.story.summary import at_their_messages, summarized
from mcpp_generated.db.queries import Queries

_SAME: Final = timedelta(minutes=1)
"""What database and log date so close to each other is the same."""

_COMMAND: Final = "command"

_ENDS: Final = frozenset({"transaction_recovered", "transaction_stop_superseded"})
"""Events that are a stop in the database."""


def transaction_story(
    records: TransactionRecords,
    logs: Sequence[LogFile],
    vocabulary: Vocabulary,
    *,
    payloads: bool = False,
    most_lines: int = LINES_LIMIT,
) -> Story:
    """The story of a transaction's session. Raises TooManyLines, of the log, and NotJsonLines.

    `payloads`: they are wanted, so no message that has one is summed up.
    """
    coverage = LogCoverage()
    lines = session_lines(logs, records.session, vocabulary, coverage, most_lines)
    logged = log_entries(lines, vocabulary)
    record = records.record
    gaps = chain(
        gaps_of_connection(logged),
        gaps_of_meter([reading.at for reading in records.readings], record.started_at, record.stopped_at),
    )
    entries = _in_order(logged, _not_logged(records.entries, lines), gaps)
    shortfalls = [*_shortfalls_of_session(records, coverage, lines)]
    if payloads:
        shortfalls += _shortfalls_of_payloads(logs, logged)
    return Story(
        _subject(records, logged, vocabulary),
        summarized(entries, keep_payloads=payloads),
        coverage if logs else None,
        shortfalls=shortfalls,
    )


def _subject(records: TransactionRecords, logged: Sequence[Entry], vocabulary: Vocabulary) -> TransactionSubject:
    ending = ending_of(records.transaction, logged, vocabulary)
    if ending is None:
        return TransactionSubject(records.transaction, records.record)
    by = _COMMAND if ending.by is None else ending.by.value
    return TransactionSubject(records.transaction, records.record, by, ending.how)


def charge_point_story(
    open_database: Callable[[], AbstractContextManager[Queries]],
    logs: Sequence[LogFile],
    subject: ChargePointSubject,
    vocabulary: Vocabulary,
    *,
    payloads: bool = False,
) -> Story | None:
    """The story of a charge point, as far as the log goes; None where neither database nor log knows it.

    `open_database` raises StartError where it can't be used: the story is the log's alone then. `payloads` as in
    `transaction_story`. Raises TooManyLines and NotJsonLines.
    """
    charge_point_id, span = subject.charge_point_id, subject.span
    coverage = LogCoverage()
    lines = charge_point_lines(logs, subject, coverage)
    logged = log_entries(lines, vocabulary)
    is_known = any(text_of(line, "charge_point_id") for line in lines)
    stored: list[Entry] = []
    problem: str | None = None
    try:
        with open_database() as q:
            is_known = is_known or q.get_charge_point(identity=charge_point_id) is not None
            if coverage.first_at is not None and coverage.last_at is not None:
                covered = Span(max(span.begin, coverage.first_at), min(span.end, coverage.last_at))
                stored = transactions_of_charge_point(q, subject, covered, vocabulary)
    except StartError as error:
        problem = str(error)
    if not is_known:
        return None
    entries = _in_order(logged, _not_logged(stored, lines), gaps_of_connection(logged))
    return Story(
        subject,
        summarized(entries, keep_payloads=payloads),
        coverage if logs else None,
        problem,
        list(_shortfalls_of_payloads(logs, logged)) if payloads else [],
    )


def _in_order(logged: Iterable[Entry], stored: Iterable[Entry], gaps: Iterable[Entry]) -> list[Entry]:
    # A gap comes at its end, before what ended it; one that isn't over comes last.
    return sorted(
        (*gaps, *at_their_messages((*stored, *logged))),
        key=lambda entry: (entry.place, entry.kind is Kind.GAP and entry.until is None),
    )


def _not_logged(stored: Iterable[Entry], lines: Iterable[Line]) -> Iterator[Entry]:
    """What the database has and the log hasn't."""
    logged: dict[tuple[str, int | None], list[datetime]] = {}
    for line in lines:
        event, at = text_of(line, "event"), time_of(line)
        event = "transaction_stopped" if event in _ENDS else event
        if at is not None:
            logged.setdefault((event, number_of(line, "transaction_id")), []).append(at)
    for entry in stored:
        number = entry.facts.get("transaction_id")
        key = (str(entry.facts.get("event")), number if isinstance(number, int) else None)
        if not any(abs(at - entry.at) <= _SAME for at in logged.get(key, ())):
            yield entry


def _shortfalls_of_session(
    records: TransactionRecords, coverage: LogCoverage, lines: Sequence[Line]
) -> Iterator[Shortfall]:
    if not records.readings:
        yield Shortfall.NO_METER_VALUES
    if records.is_thinned:
        yield Shortfall.METER_VALUES_LEFT_OUT
    if coverage.lines == 0:
        return
    session = records.session
    if not any(text_of(line, "session_correlation_id") == session.correlation_id for line in lines):
        yield Shortfall.SESSION_NOT_LOGGED
        return
    told_at = max(session.span.begin, records.transaction.start_received_at)
    if coverage.first_at is not None and coverage.first_at > told_at:
        yield Shortfall.LOG_BEGINS_LATE
    # A session that still runs has no end that the log could miss.
    is_over = records.record.stopped_at is not None
    if is_over and coverage.last_at is not None and coverage.last_at < session.span.end:
        yield Shortfall.LOG_ENDS_EARLY


def _shortfalls_of_payloads(logs: Sequence[LogFile], logged: Iterable[Entry]) -> Iterator[Shortfall]:
    if logs and not any(entry.payloads for entry in logged if entry.kind in {Kind.MESSAGE, Kind.COMMAND}):
        yield Shortfall.NO_PAYLOADS
