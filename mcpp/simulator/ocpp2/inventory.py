"""Which variables a virtual charging station has: those that every one must have, and some more (OCPP 2.0.1 part 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from mcpp.simulator.ocpp2.variables import DeviceModel
from mcpp_generated.ocpp21.models import ChargingStationType, ConnectorStatusEnumType, DataEnumType, MutabilityEnumType

_BOOLEAN, _INTEGER = DataEnumType.BOOLEAN, DataEnumType.INTEGER
_LIST, _OPTIONS = DataEnumType.MEMBER_LIST, DataEnumType.OPTION_LIST
_READ_WRITE = MutabilityEnumType.READ_WRITE

SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Voltage"


def device_model(
    identity: str, station: ChargingStationType, evses: Mapping[int, Sequence[int]], *, items_per_message: int
) -> DeviceModel:
    """Of a station with these connectors by EVSE; a report has so many variables in one message."""
    model = DeviceModel()
    model.add("ChargingStation", "Model", station.model)
    model.add("ChargingStation", "VendorName", station.vendor_name)
    model.add("ChargingStation", "Available", "true", _BOOLEAN)
    model.add("ChargingStation", "AvailabilityState", ConnectorStatusEnumType.AVAILABLE.value, _OPTIONS)
    _controllers(model, identity, items_per_message)
    for evse_id, connectors in evses.items():
        model.add("EVSE", "Available", "true", _BOOLEAN, evse_id=evse_id)
        state = ConnectorStatusEnumType.AVAILABLE.value
        model.add("EVSE", "AvailabilityState", state, _OPTIONS, evse_id=evse_id)
        model.add("EVSE", "Power", "22000", DataEnumType.DECIMAL, evse_id=evse_id, unit="W")
        model.add("EVSE", "SupplyPhases", "3", _INTEGER, evse_id=evse_id)
        for connector_id in connectors:
            add = partial(model.add, "Connector", evse_id=evse_id, connector_id=connector_id)
            add("Available", "true", _BOOLEAN)
            add("AvailabilityState", state, _OPTIONS)
            add("ConnectorType", "cType2")
            add("SupplyPhases", "3", _INTEGER)
    return model


def _controllers(model: DeviceModel, identity: str, items_per_message: int) -> None:
    def seconds(component: str, name: str, value: int, instance: str | None = None) -> None:
        model.add(component, name, str(value), _INTEGER, mutability=_READ_WRITE, unit="s", instance=instance)

    def switch(component: str, name: str, value: str) -> None:
        model.add(component, name, value, _BOOLEAN, mutability=_READ_WRITE)

    seconds("OCPPCommCtrlr", "HeartbeatInterval", 300)
    seconds("OCPPCommCtrlr", "WebSocketPingInterval", 30)
    seconds("OCPPCommCtrlr", "RetryBackOffWaitMinimum", 10)
    seconds("OCPPCommCtrlr", "OfflineThreshold", 60)
    seconds("OCPPCommCtrlr", "MessageTimeout", 30, "Default")
    model.add("OCPPCommCtrlr", "NetworkConfigurationPriority", "1", DataEnumType.SEQUENCE_LIST, mutability=_READ_WRITE)
    model.add("OCPPCommCtrlr", "FileTransferProtocols", "HTTP,HTTPS", _LIST)
    seconds("SampledDataCtrlr", "TxUpdatedInterval", 60)
    seconds("SampledDataCtrlr", "TxEndedInterval", 0)
    for name in ("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands"):
        measurands = SAMPLED.split(",")
        model.add("SampledDataCtrlr", name, SAMPLED, _LIST, mutability=_READ_WRITE, choices=measurands)
    seconds("AlignedDataCtrlr", "Interval", 0)
    model.add("AlignedDataCtrlr", "Measurands", SAMPLED, _LIST, mutability=_READ_WRITE)
    for name in ("AuthorizeRemoteStart", "LocalPreAuthorize", "LocalAuthorizeOffline", "Enabled"):
        switch("AuthCtrlr", name, "true")
    switch("AuthCacheCtrlr", "Enabled", "true")
    switch("LocalAuthListCtrlr", "Enabled", "true")
    model.add("LocalAuthListCtrlr", "ItemsPerMessage", "100", _INTEGER)
    points = ("PowerPathClosed", "EVConnected", "Authorized", "ParkingBayOccupancy", "EnergyTransfer")
    model.add("TxCtrlr", "TxStartPoint", "EVConnected", _LIST, mutability=_READ_WRITE, choices=points)
    model.add("TxCtrlr", "TxStopPoint", "EVConnected", _LIST, mutability=_READ_WRITE, choices=points)
    seconds("TxCtrlr", "EVConnectionTimeOut", 60)
    switch("TxCtrlr", "StopTxOnInvalidId", "true")
    switch("TxCtrlr", "StopTxOnEVSideDisconnect", "true")
    switch("SmartChargingCtrlr", "Enabled", "true")
    switch("ReservationCtrlr", "Enabled", "true")
    model.add("SecurityCtrlr", "Identity", identity)
    model.add("SecurityCtrlr", "OrganizationName", "MCPP", mutability=_READ_WRITE)
    model.add("SecurityCtrlr", "SecurityProfile", "1", _INTEGER)
    model.add("SecurityCtrlr", "BasicAuthPassword", "", mutability=MutabilityEnumType.WRITE_ONLY)
    model.add("ClockCtrlr", "TimeSource", "Heartbeat", DataEnumType.SEQUENCE_LIST, mutability=_READ_WRITE)
    for instance in ("GetReport", "GetVariables", "SetVariables"):
        model.add("DeviceDataCtrlr", "ItemsPerMessage", str(items_per_message), _INTEGER, instance=instance)
