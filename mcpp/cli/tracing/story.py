"""What a story is made of: entries, each with its time, who did it and what it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from pydantic import JsonValue

Facts: TypeAlias = Mapping[str, JsonValue]


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
    """In words, for people."""
    until: datetime | None = None
    """Of what took a while, or of several that are told as one."""
    correlation_id: str | None = None
    """To find it in the log; None for what only the database tells."""
    duration_ms: float | None = None
    tone: Tone = Tone.PLAIN
    facts: Facts = field(default_factory=dict)
    """The same for scripts."""
    payloads: Facts = field(default_factory=dict)
    """OCPP payloads by `request` and `response`, where the log has them."""

    @property
    def place(self) -> datetime:
        """When it's told: a gap once it's over."""
        return self.until if self.kind is Kind.GAP and self.until is not None else self.at


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter showed at a time."""

    at: datetime
    register_wh: int | None
    power_w: int | None


@dataclass(frozen=True, slots=True)
class Story:
    """What is told."""

    heading: Sequence[str]
    """For people: a title, then what is worth knowing first."""
    heading_as_json: Callable[[], Facts]
    """The same for scripts."""
    entries: Sequence[Entry]
    """In the order in which they are told."""
    notes: Sequence[str]
    """What is to be said of the telling itself: what is missing."""
