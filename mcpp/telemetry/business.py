"""The one subscriber that counts and logs what happened in the business: charge points, connectors, transactions."""

from __future__ import annotations

from dataclasses import fields

from mcpp.domain.events import (
    ChargePointBooted,
    ChargePointForgotten,
    ConnectorStatusChanged,
    Event,
    FileReceived,
    RecordUnmatched,
    ReportReceived,
    ReservationChanged,
    SecurityEventReceived,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.ocppj.flow import active_trace_context
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.lines import Line, LineWriter, LogLevel, timestamp
from mcpp.telemetry.logs.redaction import redact
from mcpp.telemetry.metrics.definitions import Metrics

# Connections, heartbeats and meter values have a line each as messages and need no second one.
_LINES: dict[type[Event], tuple[str, LogLevel, str]] = {
    ChargePointBooted: ("charge_point_booted", LogLevel.INFO, "ocpp"),
    ChargePointForgotten: ("charge_point_forgotten", LogLevel.INFO, "ocpp"),
    ConnectorStatusChanged: ("connector_status_changed", LogLevel.INFO, "transaction"),
    TransactionStarted: ("transaction_started", LogLevel.INFO, "transaction"),
    TransactionStopped: ("transaction_stopped", LogLevel.INFO, "transaction"),
    TransactionRecovered: ("transaction_recovered", LogLevel.WARNING, "transaction"),
    RecordUnmatched: ("record_unmatched", LogLevel.WARNING, "transaction"),
    SecurityEventReceived: ("security_event_received", LogLevel.WARNING, "ocpp"),
    ReportReceived: ("report_received", LogLevel.INFO, "ocpp"),
    FileReceived: ("file_received", LogLevel.INFO, "ocpp"),
    ReservationChanged: ("reservation_changed", LogLevel.INFO, "ocpp"),
}


class BusinessTelemetry:
    """Subscribes to the domain's events."""

    kinds = tuple(_LINES)

    def __init__(self, lines: LineWriter, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lines = lines

    def __call__(self, event: Event) -> None:
        if isinstance(event, TransactionStarted):
            self._metrics.transactions.labels("started", "").inc()
            self._metrics.transactions_active.inc()
        elif isinstance(event, TransactionStopped):
            if event.supersedes is not None:
                # Its transaction was counted when it ended for the first time.
                self._write_superseding(event)
                return
            self._count_end(event, "recovered" if isinstance(event, TransactionRecovered) else "stopped")
        elif isinstance(event, ChargePointForgotten):
            self._metrics.transactions_active.dec(event.open_transactions)
        told = _LINES.get(type(event))
        if told is not None:
            self._write(event, *told)

    def _count_end(self, event: TransactionStopped, name: str) -> None:
        metrics = self._metrics
        metrics.transactions.labels(name, event.reason if event.reason in metrics.stop_reasons else OTHER).inc()
        metrics.transactions_active.dec()
        # A charger's clock may be set back while it charges.
        metrics.transaction_duration.observe(max(0.0, (event.stopped_at - event.started_at).total_seconds()))
        if not event.energy_implausible:
            metrics.transaction_energy.observe(event.energy_wh)

    def _write_superseding(self, event: TransactionStopped) -> None:
        """Figures that were told before have changed: the line has both."""
        self._write(event, "transaction_stop_superseded", LogLevel.WARNING, "transaction")

    def _write(self, event: Event, name: str, level: LogLevel, category: str) -> None:
        if not self._lines.writes(level):
            return
        line: Line = {
            "timestamp": timestamp(),
            "level": level.value,
            "event": name,
            "category": category,
            "correlation_id": event.correlation_id,
        }
        cause = active_trace_context()
        if cause is not None and cause.span_id and cause.correlation_id == event.correlation_id:
            line["trace_id"] = cause.correlation_id
            line["span_id"] = f"{cause.span_id:016x}"
        line["charge_point_id"] = event.charge_point_id
        facts = {field.name: getattr(event, field.name) for field in fields(event) if field.name not in line}
        del facts["at"]
        line.update({fact: redact(value) for fact, value in facts.items() if value is not None})
        self._lines.write(line)
