"""The power and energy of a session over time, in buckets: of a month as cheap as of an hour."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from mcpp.domain.phases import NEUTRAL
from mcpp.domain.samples import POWER, SampleKind, ValueMeaning
from mcpp.domain.session_meter import MOST_READ, Metered, SessionMeter, Span, StoredReading, belongs, span_of, spans_of
from mcpp.reads.times import BEFORE_ALL
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import Transaction

FEWEST_POINTS: Final = 10
MOST_POINTS: Final = 1_000
POINTS: Final = 300

_MOST_SEARCHED: Final = 50_000
"""Readings in which the database looks for the least and the greatest power: those of a month, one a minute."""

_PAGE: Final = 150
"""Readings of one step: a few milliseconds, in which the server does nothing else."""

_NARROWEST: Final = timedelta(seconds=1)

# Over a shorter time, the register's steps and the clock's say more than the power.
_SHORTEST: Final = timedelta(minutes=1)

_HOUR: Final = timedelta(hours=1)


class PowerSource(StrEnum):
    """Where the power comes from."""

    MEASURED = "measured"
    """As the charger says it, or by its voltage and current."""
    DERIVED = "derived"
    """It never says it: on average between two readings of its energy."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """What was measured in a part of a session, from `start` on; a part without readings has none."""

    start: datetime
    least_w: float | None = None
    greatest_w: float | None = None
    mean_w: float | None = None
    """W, of the whole connector; None where nothing is said of that."""
    energy_wh: int | None = None
    """What the session had taken by the end of this part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A session over time."""

    transaction_id: int
    since: datetime
    until: datetime
    """Of the end, or the newest reading while it runs."""
    bucket_seconds: float
    power_source: PowerSource | None
    """None where nothing is said of power or energy."""
    every_reading: bool
    """Whether the buckets are of every reading; else of the last in each of some thousand equal parts."""
    every_peak: bool
    """Whether the least and the greatest power are of every reading, even so."""
    buckets: list[Bucket]
    """In order. What one says holds until the next begins."""


async def read_curve(pool: ReaderPool, transaction_id: int, points: int = POINTS) -> Curve | None:
    """The curve of a transaction in up to so many buckets; None where it's unknown."""
    async with pool.reader() as q:
        transaction = await q.find_transaction(id=transaction_id)
        if transaction is None:
            return None
        first_at = await q.find_reading(transaction_id=transaction_id, skipped=0)
        newest_at = await q.find_newest_reading(transaction_id=transaction_id)
        every = await q.find_reading(transaction_id=transaction_id, skipped=MOST_READ) is None
        rated_watts = await q.get_rated_power(key=transaction.charge_point_key)
    span = span_of(transaction, first_at, newest_at)
    meter = SessionMeter(transaction, rated_watts, every=every)
    metered: list[Metered] = []
    async for reading in _all_readings(pool, transaction) if every else _some_readings(pool, transaction, span):
        for key in meter.unknown_kinds(reading):
            meter.kinds[key] = await _kind(pool, key)
        shown = meter.read(reading)
        if belongs(span, shown.at):
            metered.append(shown)
    buckets = _Buckets(span, points)
    source = buckets.fill(metered)
    kind = None if every else _one_kind_of_power(meter.kinds)
    has_peaks = kind is not None and await _can_be_searched(pool, transaction_id)
    if kind is not None and has_peaks:
        parts = points * -(-MOST_READ // points)  # none of which reaches over two buckets
        async for at, least, greatest in _extremes(pool, transaction_id, span, parts, *kind):
            buckets.widen(at, least, greatest)
    return Curve(
        transaction_id=transaction_id,
        since=span.begin,
        until=span.end,
        bucket_seconds=buckets.width / timedelta(seconds=1),
        power_source=source,
        every_reading=every,
        every_peak=every or has_peaks,
        buckets=buckets.in_order(),
    )


async def _all_readings(pool: ReaderPool, transaction: Transaction) -> AsyncIterator[StoredReading]:
    after, after_late_sample = BEFORE_ALL, ""
    while True:
        async with pool.reader() as q:
            page = await q.list_readings(
                transaction_id=transaction.id,
                after=after,
                after_late_sample=after_late_sample,
                page_size=_PAGE,
            )
        for reading in page:
            yield reading
        if len(page) < _PAGE:
            return
        after, after_late_sample = page[-1].measured_at, page[-1].late_sample


async def _some_readings(pool: ReaderPool, transaction: Transaction, span: Span) -> AsyncIterator[StoredReading]:
    for spans in spans_of(span.begin, span.end, MOST_READ):
        async with pool.reader() as q:
            page = await q.list_last_readings(transaction_id=transaction.id, spans=spans)
        for reading in page:
            yield reading


def _one_kind_of_power(kinds: Mapping[int, SampleKind]) -> tuple[int, ValueMeaning] | None:
    """The key of the kind of sample that alone says the power, with its meaning; None where several say it together."""
    found = [(key, kind.meaning) for key, kind in kinds.items() if kind.meaning and kind.meaning.quantity == POWER]
    return found[0] if len(found) == 1 and found[0][1].phase != NEUTRAL else None


async def _can_be_searched(pool: ReaderPool, transaction_id: int) -> bool:
    async with pool.reader() as q:
        return await q.find_reading(transaction_id=transaction_id, skipped=_MOST_SEARCHED) is None


async def _extremes(
    pool: ReaderPool, transaction_id: int, span: Span, parts: int, kind: int, meaning: ValueMeaning
) -> AsyncIterator[tuple[datetime, float, float]]:
    """The least and the greatest power in W, in each of the parts in which there are readings, by their middle."""
    most = meaning.largest / meaning.factor
    half = (span.end - span.begin) / parts / 2
    for spans in spans_of(span.begin, span.end, parts):
        async with pool.reader() as q:
            rows = await q.list_extremes(needle=f'"{kind} ', spans=spans, transaction_id=transaction_id, most=most)
        for begin, least, greatest in rows:
            if begin is not None:
                yield begin + half, least * meaning.factor, greatest * meaning.factor


async def _kind(pool: ReaderPool, key: int) -> SampleKind:
    async with pool.reader() as q:
        stored = await q.get_sample_kind(id=key)
    assert stored is not None, "a kind is never deleted"
    return SampleKind(*stored[1:])


class _Buckets:
    """Equal parts of a span, made as something falls into them."""

    def __init__(self, span: Span, points: int) -> None:
        self._begin, self._end = span
        self.width = max(_NARROWEST, (self._end - self._begin) / points)
        self._last = max(0, -((self._begin - self._end) // self.width) - 1)
        self._buckets: dict[int, Bucket] = {}
        self._weights: dict[int, float] = {}

    def fill(self, metered: list[Metered]) -> PowerSource | None:
        """Let each have what was metered in it; returns where power comes from."""
        for _, energy_wh, watts, bucket in ((*shown, self._at(shown.at)) for shown in metered):
            if energy_wh is not None:
                bucket.energy_wh = energy_wh
            if watts is not None:
                self._take(bucket, watts, 1.0)
        if self._weights:
            return PowerSource.MEASURED
        self._derive(metered)
        return PowerSource.DERIVED if self._weights else None

    def widen(self, at: datetime, least: float, greatest: float) -> None:
        """Let the one of that time know of powers that were in it, if it has any."""
        bucket = self._at(at)
        if bucket.least_w is not None and bucket.greatest_w is not None:
            bucket.least_w = min(bucket.least_w, round(least, 1))
            bucket.greatest_w = max(bucket.greatest_w, round(greatest, 1))

    def in_order(self) -> list[Bucket]:
        """Those that have something to say."""
        return [self._buckets[number] for number in sorted(self._buckets)]

    def _derive(self, metered: list[Metered]) -> None:
        """Power as the average between readings of energy; what was taken begins with 0."""
        last_at, last_wh = self._begin, 0
        for at, energy_wh, _ in metered:
            if energy_wh is None or at - last_at < _SHORTEST:
                continue
            watts = max(energy_wh - last_wh, 0) / ((at - last_at) / _HOUR)
            for number in range(self._number(last_at), self._number(at) + 1):
                start = self._begin + number * self.width
                overlap = min(at, start + self.width) - max(last_at, start)
                if overlap > timedelta():
                    self._take(self._bucket(number), watts, overlap / _NARROWEST)
            last_at, last_wh = at, energy_wh

    def _take(self, bucket: Bucket, watts: float, weight: float) -> None:
        number = self._number(bucket.start)
        before = self._weights.get(number, 0.0)
        self._weights[number] = before + weight
        watts = round(watts, 1)
        bucket.least_w = watts if bucket.least_w is None else min(bucket.least_w, watts)
        bucket.greatest_w = watts if bucket.greatest_w is None else max(bucket.greatest_w, watts)
        mean = bucket.mean_w or 0.0
        bucket.mean_w = round(mean + (watts - mean) * weight / (before + weight), 3)

    def _at(self, at: datetime) -> Bucket:
        return self._bucket(self._number(at))

    def _number(self, at: datetime) -> int:
        return min(max((at - self._begin) // self.width, 0), self._last)

    def _bucket(self, number: int) -> Bucket:
        known = self._buckets.get(number)
        if known is None:
            known = self._buckets[number] = Bucket(start=self._begin + number * self.width)
        return known
