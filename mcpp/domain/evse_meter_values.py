"""Meter values of an EVSE, which name no transaction and no connector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mcpp.domain.evses import resolve
from mcpp.domain.memory import Memory
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.occasion import Occasion, Result
from mcpp.domain.samples import Sample
from mcpp_generated.db.queries import Queries

_NONE_CLAIMED: Final = 0


def record_evse_meter_values(
    q: Queries, occasion: Occasion, evse_id: int, samples: Sequence[Sample], memory: Memory, *, publishes: bool = True
) -> Result[None]:
    """Store meter values with the transaction that ran on the EVSE at their time, else with its connector.

    EVSE 0 is the meter of the station as a whole (OCPP 2.0.1 J01). Where it doesn't publish, nobody wants a
    MeterValuesReceived, and none is made.
    """
    evse_id, connector_id = resolve(q, occasion.charge_point_key, evse_id, None)
    command = RecordMeterValues(connector_id, _NONE_CLAIMED, samples, None, evse_id)
    return record_meter_values(q, occasion, command, memory, publishes=publishes)
