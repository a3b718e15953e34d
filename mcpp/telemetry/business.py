"""The one subscriber that counts and logs what happened in the business: charge points, connectors, transactions."""

from __future__ import annotations

from dataclasses import fields

from mcpp.domain.events import (
    CardLearnt,
    CertificateInstalled,
    CertificateIssued,
    CertificateRejected,
    CertificateRequested,
    CertificateRevoked,
    ChargePointBooted,
    ChargePointForgotten,
    ChargePointSettingsChanged,
    ConnectorStatusChanged,
    DeviceEventReceived,
    Event,
    FileReceived,
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
from mcpp.ocppj.flow import active_trace_context
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.lines import Line, LineWriter, LogLevel, timestamp
from mcpp.telemetry.logs.redaction import redact_text
from mcpp.telemetry.metrics.definitions import Metrics

_OF_ALL = frozenset(field.name for field in fields(Event))
"""Facts that every event has; they stand in front, or are the line's own time."""


_RARE = frozenset(("historic", "evse_id"))
"""Stand on a line only where they say something: a transaction of the past, a version of OCPP with EVSEs."""


class _Kind:
    """How events of one kind are written."""

    __slots__ = ("category", "facts", "level", "name")

    def __init__(self, kind: type[Event], name: str, level: LogLevel, category: str) -> None:
        self.name = name
        self.level = level
        self.category = category
        self.facts = tuple(field.name for field in fields(kind) if field.name not in _OF_ALL)


# Connections, heartbeats and meter values have a line each as messages and need no second one.
_KINDS: dict[type[Event], _Kind] = {
    kind: _Kind(kind, *written)
    for kind, written in {
        ChargePointBooted: ("charge_point_booted", LogLevel.INFO, "ocpp"),
        ChargePointSettingsChanged: ("charge_point_settings_changed", LogLevel.INFO, "ocpp"),
        ChargePointForgotten: ("charge_point_forgotten", LogLevel.INFO, "ocpp"),
        ConnectorStatusChanged: ("connector_status_changed", LogLevel.INFO, "transaction"),
        TransactionStarted: ("transaction_started", LogLevel.INFO, "transaction"),
        TransactionStopped: ("transaction_stopped", LogLevel.INFO, "transaction"),
        TransactionRecovered: ("transaction_recovered", LogLevel.WARNING, "transaction"),
        TransactionCorrected: ("transaction_corrected", LogLevel.WARNING, "transaction"),
        CardLearnt: ("card_learnt", LogLevel.INFO, "transaction"),
        RecordUnmatched: ("record_unmatched", LogLevel.WARNING, "transaction"),
        SecurityEventReceived: ("security_event_received", LogLevel.WARNING, "ocpp"),
        DeviceEventReceived: ("device_event_received", LogLevel.INFO, "ocpp"),
        ReportReceived: ("report_received", LogLevel.INFO, "ocpp"),
        FileReceived: ("file_received", LogLevel.INFO, "ocpp"),
        ReservationChanged: ("reservation_changed", LogLevel.INFO, "ocpp"),
        CertificateRequested: ("certificate_requested", LogLevel.INFO, "ocpp"),
        CertificateIssued: ("certificate_issued", LogLevel.INFO, "ocpp"),
        CertificateInstalled: ("certificate_installed", LogLevel.INFO, "ocpp"),
        CertificateRejected: ("certificate_rejected", LogLevel.WARNING, "ocpp"),
        CertificateRevoked: ("certificate_revoked", LogLevel.WARNING, "ocpp"),
        RollOutProgressed: ("roll_out_progressed", LogLevel.INFO, "ocpp"),
    }.items()
}

_SUPERSEDED = _Kind(TransactionStopped, "transaction_stop_superseded", LogLevel.WARNING, "transaction")
"""Figures that were reported before have changed: the line has both."""


class BusinessTelemetry:
    """Subscribes to the domain's events."""

    kinds: tuple[type[Event], ...] = tuple(_KINDS)
    """Events that it wants."""

    def __init__(self, lines: LineWriter, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lines = lines

    def __call__(self, event: Event) -> None:
        """Count and write what happened; an event of another kind is nothing to it."""
        kind = _KINDS.get(type(event))
        if kind is None:
            return
        if isinstance(event, TransactionStarted):
            self._metrics.transactions.labels("started", "").inc()
            self._metrics.transactions_active.inc()
        elif isinstance(event, TransactionStopped):
            if event.supersedes is not None:
                # Its transaction was counted when it ended for the first time.
                kind = _SUPERSEDED
            else:
                self._count_end(event, "recovered" if isinstance(event, TransactionRecovered) else "stopped")
        elif isinstance(event, ChargePointForgotten):
            self._metrics.transactions_active.dec(event.open_transactions)
        if self._lines.writes(kind.level):
            self._write(event, kind)

    def _count_end(self, event: TransactionStopped, name: str) -> None:
        metrics = self._metrics
        metrics.transactions.labels(name, event.reason if event.reason in metrics.stop_reasons else OTHER).inc()
        metrics.transactions_active.dec()
        # A charger's clock may be set back while it charges.
        metrics.transaction_duration.observe(max(0.0, (event.stopped_at - event.started_at).total_seconds()))
        if event.implausible_reason is None:
            metrics.transaction_energy.observe(event.energy_wh)
        else:
            metrics.transactions_implausible.labels(event.implausible_reason.value).inc()

    def _write(self, event: Event, kind: _Kind) -> None:
        line: Line = {
            "timestamp": timestamp(),
            "level": kind.level.value,
            "event": kind.name,
            "category": kind.category,
            "correlation_id": event.correlation_id,
        }
        cause = active_trace_context()
        if cause is not None and cause.span_id and cause.correlation_id == event.correlation_id:
            line["trace_id"] = cause.correlation_id
            line["span_id"] = f"{cause.span_id:016x}"
        line["charge_point_id"] = event.charge_point_id
        for fact in kind.facts:
            value: object = getattr(event, fact)
            if value is not None and (value or fact not in _RARE):
                line[fact] = redact_text(value) if isinstance(value, str) else value
        self._lines.write(line)
