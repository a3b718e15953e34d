"""What a transaction's stored readings say, one after the other: its power then, and what it had taken by then.

A long session has half a million of them. Whoever shows one to people looks at no more than MOST_READ: where there are
more, at the last in each of so many spans of time, which costs the same however many lie between.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

import orjson

from mcpp.domain.account import EnergyAccount
from mcpp.domain.evidence import Origin
from mcpp.domain.measurements import Readings
from mcpp.domain.readings import LONGEST_ENERGY, stored_time
from mcpp.domain.samples import Sample, SampleKind
from mcpp_generated.db.models import Transaction

MOST_READ: Final = 3_000

_SPANS_AT_ONCE: Final = 150
"""That are looked up in one query, so that none takes long."""


class StoredReading(Protocol):
    """The samples of one moment, or some of them, as stored."""

    @property
    def measured_at(self) -> datetime: ...
    @property
    def samples(self) -> str: ...
    @property
    def origin(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...


class Metered(NamedTuple):
    """What a meter showed at a time."""

    at: datetime
    energy_wh: int | None
    """What its transaction had taken by then; None where nothing is said of that."""
    power_w: float | None
    """Of the whole connector, as reported or from voltage and current; None where the reading doesn't say it."""


class SessionMeter:
    """Reads a transaction's stored readings in the order of time."""

    def __init__(self, transaction: Transaction, rated_watts: int | None, *, every: bool) -> None:
        """`every`: no reading is left out. Energy by intervals is told only then: it's the sum of all of them."""
        self._account = EnergyAccount(
            transaction.meter_start, transaction.started_at, transaction.start_received_at, rated_watts
        )
        self._power = Readings()
        self._every = every
        self.kinds: dict[int, SampleKind] = {}
        """Of samples, by their keys: `read` needs those of a reading."""

    def unknown_kinds(self, reading: StoredReading) -> list[int]:
        """The keys of kinds that are to be looked up first."""
        return [key for key, _ in _texts(reading) if key not in self.kinds]

    def read(self, reading: StoredReading) -> Metered:
        """The next one."""
        at, samples = reading.measured_at, list[Sample]()
        speaks_of_energy = False
        for position, (key, value) in enumerate(_texts(reading)):
            kind = self.kinds[key]
            samples.append(Sample(at, kind, value, position))
            energy = kind.energy
            if energy is not None and len(value) <= LONGEST_ENERGY and (self._every or not energy.is_interval):
                self._account.take(energy, value, at, reading.received_at, Origin(reading.origin))
                speaks_of_energy = True
        watts = self._power.take(samples, at)
        return Metered(at, self._account.energy_wh if speaks_of_energy else None, watts)


def _texts(reading: StoredReading) -> Iterator[tuple[int, str]]:
    for text in orjson.loads(reading.samples):
        key, _, value = text.partition(" ")
        yield int(key), value


def spans_of(begin: datetime, end: datetime, count: int) -> Iterator[str]:
    """[begin, end] in so many parts, as JSON for ListLastReadings, some at a time."""
    first = stored_time(begin)
    length = stored_time(end) + 1 - first
    bounds = [first + length * part // count for part in range(count + 1)]
    spans = [span for span in pairwise(bounds) if span[0] < span[1]]
    for start in range(0, len(spans), _SPANS_AT_ONCE):
        yield orjson.dumps(spans[start : start + _SPANS_AT_ONCE]).decode()


class Span(NamedTuple):
    """From when to when a transaction's readings are believed to be measured."""

    begin: datetime
    end: datetime


_AT_THE_ENDS: Final = timedelta(minutes=1)
"""A reading may be dated that much before the start or after the stop that it belongs to."""


def span_of(transaction: Transaction, first_at: datetime | None, newest_at: datetime | None) -> Span:
    """The transaction's own span, up to its newest reading while it runs; its readings' where its clock was wrong."""
    begin = transaction.started_at
    end = transaction.stopped_at or newest_at or begin
    if end <= begin and first_at is not None and newest_at is not None:
        begin, end = first_at, newest_at
    return Span(begin, end)


def belongs(span: Span, at: datetime) -> bool:
    """Whether a reading's time can be of that span: a clock that was set meanwhile dates some far away."""
    return abs(at - max(span.begin, min(at, span.end))) <= _AT_THE_ENDS
