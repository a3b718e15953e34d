"""The greatest power that a connector has shown, for what can have been delivered since a reading.

Reading it takes some thousand rows: it's for the rare stop that names no transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mcpp.domain.energy import energy_by_time
from mcpp.domain.measurements import Readings
from mcpp.domain.stored_samples import stored_moments
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

_MOST_SAMPLES: Final = 5_000
_MOST_DELIVERIES: Final = 20

# Over a shorter time, the register's steps and the clock's say more than the power.
_SHORTEST: Final = timedelta(minutes=1)

# No connector has more: what says so was misread.
_LARGEST_WATTS: Final = 1e6


def greatest_power_watts(q: Queries, transaction: Transaction) -> float | None:
    """What a transaction's connector has shown in it, and in those before that it stopped by name; None for nothing.

    As the charger reports it, as it follows from voltage and current, and on average between registers.
    """
    shown = [*_reported(q, transaction), *_between_registers(q, transaction)]
    for row in q.list_deliveries(connector_key=transaction.connector_key, row_limit=_MOST_DELIVERIES):
        if row.energy_wh is not None and row.stopped_at is not None:
            shown += _average(row.energy_wh, row.stopped_at - row.started_at)
    return max((watts for watts in shown if 0 < watts <= _LARGEST_WATTS), default=None)


def _reported(q: Queries, transaction: Transaction) -> Iterator[float]:
    readings = Readings()
    for measured_at, samples in stored_moments(q, transaction.id, most_samples=_MOST_SAMPLES):
        watts = readings.take(samples, measured_at)
        if watts is not None:
            yield watts


def _between_registers(q: Queries, transaction: Transaction) -> Iterator[float]:
    last_at, last_wh = transaction.started_at, 0
    for measured_at, wh in energy_by_time(q, transaction):
        if wh is not None and measured_at - last_at >= _SHORTEST:
            yield from _average(wh - last_wh, measured_at - last_at)
            last_at, last_wh = measured_at, wh


def _average(wh: int, passed: timedelta) -> Iterator[float]:
    if passed >= _SHORTEST:
        yield wh / (passed / timedelta(hours=1))
