"""What energy can be true: the one bound for registers and for the energy of a session, and the marks for what can't.

A session can't have taken more than its connector could deliver in its time:

    Wh <= W * (seconds + 300) / 3600

W is the rated power that an operator gave, with a tenth on top for meters and overload, else 1 MW. The seconds are
those from the start, by the charger's clock or by our times of receipt, whichever are more: a mark takes money out of
the sums, so it errs on the charger's side. For the same reason 300 s are added: for clocks that are set in between, and
for a start that was reported after the charging began. By a clock alone no session takes longer than 31 days, or a
clock that comes from 1970 would make everything possible.

Where no reading can be believed, the transaction's energy is implausible, for one of these reasons:

| reason | means |
| --- | --- |
| negative_energy | its register ended below where it began |
| sentinel | a register is a number that stands for none: 2^32-1, 2^31-1 |
| more_than_possible | more than its connector could have delivered in that time |
| no_reading | no register was told at its start or at its end, though a vehicle may have charged |
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from mcpp_generated.db.enums import Implausible

MOST_WATTS: Final = 1_000_000
LIKELY_WATTS: Final = 400_000
"""The strongest chargers in use."""
_OVERLOAD_TENTHS: Final = 11
"""The rated power counts elevenfold, in tenths."""
_ALLOWANCE: Final = 300
"""Seconds."""
_LONGEST_BY_CLOCK: Final = timedelta(days=31)

_NO_NUMBERS: Final = frozenset({2**31 - 1, 2**32 - 1})
"""What chargers send where their meter says nothing, in whatever unit. 65535 is one only where it's out of bounds."""


def is_sentinel(number: int | Decimal) -> bool:
    """Whether a reading, in the unit that it was sent in or in Wh, stands for none."""
    return number in _NO_NUMBERS


def register_fault(wh: int) -> Implausible | None:
    """Why a register that a start or stop tells can't be one; -1 is what stands for one that wasn't told."""
    if wh in _NO_NUMBERS:
        return Implausible.SENTINEL
    return Implausible.NO_READING if wh < 0 else None


def is_register(wh: int) -> bool:
    """Whether a start or stop tells a register at all, in Wh."""
    return register_fault(wh) is None


def elapsed_seconds(begin: datetime, begin_received: datetime, end: datetime, end_received: datetime) -> float:
    """How long a part of a session took at most, by the charger's clock or by our times of receipt."""
    by_charger = end - begin
    if by_charger > _LONGEST_BY_CLOCK:
        by_charger = _LONGEST_BY_CLOCK
    return max(by_charger, end_received - begin_received, timedelta()).total_seconds()


def deliverable_wh(seconds: float, rated_watts: int | None) -> int:
    """The most that a connector can deliver in a time, in Wh; `rated_watts` is None where nobody gave it."""
    watts = MOST_WATTS if rated_watts is None else rated_watts * _OVERLOAD_TENTHS / 10
    return int(watts * (seconds + _ALLOWANCE) / 3600)
