"""What may happen at one charge point: events to be told as they are, or with `dataclasses.replace`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointConnected,
    ChargePointForgotten,
    ConnectorStatusChanged,
    MeterValuesReceived,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.samples import Sample, SampleKind
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import NOW

FLOW: Final = "c" * 32
SESSION: Final = "5" * 32

CONNECTED: Final = ChargePointConnected(
    charge_point_id="CP-1", correlation_id=FLOW, at=NOW, ocpp_version="1.6", remote_address="127.0.0.1"
)
BOOTED: Final = ChargePointBooted(
    charge_point_id="CP-1",
    correlation_id=FLOW,
    at=NOW,
    vendor="V",
    model="M",
    serial_number=None,
    firmware_version=None,
)
FORGOTTEN: Final = ChargePointForgotten(charge_point_id="CP-1", correlation_id=FLOW, at=NOW, open_transactions=0)
PREPARING: Final = ConnectorStatusChanged(
    charge_point_id="CP-1",
    correlation_id=FLOW,
    at=NOW,
    connector_id=1,
    status="Preparing",
    previous_status="Available",
    error_code="NoError",
    info=None,
    reported_at=NOW,
    session_correlation_id=SESSION,
)
STARTED: Final = TransactionStarted(
    charge_point_id="CP-1",
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    meter_start=1000,
    started_at=NOW,
    session_correlation_id=SESSION,
)
STOPPED: Final = TransactionStopped(
    charge_point_id="CP-1",
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    meter_start=1000,
    meter_stop=4000,
    energy_wh=3000,
    energy_implausible=False,
    started_at=NOW,
    stopped_at=NOW + timedelta(minutes=30),
    reason="Local",
    origin=StopOrigin.CHARGER,
    session_correlation_id=SESSION,
)


def sample(measurand: str, phase: str, unit: str, value: str) -> Sample:
    """One sampled value of the outlet."""
    return Sample(NOW, SampleKind(measurand, phase, unit, "Sample.Periodic", "Outlet", "Raw"), value, 0)


MEASURED: Final = MeterValuesReceived(
    charge_point_id="CP-1",
    correlation_id=FLOW,
    at=NOW,
    connector_id=1,
    transaction_id=7,
    session_correlation_id=SESSION,
    samples=[sample("Power.Active.Import", "", "kW", "7.2")],
    energy_wh=2500,
)
