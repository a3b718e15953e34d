"""Measurements as the domain knows them, and what they say about energy."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

ENERGY_REGISTER = "Energy.Active.Import.Register"

_WH_PER_UNIT = {"": 1, "Wh": 1, "kWh": 1000}

# A million GWh is no reading of a charger's meter.
_LARGEST_WH = 10**15


class SampleKind(NamedTuple):
    """What a sampled value says of itself; an empty text where there is neither a value nor a default."""

    measurand: str
    phase: str
    unit: str
    context: str
    location: str
    format: str


class Sample(NamedTuple):
    """One measurement; the value is the charger's text, since signed data is no number."""

    measured_at: datetime
    kind: SampleKind
    value: str
    position: int
    """Place in the charger's list of sampled values."""


def register_wh(kind: SampleKind, value: str) -> int | None:
    """The meter register in Wh, or None where the sample is no reading of the whole import register."""
    if kind.measurand != ENERGY_REGISTER or kind.phase or kind.format != "Raw":
        return None
    factor = _WH_PER_UNIT.get(kind.unit)
    if factor is None:
        return None
    try:
        wh = int((Decimal(value) * factor).to_integral_value())
    except (ArithmeticError, ValueError):
        return None
    return wh if abs(wh) <= _LARGEST_WH else None
