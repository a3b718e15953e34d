"""What a story is made of: entries, each with its time, who did it and what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from pydantic import JsonValue

from mcpp.story.log_files import LogCoverage
from mcpp_generated.db.models import Transaction, TransactionRecord

Facts: TypeAlias = Mapping[str, JsonValue]


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


EVER: Final = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class Source(StrEnum):
    """Whose doing it was."""

    CHARGER = "charger"
    SERVER = "server"
    OPERATOR = "operator"
    PLUGIN = "plugin"


class Kind(StrEnum):
    """What an entry is, for scripts."""

    MESSAGE = "message"
    """A CALL of the charger with its answer."""
    COMMAND = "command"
    """A CALL of ours with its answer."""
    CONNECTION = "connection"
    EVENT = "event"
    """Another line of the log."""
    BOOKED = "booked"
    """What the database holds."""
    METER = "meter"
    GAP = "gap"
    """A span of time in which something was missing."""


class Routine(StrEnum):
    """Messages that come again and again: a row of them is summed up in one entry."""

    METER_VALUES = "meter_values"
    HEARTBEAT = "heartbeat"


class Tone(StrEnum):
    """How an entry is coloured on a terminal."""

    PLAIN = "plain"
    QUIET = "quiet"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a story."""

    at: datetime
    source: Source
    kind: Kind
    what: str
    """In words, for people; a Phrase where the pages may say it in their language."""
    until: datetime | None = None
    """The end of what took a while, or the last of several messages in one entry."""
    correlation_id: str | None = None
    """To find it in the log; None for what only the database has."""
    duration_ms: float | None = None
    tone: Tone = Tone.PLAIN
    routine: Routine | None = None
    """Which recurring message it is, if it is one."""
    facts: Facts = field(default_factory=dict)
    """The same for scripts."""
    payloads: Facts = field(default_factory=dict)
    """OCPP payloads by `request` and `response`, where the log has them."""

    @property
    def place(self) -> datetime:
        """By when it is sorted: a gap by its end."""
        return self.until if self.kind is Kind.GAP and self.until is not None else self.at


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter showed at a time."""

    at: datetime
    energy_wh: int | None
    """What its transaction had taken by then; None where nothing is said of that."""
    power_w: int | None


class Shortfall(StrEnum):
    """What a story lacks, or may lack."""

    NO_METER_VALUES = "no_meter_values"
    """The database has none of this transaction."""
    SESSION_NOT_LOGGED = "session_not_logged"
    """The log has no line of this session."""
    LOG_BEGINS_LATE = "log_begins_late"
    """After the session began."""
    LOG_ENDS_EARLY = "log_ends_early"
    """Before the session ended."""
    METER_VALUES_LEFT_OUT = "meter_values_left_out"
    """There are too many to tell of each."""
    LOG_LEFT_OUT = "log_left_out"
    """It has more lines of this session than a running server reads."""
    NO_PAYLOADS = "no_payloads"
    """Payloads are wanted, and the log has none."""


@dataclass(frozen=True, slots=True)
class TransactionSubject:
    """The story is that of a transaction's session."""

    transaction: Transaction
    record: TransactionRecord
    """The same, as the API shows it."""
    ended_by: str | None = None
    """Who ended it: a Source, or `command` for one of which nothing shows whose it was; None while it runs."""
    ended_how: str | None = None
    """The same in words."""


@dataclass(frozen=True, slots=True)
class ChargePointSubject:
    """The story is that of a charge point."""

    charge_point_id: str
    connector_id: int | None
    """Without what concerns its other connectors only; None: with all of them."""
    span: Span
    evse_id: int | None = None
    """Likewise of its EVSEs."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, and what isn't known of it."""

    subject: TransactionSubject | ChargePointSubject
    entries: Sequence[Entry]
    """In order."""
    log: LogCoverage | None
    """How far the log reaches; None where none was read."""
    database_problem: str | None = None
    """Why nothing in it comes from the database."""
    shortfalls: Sequence[Shortfall] = ()
