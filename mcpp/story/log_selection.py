"""Which lines of a log belong to a story."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from mcpp.csms.vocabulary import Vocabulary
from mcpp.story.log_files import Line, LogCoverage, LogFile, number_of, parse, span_of, text_of, time_of
from mcpp.story.model import EVER, ChargePointSubject, Span

LINES_LIMIT: Final = 200_000
"""Lines of one story in memory: hundreds of megabytes, and more than anybody reads."""

LAST_SIGN: Final = "last_sign_of_life"
"""Added to server_started: the time of the line before its server_starting, the last of a process that was killed."""

_CORRELATION: Final = re.compile(rb'"correlation_id": ?"([0-9a-f]{32})"')

_OF_THE_SERVER: Final = frozenset(
    {"server_started", "server_stopping", "server_stopped", "log_lines_dropped", "log_level_changed"}
)
"""What bears on every charge point's story."""

_OF_THE_SERVER_HINT: Final = re.compile(rb'"(?:server_st|log_l)')

_SWIPED_BEFORE: Final = timedelta(minutes=2)
"""How long before the session an authorization may be its own: some swipe their card first and plug in then."""

_SLACK: Final = timedelta(hours=1)
"""Lines are written in the order of time but for a CALL's, which waits for its answer."""


class TooManyLines(Exception):
    """More lines of the log belong to the story than are wanted."""


@dataclass(frozen=True, slots=True)
class SessionScope:
    """What a charging session is known by."""

    correlation_id: str
    charge_point_id: str
    connector_id: int
    evse_id: int
    """0 where the OCPP version knows connectors only."""
    transaction_id: int
    span: Span


def session_lines(
    files: Sequence[LogFile],
    session: SessionScope,
    vocabulary: Vocabulary,
    coverage: LogCoverage,
    most_lines: int = LINES_LIMIT,
) -> list[Line]:
    """The lines of a session, in the order of time. Raises TooManyLines and NotJsonLines.

    Read twice: first what names the session, which shows its flows and how long it took; then what belongs to those
    flows, and what happened to the server and the charge point as a whole meanwhile.
    """
    needle = session.correlation_id.encode()
    flows, span = {needle}, session.span
    for file in files:
        for block in file.blocks(coverage):
            if needle not in block:
                continue
            for line in filter(None, (parse(raw) for raw in block.split(b"\n") if needle in raw)):
                flows.add(text_of(line, "correlation_id").encode())
                at = time_of(line)
                assert at is not None, "parse returns no line without a time"
                span = span.including(at)
    flows.discard(b"")
    with_swipe = span.including(span.begin - min(_SWIPED_BEFORE, span.begin - EVER.begin))
    identity = _identity_hint(session.charge_point_id)

    def is_candidate(raw: bytes) -> bool:
        flow = _CORRELATION.search(raw)
        if flow is not None and flow[1] in flows:
            return True
        return needle in raw or identity.search(raw) is not None or _OF_THE_SERVER_HINT.search(raw) is not None

    def belongs(line: Line, at: datetime) -> bool:
        if text_of(line, "correlation_id").encode() in flows or _names(line, session.correlation_id):
            return True
        action = text_of(line, "action")
        if not (with_swipe if action == vocabulary.authorize else span).holds(at):
            return False
        if text_of(line, "event") in _OF_THE_SERVER:
            return True
        # Heartbeats and meter values say something of a session only if they name it.
        is_routine = action in {vocabulary.heartbeat, vocabulary.meter_values}
        return not is_routine and _is_of_the_charge_point(line, session)

    blocks = (block for file in files for block in file.blocks() if needle in block or _may_hold(span, block))
    return _selected(blocks, is_candidate, belongs, coverage, most_lines)


