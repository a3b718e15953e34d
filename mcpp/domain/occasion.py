"""What every domain function knows of its cause, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from mcpp.bounds import Over
from mcpp.domain.events import Event

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which charge point said something, when, and in which flow."""

    charge_point_key: int
    """Primary key of the charge point."""
    charge_point_id: str
    """Its identity, as it connects with it."""
    correlation_id: str
    at: datetime
    """Time of receipt, UTC."""
    new_correlation_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class OperatorOccasion:
    """When a person changed records, and in which flow."""

    correlation_id: str
    at: datetime

    def about(self, charge_point_key: int, charge_point_id: str) -> Occasion:
        """The same, of the charge point that it's about."""
        return Occasion(charge_point_key, charge_point_id, self.correlation_id, self.at, lambda: self.correlation_id)


class OriginalMessage(NamedTuple):
    """A message as its charge point sent it, for what must be kept whole."""

    ocpp_version: str
    as_json: Callable[[], str]
    """Its payload in the spelling of that version."""
    shortened: Callable[[int], str] | None = None
    """The same in at most so many bytes: what goes first are meter values from its middle."""


class LeftOut(NamedTuple):
    """What of a message, or beside it, isn't kept since it's over a bound (mcpp.bounds)."""

    rule: Over
    field: str
    """Its place in the message; empty where it's the whole message."""
    came: str
    kept: str


class ChargingSession(NamedTuple):
    """A charging session, from `Preparing` to the stored stop."""

    correlation_id: str
    transaction_id: int | None = None
    """None before its transaction starts."""


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """A domain function's answer, and the events to publish once it is committed."""

    value: T
    events: tuple[Event, ...] = ()
    session: ChargingSession | None = None
    """The one that this belongs to."""
    left_out: tuple[LeftOut, ...] = ()
    """What isn't kept of it, or because of it."""
