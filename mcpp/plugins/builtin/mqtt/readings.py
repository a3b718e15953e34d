"""What a charge point's meter values say of a connector now."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from mcpp.domain.samples import Sample, register_wh

_POWER: Final = "Power.Active.Import"
_WATTS: Final = {"": 1, "W": 1, "kW": 1000}
_PHASES: Final = (("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"))


def read(samples: Sequence[Sample]) -> dict[str, float | int]:
    """`power_w` and `energy_wh` where the newest samples tell them; power by phase is added up."""
    newest = {(sample.kind.measurand, sample.kind.phase): sample for sample in sorted(samples, key=_when)}
    facts: dict[str, float | int] = {}
    power = _power(newest)
    if power is not None:
        facts["power_w"] = power
    registers = [wh for sample in newest.values() if (wh := register_wh(sample.kind, sample.value)) is not None]
    if registers:
        facts["energy_wh"] = registers[-1]
    return facts


def _when(sample: Sample) -> float:
    return sample.measured_at.timestamp()


def _power(newest: dict[tuple[str, str], Sample]) -> float | None:
    whole = newest.get((_POWER, ""))
    if whole is not None:
        return _watts(whole)
    for phases in _PHASES:
        parts = [_watts(newest[_POWER, phase]) for phase in phases if (_POWER, phase) in newest]
        known = [part for part in parts if part is not None]
        if known:
            return round(sum(known), 1)
    return None


def _watts(sample: Sample) -> float | None:
    factor = _WATTS.get(sample.kind.unit)
    if factor is None or sample.kind.format != "Raw":
        return None
    try:
        watts = Decimal(sample.value) * factor
    except ArithmeticError:
        return None
    return round(float(watts), 1) if watts.is_finite() else None
