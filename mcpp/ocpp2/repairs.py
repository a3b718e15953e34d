"""What OCPP 2.0.1 and 2.1 add to the rules of repair: what stands for fields that are missing, and what texts mean.

A TransactionEvent and MeterValues is never refused as long as it is an object: a charge point repeats what is refused
for ever, or forgets it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mcpp.ocpp2.widening import repairs_of
from mcpp.ocppj.readers import Moment, Repairs
from mcpp_generated.ocpp21.models import (
    BootNotificationRequest,
    BootReasonEnumType,
    ChargingStationType,
    ConnectorStatusEnumType,
    EventDataType,
    EventTriggerEnumType,
    IdTokenType,
    MeterValuesRequest,
    MeterValueType,
    NotifyEventRequest,
    ReasonEnumType,
    SignedMeterValueType,
    StatusNotificationRequest,
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionType,
    TriggerReasonEnumType,
    VariableMonitoringType,
)
from mcpp_generated.ocpp201 import models as models201

_STATUSES: Final = {
    # OCPP 1.6.
    "preparing": ConnectorStatusEnumType.OCCUPIED,
    "charging": ConnectorStatusEnumType.OCCUPIED,
    "suspendedev": ConnectorStatusEnumType.OCCUPIED,
    "suspendedevse": ConnectorStatusEnumType.OCCUPIED,
    "finishing": ConnectorStatusEnumType.OCCUPIED,
    "inuse": ConnectorStatusEnumType.OCCUPIED,
    "idle": ConnectorStatusEnumType.AVAILABLE,
    "free": ConnectorStatusEnumType.AVAILABLE,
    "operative": ConnectorStatusEnumType.AVAILABLE,
    "inoperative": ConnectorStatusEnumType.UNAVAILABLE,
    "fault": ConnectorStatusEnumType.FAULTED,
    "error": ConnectorStatusEnumType.FAULTED,
}

_EVENTS: Final = {
    "start": TransactionEventEnumType.STARTED,
    "begin": TransactionEventEnumType.STARTED,
    "update": TransactionEventEnumType.UPDATED,
    "end": TransactionEventEnumType.ENDED,
    "stop": TransactionEventEnumType.ENDED,
    "stopped": TransactionEventEnumType.ENDED,
}

_REASONS: Final = {
    # OCPP 1.6.
    "hardreset": ReasonEnumType.IMMEDIATE_RESET,
    "softreset": ReasonEnumType.IMMEDIATE_RESET,
    "unlockcommand": ReasonEnumType.REMOTE,
    "evdisconnect": ReasonEnumType.EV_DISCONNECTED,
    "remotestop": ReasonEnumType.REMOTE,
    "localstop": ReasonEnumType.LOCAL,
}

STATION: Final = 0
"""The EVSE, and the connector, that stand for the whole charging station."""
NO_SEQ_NO: Final = 0
NO_EVENT_ID: Final = 0
NO_NAME: Final = ""
"""Of a transaction whose id isn't told."""
NO_TYPE: Final = ""
"""Of a token that doesn't say what it is."""

REPAIRS_21: Final = Repairs(
    stand_ins={
        (BootNotificationRequest, "reason"): BootReasonEnumType.UNKNOWN,
        (BootNotificationRequest, "charging_station"): ChargingStationType(model="", vendor_name=""),
        (ChargingStationType, "model"): "",
        (ChargingStationType, "vendor_name"): "",
        (EventDataType, "event_id"): NO_EVENT_ID,
        (EventDataType, "timestamp"): Moment.RECEIPT,
        (EventDataType, "trigger"): EventTriggerEnumType.DELTA,
        (EventDataType, "actual_value"): "",
        # Nobody knows who made its monitor.
        (EventDataType, "event_notification_type"): None,
        (IdTokenType, "type"): NO_TYPE,
        (MeterValueType, "timestamp"): Moment.NEARBY,
        (MeterValueType, "sampled_value"): [],
        (MeterValuesRequest, "evse_id"): STATION,
        (MeterValuesRequest, "meter_value"): [],
        (NotifyEventRequest, "generated_at"): Moment.RECEIPT,
        (NotifyEventRequest, "seq_no"): NO_SEQ_NO,
        # 2.1 may do without the method, and so do others: a key is often left out to save bytes.
        (SignedMeterValueType, "signing_method"): "",
        (SignedMeterValueType, "encoding_method"): "",
        (SignedMeterValueType, "public_key"): "",
        (StatusNotificationRequest, "timestamp"): Moment.RECEIPT,
        (StatusNotificationRequest, "evse_id"): STATION,
        (StatusNotificationRequest, "connector_id"): STATION,
        (TransactionEventRequest, "event_type"): TransactionEventEnumType.UPDATED,
        (TransactionEventRequest, "timestamp"): Moment.RECEIPT,
        (TransactionEventRequest, "seq_no"): NO_SEQ_NO,
        (TransactionEventRequest, "trigger_reason"): TriggerReasonEnumType.ABNORMAL_CONDITION,
        (TransactionEventRequest, "transaction_info"): TransactionType(transaction_id=NO_NAME),
        (TransactionType, "transaction_id"): NO_NAME,
        # 2.0.1 has no such member: who made a monitor isn't known.
        (VariableMonitoringType, "event_notification_type"): None,
    },
    meanings={
        ConnectorStatusEnumType: _STATUSES,
        ReasonEnumType: _REASONS,
        TransactionEventEnumType: _EVENTS,
    },
    others={
        BootReasonEnumType: BootReasonEnumType.UNKNOWN,
        # Nothing begins on such a connector, and nothing that runs there ends.
        ConnectorStatusEnumType: ConnectorStatusEnumType.UNAVAILABLE,
        ReasonEnumType: ReasonEnumType.OTHER,
        TriggerReasonEnumType: TriggerReasonEnumType.ABNORMAL_CONDITION,
    },
)

REPAIRS_201: Final = replace(
    repairs_of(REPAIRS_21, models201),
    # Open in 2.1: a new kind of token is only stored and shown.
    open_lists=frozenset({models201.IdTokenEnumType}),
)
"""The same, for 2.0.1's models as well."""
