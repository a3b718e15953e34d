"""Which lines of a log belong to a story."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import click
import orjson

from mcpp.cli.tracing.log_lines import Line, LogFile, Reach, number_of, parse, span_of, text_of, time_of

LINES_LIMIT: Final = 200_000
"""Lines of one story in memory: hundreds of megabytes, and more than anybody reads."""

LAST_SIGN: Final = "last_sign_of_life"
"""Added to server_started: the time of the line before it, which is the last word of a process that was killed."""

_CORRELATION: Final = re.compile(rb'"correlation_id": ?"([0-9a-f]{32})"')

_OF_THE_SERVER: Final = frozenset(
    {"server_started", "server_stopping", "server_stopped", "log_lines_dropped", "log_level_changed"}
)
"""What bears on every charge point's story."""

_OF_THE_SERVER_HINT: Final = re.compile(rb'"(?:server_st|log_l)')

_WITHOUT_A_STORY: Final = frozenset({"Heartbeat", "MeterValues"})
"""Actions that, without a connector, say nothing of one's session."""

_SWIPED_BEFORE: Final = timedelta(minutes=2)
"""How long before the session an Authorize may be its own: some swipe their card first and plug in then."""

_SLACK: Final = timedelta(hours=1)
"""Lines are written in the order of time but for a CALL's, which waits for its answer."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, both included."""

    begin: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a time lies in it."""
        return self.begin <= at <= self.end

    def including(self, at: datetime) -> Span:
        """The same, stretched to a time."""
        return Span(min(self.begin, at), max(self.end, at))

    def may_hold(self, block: bytes) -> bool:
        """Whether a block of lines may reach into it."""
        times = [at for at in span_of(block) if at is not None]
        # No sum with the bounds, which may be the ends of time.
        return not times or not (self.begin - max(times) > _SLACK or min(times) - self.end > _SLACK)


EVER: Final = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Session:
    """What a charging session is known by."""

    correlation_id: str
    charge_point_id: str
    connector_id: int
    transaction_id: int
    span: Span


def session_lines(files: Sequence[LogFile], session: Session, reach: Reach) -> list[Line]:
    """The lines of a session, in the order of time.

    Read twice: first what names the session, which tells its flows and how long it took; then what belongs to those
    flows, and what befell the server and the charge point as a whole meanwhile.
    """
    needle = session.correlation_id.encode()
    flows, span = {needle}, session.span
    for file in files:
        for block in file.blocks(reach):
            if needle not in block:
                continue
            for line in filter(None, (parse(raw) for raw in block.split(b"\n") if needle in raw)):
                flows.add(text_of(line, "correlation_id").encode())
                at = time_of(line)
                assert at is not None, "parse gives no line without a time"
                span = span.including(at)
    flows.discard(b"")
    with_swipe = span.including(span.begin - _SWIPED_BEFORE)
    identity = _identity_hint(session.charge_point_id)

    def is_candidate(raw: bytes) -> bool:
        flow = _CORRELATION.search(raw)
        if flow is not None and flow[1] in flows:
            return True
        return needle in raw or identity.search(raw) is not None or _OF_THE_SERVER_HINT.search(raw) is not None

    def belongs(line: Line, at: datetime) -> bool:
        if text_of(line, "correlation_id").encode() in flows or _names(line, session.correlation_id):
            return True
        is_meanwhile = (with_swipe if text_of(line, "action") == "Authorize" else span).holds(at)
        return is_meanwhile and (text_of(line, "event") in _OF_THE_SERVER or _of_the_charge_point(line, session))

    blocks = (block for file in files for block in file.blocks() if needle in block or span.may_hold(block))
    return _gathered(blocks, is_candidate, belongs, reach)


def charge_point_lines(
    files: Sequence[LogFile], charge_point_id: str, connector_id: int | None, span: Span, reach: Reach
) -> list[Line]:
    """The lines of a charge point in a span of time, in order; with a connector what is another's is left out."""
    identity = _identity_hint(charge_point_id)

    def is_candidate(raw: bytes) -> bool:
        return identity.search(raw) is not None or _OF_THE_SERVER_HINT.search(raw) is not None

    def belongs(line: Line, at: datetime) -> bool:
        if not span.holds(at):
            return False
        if text_of(line, "event") in _OF_THE_SERVER:
            return True
        number = number_of(line, "connector_id")
        return text_of(line, "charge_point_id") == charge_point_id and (
            connector_id is None or number is None or number in {0, connector_id}
        )

    blocks = (block for file in files for block in file.blocks(reach) if span.may_hold(block))
    return _gathered(blocks, is_candidate, belongs, reach)


def _gathered(
    blocks: Iterable[bytes],
    is_candidate: Callable[[bytes], bool],
    belongs: Callable[[Line, datetime], bool],
    reach: Reach,
) -> list[Line]:
    gathered: list[tuple[datetime, Line]] = []
    for line in _parsed(blocks, is_candidate, reach):
        at = time_of(line)
        assert at is not None, "parse gives no line without a time"
        if belongs(line, at):
            gathered.append((at, line))
            if len(gathered) > LINES_LIMIT:
                raise click.ClickException(
                    f"over {LINES_LIMIT} lines of the log belong here; tell a part with --charge-point and --since"
                )
    gathered.sort(key=lambda timed: timed[0])
    return [line for _, line in gathered]


def _parsed(blocks: Iterable[bytes], is_candidate: Callable[[bytes], bool], reach: Reach) -> Iterator[Line]:
    for block in blocks:
        previous = b""
        for raw in block.split(b"\n"):
            if is_candidate(raw):
                line = parse(raw)
                if line is None:
                    reach.skipped += raw.rstrip().endswith(b"}")  # the others are counted
                else:
                    if line["event"] == "server_started":
                        line[LAST_SIGN] = _timestamp(previous)
                    yield line
            previous = raw or previous


def _timestamp(raw: bytes) -> str | None:
    line = parse(raw)
    return None if line is None else text_of(line, "timestamp")


def _names(line: Line, session_correlation_id: str) -> bool:
    return text_of(line, "session_correlation_id") == session_correlation_id


def _of_the_charge_point(line: Line, session: Session) -> bool:
    """Whether a line tells of the session's charge point as a whole: its connection, a boot, a Reset, an Authorize."""
    return (
        text_of(line, "charge_point_id") == session.charge_point_id
        and number_of(line, "connector_id") in {None, 0, session.connector_id}
        and number_of(line, "transaction_id") in {None, session.transaction_id}
        and text_of(line, "session_correlation_id") in {"", session.correlation_id}
        and text_of(line, "action") not in _WITHOUT_A_STORY
    )


def _identity_hint(identity: str) -> re.Pattern[bytes]:
    """Finds lines that may name a charge point, however JSON spells it."""
    spellings = {orjson.dumps(identity), json.dumps(identity).encode()}
    return re.compile(b"|".join(map(re.escape, sorted(spellings))))
