"""Meter values (OCPP 2.0.1 part 2, block J) and what they are made of, from the wire to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, TypeAlias

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import evse_meter_values
from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.memory import as_stored
from mcpp.domain.samples import MOST_SHARED, Sample, SampleKind, SignedValue, scaled, signed_kind, told_kind
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    MeterValuesRequest,
    MeterValuesResponse,
    MeterValueType,
    SampledValueType,
    SignedMeterValueType,
)

_Texts: TypeAlias = tuple[str | None, str | None, str | None, str | None, str | None]

_STORED: Final = MeterValuesResponse()


def register(router: CallRouter) -> None:
    """Route the CALL to its handler."""
    router.add(actions.METER_VALUES, record_meter_values, takes_narrow=True)


def record_meter_values(context: CallContext, request: MeterValuesRequest) -> Pending[MeterValuesResponse]:
    """J01: values outside of transactions, such as a clock's; some charge points send those of transactions so, too."""
    services = context.services
    samples = samples_of(request.meter_value)
    publishes = services.wanted[MeterValuesReceived]
    recorded = context.write_keeping(
        evse_meter_values.record_evse_meter_values, request.evse_id, samples, services.memory, publishes=publishes
    )
    return recorded.then(partial(_stored, context))


def _stored(context: CallContext, _: None) -> MeterValuesResponse:
    context.services.stamps.meter_values_at[context.key] = context.received_at
    return _STORED


def samples_of(meter_values: Sequence[MeterValueType]) -> list[Sample]:
    """Every sampled value with its time, what the charger left out filled in; a signed value is a second sample."""
    samples: list[Sample] = []
    for meter_value in meter_values:
        measured_at = meter_value.timestamp
        if measured_at.microsecond % 1000:
            measured_at = as_stored(measured_at)
        for position, sampled in enumerate(meter_value.sampled_value):
            unit = sampled.unit_of_measure
            kind = _KINDS[
                sampled.measurand,
                sampled.phase,
                None if unit is None else unit.unit,
                sampled.context,
                sampled.location,
            ]
            samples.append(Sample(measured_at, kind, _value(sampled), position))
            if sampled.signed_meter_value is not None:
                samples.append(Sample(measured_at, signed_kind(kind), _signed(sampled.signed_meter_value), position))
    return samples


def _value(sampled: SampledValueType) -> str:
    """The text of a value in its unit."""
    unit = sampled.unit_of_measure
    multiplier = 0 if unit is None else unit.multiplier or 0
    if multiplier == 0:
        # As scaled() has it, in a fifth of its time: nearly all have no multiplier and no exponent.
        text = str(sampled.value)
        if "E" not in text:
            return text
    return scaled(sampled.value, multiplier)


def _signed(value: SignedMeterValueType) -> str:
    return SignedValue(value.signed_meter_data, value.signing_method, value.encoding_method, value.public_key).as_text()


class _Kinds(dict[_Texts, SampleKind]):
    """Kinds by what chargers say of them."""

    def __missing__(self, texts: _Texts) -> SampleKind:
        measurand, phase, unit, context, location = texts
        kind = told_kind(measurand=measurand, phase=phase, unit=unit, context=context, location=location)
        if len(self) < MOST_SHARED:
            self[texts] = kind
        return kind


_KINDS: Final = _Kinds()
