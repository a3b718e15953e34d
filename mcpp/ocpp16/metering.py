"""Meter values from the wire to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mcpp.domain.samples import ENERGY_REGISTER, Sample, SampleKind
from mcpp_generated.ocpp16.models import (
    Location,
    Measurand,
    MeterValue,
    Phase,
    ReadingContext,
    UnitOfMeasure,
    ValueFormat,
)


def samples_of(meter_values: Sequence[MeterValue]) -> list[Sample]:
    """Every sampled value with its time, what the charger left out filled in by OCPP 1.6 §7.43."""
    samples: list[Sample] = []
    for meter_value in meter_values:
        measured_at = meter_value.timestamp
        for position, sampled in enumerate(meter_value.sampled_value):
            kind = _kind(
                sampled.measurand, sampled.phase, sampled.unit, sampled.context, sampled.location, sampled.format
            )
            samples.append(Sample(measured_at, kind, sampled.value, position))
    return samples


@lru_cache(maxsize=4096)
def _kind(
    measurand: Measurand | None,
    phase: Phase | None,
    unit: UnitOfMeasure | None,
    context: ReadingContext | None,
    location: Location | None,
    value_format: ValueFormat | None,
) -> SampleKind:
    measurand_name = measurand.value if measurand else ENERGY_REGISTER
    default_unit = "Wh" if measurand_name.startswith("Energy") else ""
    return SampleKind(
        measurand=measurand_name,
        phase=phase.value if phase else "",
        unit=unit.value if unit else default_unit,
        context=context.value if context else "Sample.Periodic",
        location=location.value if location else "Outlet",
        format=value_format.value if value_format else "Raw",
    )
