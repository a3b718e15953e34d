"""What OCPP 2.0.1 and 2.1 add to the rules of repair: what stands for fields that are missing, and what texts mean.

A TransactionEvent and MeterValues is never refused as long as it is an object: a charge point repeats what is refused
for ever, or forgets it.
"""

from __future__ import annotations

from typing import Final

from mcpp.ocpp2.widening import repairs_of
from mcpp.ocppj.readers import Moment, Repairs
from mcpp_generated.ocpp21.models import (
    BootNotificationRequest,
    BootReasonEnumType,
    ChargingStationType,
    ConnectorStatusEnumType,
    MeterValuesRequest,
    MeterValueType,
    StatusNotificationRequest,
    TransactionEventRequest,
    TransactionType,
    TriggerReasonEnumType,
)
from mcpp_generated.ocpp201 import models as models201

STATION: Final = 0
"""The EVSE, and the connector, that stand for the whole charging station."""
NO_SEQ_NO: Final = 0

REPAIRS_21: Final = Repairs(
    stand_ins={
        (BootNotificationRequest, "reason"): BootReasonEnumType.UNKNOWN,
        (BootNotificationRequest, "charging_station"): ChargingStationType(model="", vendor_name=""),
        (ChargingStationType, "model"): "",
        (ChargingStationType, "vendor_name"): "",
        (MeterValueType, "timestamp"): Moment.NEARBY,
        (MeterValueType, "sampled_value"): [],
        (MeterValuesRequest, "evse_id"): STATION,
        (MeterValuesRequest, "meter_value"): [],
        (StatusNotificationRequest, "timestamp"): Moment.RECEIPT,
        (StatusNotificationRequest, "evse_id"): STATION,
        (StatusNotificationRequest, "connector_id"): STATION,
        (TransactionEventRequest, "timestamp"): Moment.RECEIPT,
        (TransactionEventRequest, "seq_no"): NO_SEQ_NO,
        (TransactionEventRequest, "trigger_reason"): TriggerReasonEnumType.ABNORMAL_CONDITION,
        (TransactionEventRequest, "transaction_info"): TransactionType(transaction_id=""),
        (TransactionType, "transaction_id"): "",
    },
    meanings={},
    # Nothing begins on such a connector, and nothing that runs there ends.
    others={ConnectorStatusEnumType: ConnectorStatusEnumType.UNAVAILABLE},
)

REPAIRS_201: Final = repairs_of(REPAIRS_21, models201)
"""The same, for 2.0.1's models."""
