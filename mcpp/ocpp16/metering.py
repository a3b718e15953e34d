"""Meter values (OCPP 1.6 §4.7) and what they are made of, from the wire to the domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, TypeAlias

from mcpp.csms.calls import CallContext, CallRouter
from mcpp.domain import meter_values
from mcpp.domain.events import MeterValuesReceived
from mcpp.domain.memory import as_stored
from mcpp.domain.samples import ENERGY_REGISTER, MOST_SHARED, Sample, SampleKind
from mcpp.ocpp16.keeping import original_meter_values
from mcpp.storage.pending import Pending
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import MeterValue, MeterValuesRequest, MeterValuesResponse

_Texts: TypeAlias = tuple[str | None, str | None, str | None, str | None, str | None, str | None]

_STORED: Final = MeterValuesResponse()


def register(router: CallRouter) -> None:
    """Route the CALL to its handler."""
    router.add(actions.METER_VALUES, record_meter_values)


def record_meter_values(context: CallContext, request: MeterValuesRequest) -> Pending[MeterValuesResponse]:
    """OCPP 1.6 §4.7."""
    services = context.services
    command = meter_values.RecordMeterValues(
        connector_id=request.connector_id,
        claimed_transaction_id=request.transaction_id or 0,
        samples=samples_of(request.meter_value),
        original=original_meter_values(request),
    )
    publishes = services.wanted[MeterValuesReceived]
    recorded = context.write_keeping(meter_values.record_meter_values, command, services.memory, publishes=publishes)
    return recorded.then(partial(_stored, context))


def _stored(context: CallContext, _: None) -> MeterValuesResponse:
    context.services.stamps.meter_values_at[context.key] = context.received_at
    return _STORED


def samples_of(meter_values: Sequence[MeterValue]) -> list[Sample]:
    """Every sampled value with its time, what the charger left out filled in by OCPP 1.6 §7.43."""
    samples: list[Sample] = []
    for meter_value in meter_values:
        measured_at = meter_value.timestamp
        if measured_at.microsecond % 1000:
            measured_at = as_stored(measured_at)
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
