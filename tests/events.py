"""An event of each kind, as it may happen at one charge point; tests change them with `dataclasses.replace`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from mcpp.domain.events import (
    CardLearnt,
    CertificateInstalled,
    CertificateIssued,
    CertificateRejected,
    CertificateRequested,
    CertificateRevoked,
    ChargePointBooted,
    ChargePointConnected,
    ChargePointDisconnected,
    ChargePointForgotten,
    ChargePointOffline,
    ChargePointOnline,
    ChargePointSettingsChanged,
    CommandFinished,
    CommandOutcome,
    ConnectionRefused,
    ConnectorStatusChanged,
    DeviceEventReceived,
    Event,
    FileReceived,
    HeartbeatReceived,
    MeterValuesReceived,
    RecordUnmatched,
    ReportReceived,
    ReservationChanged,
    RollOutProgressed,
    SecurityEventReceived,
    TransactionCorrected,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.samples import Sample, SampleKind
from mcpp_generated.db.enums import Approval, ReservationState, RollOutStage, StepState, StopOrigin

NOW: Final = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
IDENTITY: Final = "CP-1"
FLOW: Final = "c" * 32
SESSION: Final = "5" * 32


def sample(measurand: str, phase: str, unit: str, value: str) -> Sample:
    """One sampled value of the outlet."""
    return Sample(NOW, SampleKind(measurand, phase, unit, "Sample.Periodic", "Outlet", "Raw"), value, 0)


CONNECTED: Final = ChargePointConnected(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, ocpp_version="1.6", remote_address="127.0.0.1"
)
CONNECTION_REFUSED: Final = ConnectionRefused(
    charge_point_id="",
    correlation_id=FLOW,
    at=NOW,
    remote_address="192.0.2.7",
    path="/ws/",
    outcome="bad_identity",
    why="the path ends without an identity",
    remedy="type the URL ws://192.0.2.1:9000/ocpp/ into the charger",
    count=1,
)
DISCONNECTED: Final = ChargePointDisconnected(charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW)
OFFLINE: Final = ChargePointOffline(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, gone_since=NOW - timedelta(minutes=10)
)
ONLINE: Final = ChargePointOnline(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, gone_since=NOW - timedelta(minutes=10), gone_seconds=600
)
BOOTED: Final = ChargePointBooted(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    vendor="V",
    model="M",
    serial_number=None,
    firmware_version=None,
)
SETTINGS_CHANGED: Final = ChargePointSettingsChanged(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, display_name="Garage"
)
FORGOTTEN: Final = ChargePointForgotten(charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, open_transactions=0)
HEARTBEAT: Final = HeartbeatReceived(charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW)
PREPARING: Final = ConnectorStatusChanged(
    charge_point_id=IDENTITY,
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
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    meter_start=1000,
    started_at=NOW,
    session_correlation_id=SESSION,
)
MEASURED: Final = MeterValuesReceived(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    connector_id=1,
    transaction_id=7,
    session_correlation_id=SESSION,
    samples=[sample("Power.Active.Import", "", "kW", "7.2")],
    energy_wh=2500,
)
STOPPED: Final = TransactionStopped(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    meter_start=1000,
    meter_stop=4000,
    energy_wh=3000,
    counted_wh=3000,
    energy_implausible=False,
    started_at=NOW,
    stopped_at=NOW + timedelta(minutes=30),
    reason="Local",
    origin=StopOrigin.CHARGER,
    session_correlation_id=SESSION,
)
RECOVERED: Final = TransactionRecovered(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    meter_start=1000,
    meter_stop=4000,
    energy_wh=3000,
    counted_wh=3000,
    energy_implausible=False,
    started_at=NOW,
    stopped_at=NOW + timedelta(minutes=30),
    reason="Other",
    origin=StopOrigin.RECOVERED,
    session_correlation_id=SESSION,
    evidence='{"cause":"next_start"}',
)
CORRECTED: Final = TransactionCorrected(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    transaction_id=7,
    connector_id=1,
    id_tag="TAG",
    energy_wh=2900,
    replaced_wh=3000,
    note="read at the meter",
    who="the operator",
)
LEARNT: Final = CardLearnt(charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, connector_id=1, id_tag="TAG")
RESERVED: Final = ReservationChanged(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    reservation_id=3,
    connector_id=1,
    id_tag="TAG",
    parent_id_tag=None,
    expiry_date=NOW + timedelta(hours=1),
    status=ReservationState.ACCEPTED,
    transaction_id=None,
)
COMMANDED: Final = CommandFinished(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    action="Reset",
    message_id="1",
    outcome=CommandOutcome.ANSWERED,
    status="Accepted",
    error_code=None,
    duration_seconds=0.5,
)
UNMATCHED: Final = RecordUnmatched(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, kind="stop", claimed_transaction_id=99
)
TAMPERED: Final = SecurityEventReceived(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, type="TamperDetected", occurred_at=NOW, tech_info=None
)
DEVICE_EVENT: Final = DeviceEventReceived(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    kind="variable",
    event_id=12,
    occurred_at=NOW,
    subject="Connector@1.2.Problem",
    component="Connector",
    component_instance=None,
    evse_id=1,
    connector_id=2,
    variable="Problem",
    variable_instance=None,
    value="true",
    trigger="Alerting",
    severity=3,
    cleared=False,
    tech_code="C-7",
    tech_info=None,
    ocpp_transaction_id=None,
)
REPORTED: Final = ReportReceived(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, kind="firmware", status="Downloaded"
)
FILED: Final = FileReceived(
    charge_point_id=IDENTITY, correlation_id=FLOW, at=NOW, upload_id=1, name="diagnostics.zip", size_bytes=1000
)
REQUESTED: Final = CertificateRequested(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    certificate_id=1,
    subject="CN=CP-1",
    key_type="EC P-256",
    approved_by=None,
)
ISSUED: Final = CertificateIssued(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    certificate_id=1,
    subject="CN=CP-1",
    serial_number="1A2B",
    approved_by=Approval.OPERATOR,
    expires_at=NOW + timedelta(days=365),
)
INSTALLED: Final = CertificateInstalled(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    certificate_id=1,
    subject="CN=CP-1",
    serial_number="1A2B",
    accepted=True,
)
REJECTED: Final = CertificateRejected(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    certificate_id=None,
    subject="CN=CP-2",
    reason="its CN is another's",
)
REVOKED: Final = CertificateRevoked(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    certificate_id=1,
    subject="CN=CP-1",
    serial_number="1A2B",
    reason="stolen",
)
ROLLED_OUT: Final = RollOutProgressed(
    charge_point_id=IDENTITY,
    correlation_id=FLOW,
    at=NOW,
    step=RollOutStage.INSTALL_ROOT,
    state=StepState.DONE,
    answer="Accepted",
)

EVERY: Final[tuple[Event, ...]] = (
    CONNECTED,
    DISCONNECTED,
    CONNECTION_REFUSED,
    OFFLINE,
    ONLINE,
    BOOTED,
    SETTINGS_CHANGED,
    FORGOTTEN,
    HEARTBEAT,
    PREPARING,
    STARTED,
    MEASURED,
    STOPPED,
    RECOVERED,
    CORRECTED,
    LEARNT,
    RESERVED,
    COMMANDED,
    UNMATCHED,
    TAMPERED,
    DEVICE_EVENT,
    REPORTED,
    FILED,
    REQUESTED,
    ISSUED,
    INSTALLED,
    REJECTED,
    REVOKED,
    ROLLED_OUT,
)
"""One of each kind there is."""
