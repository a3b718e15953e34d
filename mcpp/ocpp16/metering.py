"""Meter values from the wire to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from mcpp.domain.samples import ENERGY_REGISTER, MOST_SHARED, Sample, SampleKind
from mcpp_generated.ocpp16.models import MeterValue

_Texts: TypeAlias = tuple[str | None, str | None, str | None, str | None, str | None, str | None]


def samples_of(meter_values: Sequence[MeterValue]) -> list[Sample]:
    """Every sampled value with its time, what the charger left out filled in by OCPP 1.6 §7.43."""
    samples: list[Sample] = []
    for meter_value in meter_values:
        measured_at = meter_value.timestamp
        for position, sampled in enumerate(meter_value.sampled_value):
            kind = _KINDS[
                sampled.measurand, sampled.phase, sampled.unit, sampled.context, sampled.location, sampled.format
            ]
            samples.append(Sample(measured_at, kind, sampled.value, position))
    return samples


class _Kinds(dict[_Texts, SampleKind]):
    """Kinds by what chargers say of them."""

    def __missing__(self, texts: _Texts) -> SampleKind:
        measurand, phase, unit, context, location, value_format = texts
        measurand = measurand or ENERGY_REGISTER
        kind = SampleKind(
            measurand=measurand,
            phase=phase or "",
            unit=unit or ("Wh" if measurand.startswith("Energy") else ""),
            context=context or "Sample.Periodic",
            location=location or "Outlet",
            format=value_format or "Raw",
        )
        if len(self) < MOST_SHARED:
            self[texts] = kind
        return kind


_KINDS: Final = _Kinds()
