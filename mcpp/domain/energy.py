"""Energy as stored: of a transaction, and of a charge point as a total that is reported to the outside.

The total is the sum over all transactions: of an ended one its stored energy, of a running one what its newest register
says. The outside must never see it fall, since counters of monitoring systems take a fall for a restart from 0. So in
the same write that lets the sum fall, what it was before is kept as `charge_points.energy_peak_wh`; the greater is
reported. `charge_points.energy_wh` is the part of the ended transactions.

For the same reason a misread register must not get into it: no transaction takes more than a gigawatt hour.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime

from mcpp.domain.measurements import Register, newest_registers
from mcpp.domain.samples import Sample
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

# The strongest chargers, at 3.75 MW, would need eleven days.
_MOST_COUNTED_WH = 10**9

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def energy_wh(meter_start: int, meter_stop: int) -> int:
    """Energy of a transaction in Wh; never negative: a register that fell is marked as implausible instead."""
    return max(meter_stop - meter_start, 0)


def counted_wh(wh: int) -> int:
    """What of a transaction's energy counts in its charge point's total: all, or nothing where it can't be true."""
    return wh if wh <= _MOST_COUNTED_WH else 0


def last_stored_register(q: Queries, transaction_id: int, *, until: datetime = _END_OF_TIME) -> Register | None:
    """The newest register reading stored for a transaction, measured by a time."""
    newest = q.find_newest_register(transaction_id=transaction_id, until=until)
    return None if newest is None or newest.register_wh is None else Register(newest.measured_at, newest.register_wh)


def register_so_far(q: Queries, transaction: Transaction) -> Register:
    """The newest register that is known of a transaction, its start's where there is none since."""
    return last_stored_register(q, transaction.id) or Register(transaction.started_at, transaction.meter_start)


def energy_at(transaction: Transaction, register: Register | None) -> int:
    """What a transaction has taken at a reading, in Wh; nothing before the first."""
    return 0 if register is None else energy_wh(transaction.meter_start, register.wh)


def energy_so_far(q: Queries, transaction: Transaction) -> int:
    """What an open transaction has taken by its newest stored register, in Wh."""
    return energy_at(transaction, last_stored_register(q, transaction.id))


def book_energy(
    q: Queries,
    transaction: Transaction,
    meter_stop: int,
    newest: Register | None,
    stopped_by_charger_at: datetime | None,
) -> None:
    """Let a transaction's end count in its charge point's total; `transaction` is as it was before.

    `newest` is its newest register, None where that isn't known; `stopped_by_charger_at` when its charger's stop came.

    To be called after the end is stored, and before samples that came with it are stored.
    """
    counted = counted_wh(energy_wh(transaction.meter_start, meter_stop))
    if transaction.meter_stop is None:
        newest = newest or last_stored_register(q, transaction.id)
        before, replaced = counted_wh(energy_at(transaction, newest)), 0
    else:
        before = replaced = counted_wh(energy_wh(transaction.meter_start, transaction.meter_stop))
    if counted < before:
        _hold_total(q, transaction, before)
    q.book_energy(key=transaction.charge_point_key, wh=counted - replaced, last_tx_stop_at=stopped_by_charger_at)


class RunningEnergy:
    """Watches what the samples of a message change in the energy of an open transaction."""

    def __init__(
        self, q: Queries, transaction: Transaction, samples: Sequence[Sample], known: MutableMapping[int, Register]
    ) -> None:
        """To be made before the samples are stored; `known` has newest registers by transaction, and is kept so."""
        self._q = q
        self._transaction = transaction
        self._known = known
        self._newest = newest_registers(samples)
        self._before: Register | None = None
        if self._newest:
            self._before = known.get(transaction.id) or last_stored_register(q, transaction.id)

    def update(self) -> Register | None:
        """Once they are stored: the newest register where that is of their time."""
        if not self._newest:
            return None
        before, newest = self._before, self._newest[0]
        if before is not None and newest.measured_at < before.measured_at:
            return None
        if len(self._newest) > 1 or (before is not None and newest.measured_at == before.measured_at):
            # Which one of a moment's readings counts is the query's to say.
            newest = last_stored_register(self._q, self._transaction.id) or newest
        counted = counted_wh(energy_at(self._transaction, before))
        if counted_wh(energy_at(self._transaction, newest)) < counted:
            _hold_total(self._q, self._transaction, counted)
        self._known[self._transaction.id] = newest
        return newest


def _hold_total(q: Queries, transaction: Transaction, before: int) -> None:
    """Keep the total as reported while this much of a transaction counted, which ran on or had ended otherwise."""
    others = sum(
        counted_wh(energy_so_far(q, other))
        for other in q.find_open_on_charge_point(charge_point_key=transaction.charge_point_key)
        if other.id != transaction.id
    )
    running = others + (before if transaction.stopped_at is None else 0)
    q.hold_energy(key=transaction.charge_point_key, running_wh=running)
