"""Which registers a transaction began and ended with, where its charger tells them among its samples.

One register of imported energy is followed: that of the best place. It began with the first value that is marked as the
beginning's, else with the earliest one; and ended with the last that is marked as the end's, else with the newest one
until then. What comes late counts as much: the result doesn't depend on the order in which values come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from mcpp.domain.account import in_wh
from mcpp.domain.energy import stored_energy
from mcpp.domain.evidence import TOTAL
from mcpp.domain.registers import read_number
from mcpp.domain.samples import BEGIN, END, Sample, SampleKind
from mcpp_generated.db.models import Transaction
from mcpp_generated.db.queries import Queries

NOT_TOLD = -1
"""In place of a register that nobody told (mcpp.domain.plausibility)."""


class FirstRegister(NamedTuple):
    """A register that a transaction may have begun with; the least is the best."""

    basis: int
    """Twice the rank of its place, and 1 more where it isn't marked as the beginning's."""
    at: datetime
    wh: int


def first_register(samples: Sequence[Sample]) -> FirstRegister | None:
    """The best of some samples; None where none is a register."""
    return min(
        (
            FirstRegister(2 * rank + (kind.context != BEGIN), at, wh)
            for at, kind, rank, wh in _registers((at, kind, value) for at, kind, value, _ in samples)
        ),
        default=None,
    )


def last_register(q: Queries, transaction: Transaction, until: datetime) -> int:
    """What a transaction's stored values say that it ended with, in Wh, of what was measured until then.

    A value that is marked as the end's counts whenever it was measured. NOT_TOLD where there is none.
    """
    found = [
        (-rank, kind.context == END, at, wh)
        for at, kind, rank, wh in _registers(stored_energy(q, transaction))
        if kind.context == END or at <= until
    ]
    return max(found)[3] if found else NOT_TOLD


def begin_of(samples: Sequence[Sample]) -> datetime | None:
    """When the values that are marked as the beginning's were measured; None where none is."""
    return min((at for at, kind, _, _ in samples if kind.context == BEGIN), default=None)


def tells_of_start(samples: Sequence[Sample], basis: int | None, known_at: datetime | None) -> bool:
    """Whether samples may say more of a start than is known, by their kinds and times alone (see FirstRegister)."""
    for at, kind, _, _ in samples:
        if kind.context == BEGIN:
            return True
        meaning = kind.energy
        if meaning is None or meaning.is_interval or meaning.phase != TOTAL:
            continue
        if basis is None or known_at is None or (2 * meaning.rank + 1, at) < (basis, known_at):
            return True
    return False


def _registers(values: Iterable[tuple[datetime, SampleKind, str]]) -> Iterable[tuple[datetime, SampleKind, int, int]]:
    """Those that are registers of all phases together: when, of what kind, the rank of the place, Wh."""
    for at, kind, text in values:
        meaning = kind.energy
        if meaning is None or meaning.is_interval or meaning.phase != TOTAL:
            continue
        number = read_number(text)
        wh = None if number is None else in_wh(number, meaning.factor)
        if wh is not None:
            yield at, kind, meaning.rank, wh
