"""Energy as stored: of a transaction, and of a charge point as a total that is reported to the outside.

What a transaction took is `mcpp.domain.evidence`'s to say while it runs, and `mcpp.domain.bill`'s once it ends. What
can't be true is marked and counts in no sum; what a person says in its place does.

A charge point's total is the sum over all its transactions: of an ended one what counts of it, of a running one what
it took so far. The outside must never see it fall, since counters of monitoring systems take a fall for a restart from
0. So in the same write that lets the sum fall, what it was before is kept as `charge_points.energy_peak_wh`; the
greater is reported. `charge_points.energy_wh` is the part of the ended transactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from mcpp.domain.account import EnergyAccount
from mcpp.domain.evidence import Origin
from mcpp.domain.samples import SampleKind
from mcpp_generated.db.enums import Implausible
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)

ENERGY_SEPARATOR: Final = ","
"""Between the texts of `transaction_readings.energy`; a text with one in it is no number."""


class Register(NamedTuple):
    """A reading of the meter's register of imported energy, as if it were that which the start tells."""

    measured_at: datetime
    wh: int


class Billed(Protocol):
    """An ended transaction, as far as its energy goes."""

    @property
    def energy_wh(self) -> int | None: ...
    @property
    def implausible_reason(self) -> Implausible | None: ...
    @property
    def corrected_wh(self) -> int | None: ...


def told_register(wh: int | None, ocpp_transaction_id: str | None) -> int | None:
    """In OCPP 1.6 a start or stop has a register, be it what it may; since 2.0 it may never be told: None then."""
    return None if wh is None or (ocpp_transaction_id is not None and wh < 0) else wh


def counted_wh(ended: Billed) -> int | None:
    """What of a transaction's energy counts in sums, in Wh: a person's correction, else its own where it can be."""
    if ended.corrected_wh is not None:
        return ended.corrected_wh
    return None if ended.implausible_reason is not None else ended.energy_wh


def account_of(q: Queries, transaction: Transaction, *, until: datetime = END_OF_TIME) -> EnergyAccount:
    """What the stored meter values of a transaction say, of those that were measured up to a time."""
    account = _new_account(q, transaction)
    for _ in _taken_in(q, transaction, account, until):
        pass
    return account


def energy_by_time(q: Queries, transaction: Transaction) -> Iterator[tuple[datetime, int | None]]:
    """What a transaction had taken by the time of each of its readings, in Wh, by those up to it."""
    account = _new_account(q, transaction)
    for measured_at in _taken_in(q, transaction, account, END_OF_TIME):
        yield measured_at, account.energy_wh


def _new_account(q: Queries, transaction: Transaction) -> EnergyAccount:
    rated_watts = q.get_rated_power(key=transaction.charge_point_key)
    return EnergyAccount(transaction.meter_start, transaction.started_at, transaction.start_received_at, rated_watts)


def _taken_in(q: Queries, transaction: Transaction, account: EnergyAccount, until: datetime) -> Iterator[datetime]:
    """The times of its readings, each once the account has it."""
    kinds: dict[str, SampleKind] = {}
    for measured_at, energy, origin, received_at in q.list_energy_readings(transaction_id=transaction.id, until=until):
        for kind, value in _values(q, energy, kinds):
            if kind.energy is not None:
                account.take(kind.energy, value, measured_at, received_at, Origin(origin))
        yield measured_at


def stored_energy(q: Queries, transaction: Transaction) -> Iterator[tuple[datetime, SampleKind, str]]:
    """The stored values of a transaction that speak of energy: when measured, of what kind, the text."""
    kinds: dict[str, SampleKind] = {}
    for measured_at, energy, _, _ in q.list_energy_readings(transaction_id=transaction.id, until=END_OF_TIME):
        for kind, value in _values(q, energy, kinds):
            yield measured_at, kind, value


def _values(q: Queries, energy: str | None, kinds: dict[str, SampleKind]) -> Iterator[tuple[SampleKind, str]]:
    for text in (energy or "").split(ENERGY_SEPARATOR):
        key, _, value = text.partition(" ")
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = _kind(q, int(key))
        yield kind, value


def _kind(q: Queries, key: int) -> SampleKind:
    stored = q.get_sample_kind(id=key)
    assert stored is not None, "a kind is never deleted"
    return SampleKind(*stored[1:])


def energy_so_far(q: Queries, transaction: Transaction) -> int | None:
    """What an open transaction has taken by its stored values, in Wh; None where none can be believed."""
    return account_of(q, transaction).energy_wh


def register_so_far(q: Queries, transaction: Transaction) -> Register:
    """The newest register that is known of a transaction, its start's where there is none since."""
    account = account_of(q, transaction)
    claim = account.claim()
    if claim is None:
        return Register(transaction.started_at, transaction.meter_start)
    return Register(claim.newest_at, register_of(account, claim.energy_wh))


def register_of(account: EnergyAccount, energy_wh: int) -> int:
    """The register that goes with an energy; it begins at 0 where the start told none."""
    return (account.start or 0) + energy_wh


def book_energy(
    q: Queries, transaction: Transaction, wh: int, before: int, stopped_by_charger_at: datetime | None
) -> int:
    """Let a transaction's end count in its charge point's total; `transaction` is as it was before.

    `before` is what it counted then, as running or as ended; `stopped_by_charger_at` when its charger's stop came.
    To be called after the end is stored. Returns what counts: what a person said goes on counting.
    """
    counted = wh if transaction.correction_id is None else before
    if counted < before:
        hold_total(q, transaction, before)
    replaced = 0 if transaction.stopped_at is None else before
    q.book_energy(key=transaction.charge_point_key, wh=counted - replaced, last_tx_stop_at=stopped_by_charger_at)
    return counted


def keep_superseded(q: Queries, transaction: Transaction, at: datetime) -> None:
    """Keep what counted for a transaction until now, where it had ended: a statement may have said it.

    `transaction` is as it was before. To be called wherever something else comes to count; an end that stays pays
    nothing for it.
    """
    if transaction.stopped_at is None:
        return
    assert transaction.meter_stop is not None
    assert transaction.energy_wh is not None
    assert transaction.stop_origin is not None
    q.add_superseded_end(
        transaction_id=transaction.id,
        id_tag=transaction.id_tag,
        superseded_at=at,
        stop_received_at=transaction.stop_received_at,
        stopped_at=transaction.stopped_at,
        meter_stop=transaction.meter_stop,
        stop_origin=transaction.stop_origin,
        energy_wh=transaction.energy_wh,
        implausible_reason=transaction.implausible_reason,
        correction_id=transaction.correction_id,
    )


def counted_before(q: Queries, ended: Transaction) -> int:
    """What of an ended transaction counts now, in Wh."""
    record = q.get_transaction(transaction_id=ended.id)
    assert record is not None, "its charge point and connector exist by their foreign keys"
    return counted_wh(record) or 0


def hold_total(q: Queries, transaction: Transaction, before: int) -> None:
    """Keep the total as reported while this much of a transaction counted, which ran on or had ended otherwise."""
    others = sum(
        energy_so_far(q, other) or 0
        for other in q.find_open_on_charge_point(charge_point_key=transaction.charge_point_key)
        if other.id != transaction.id
    )
    running = others + (before if transaction.stopped_at is None else 0)
    q.hold_energy(key=transaction.charge_point_key, running_wh=running)