def charge_point_lines(files: Sequence[LogFile], subject: ChargePointSubject, coverage: LogCoverage) -> list[Line]:
    """The lines of a charge point in a span of time, in order; with a connector or EVSE what is another's is left out.

    Raises TooManyLines and NotJsonLines.
    """
    span = subject.span
    identity = _identity_hint(subject.charge_point_id)

    def is_candidate(raw: bytes) -> bool:
        return identity.search(raw) is not None or _OF_THE_SERVER_HINT.search(raw) is not None

    def belongs(line: Line, at: datetime) -> bool:
        if not span.holds(at):
            return False
        if text_of(line, "event") in _OF_THE_SERVER:
            return True
        return text_of(line, "charge_point_id") == subject.charge_point_id and _is_at(line, subject)

    blocks = (block for file in files for block in file.blocks(coverage) if _may_hold(span, block))
    return _selected(blocks, is_candidate, belongs, coverage)


def _is_at(line: Line, subject: ChargePointSubject) -> bool:
    """Whether a line says nothing of other connectors and EVSEs than are asked for."""
    connector, evse = number_of(line, "connector_id"), number_of(line, "evse_id")
    if connector in {None, 0} and evse is None:
        return True
    return subject.connector_id in {None, connector} and subject.evse_id in {None, evse or 0}


def _selected(
    blocks: Iterable[bytes],
    is_candidate: Callable[[bytes], bool],
    belongs: Callable[[Line, datetime], bool],
    coverage: LogCoverage,
    most_lines: int = LINES_LIMIT,
) -> list[Line]:
    selected: list[tuple[datetime, Line]] = []
    for line in _parsed(blocks, is_candidate, coverage):
        at = time_of(line)
        assert at is not None, "parse returns no line without a time"
        if belongs(line, at):
            selected.append((at, line))
            if len(selected) > most_lines:
                raise TooManyLines
    selected.sort(key=lambda timed: timed[0])
    coverage.used = len(selected)
    return [line for _, line in selected]


def _parsed(blocks: Iterable[bytes], is_candidate: Callable[[bytes], bool], coverage: LogCoverage) -> Iterator[Line]:
    for block in blocks:
        previous, before_start = b"", None
        for raw in block.split(b"\n"):
            if is_candidate(raw):
                line = parse(raw)
                if line is None:
                    coverage.skipped += raw.rstrip().endswith(b"}")  # the others are counted
                else:
                    if line["event"] == "server_starting":
                        before_start = previous
                    elif line["event"] == "server_started":
                        line[LAST_SIGN] = _timestamp(previous if before_start is None else before_start)
                        before_start = None
                    yield line
            previous = raw or previous


def _timestamp(raw: bytes) -> str | None:
    line = parse(raw)
    return None if line is None else text_of(line, "timestamp")


def _may_hold(span: Span, block: bytes) -> bool:
    """Whether a block of lines may reach into a span."""
    times = [at for at in span_of(block) if at is not None]
    # No sum with the bounds, which may be the ends of time.
    return not times or not (span.begin - max(times) > _SLACK or min(times) - span.end > _SLACK)


def _names(line: Line, session_correlation_id: str) -> bool:
    return text_of(line, "session_correlation_id") == session_correlation_id


def _is_of_the_charge_point(line: Line, session: SessionScope) -> bool:
    """Whether a line is of the session's charge point as a whole: its connection, a boot, a reset, an authorization."""
    return (
        text_of(line, "charge_point_id") == session.charge_point_id
        and number_of(line, "connector_id") in {None, 0, session.connector_id}
        and number_of(line, "evse_id") in {None, session.evse_id}
        and number_of(line, "transaction_id") in {None, session.transaction_id}
        and text_of(line, "session_correlation_id") in {"", session.correlation_id}
    )


def _identity_hint(identity: str) -> re.Pattern[bytes]:
    """Finds lines that may name a charge point, however JSON spells it."""
    spellings = {orjson.dumps(identity), json.dumps(identity).encode()}
    return re.compile(b"|".join(map(re.escape, sorted(spellings))))
