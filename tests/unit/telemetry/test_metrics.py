"""The scrape as a scraper reads it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from mcpp.ocppj.flow import Peer
from mcpp.ocppj.frames import Call, CallResult
from mcpp.storage.writer import WriterObserver
from mcpp.telemetry.database import DatabaseTelemetry
from mcpp.telemetry.live_state import ChargePointState
from mcpp.telemetry.metrics import Metrics
from mcpp.telemetry.middleware import TelemetryMiddleware
from tests.unit.telemetry.recording import Recording

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

# INTERFACE.md §5, as far as there is a source: type and labels by name.
PROMISED = {
    "mcpp_build_info": ("gauge", {"version", "python_version"}),
    "mcpp_start_time_seconds": ("gauge", set()),
    "mcpp_charge_points_connected": ("gauge", set()),
    "mcpp_connections_total": ("counter", {"outcome"}),
    "mcpp_ocpp_messages_total": ("counter", {"action", "direction", "message_type"}),
    "mcpp_ocpp_message_duration_seconds": ("histogram", {"action", "direction"}),
    "mcpp_ocpp_errors_total": ("counter", {"direction", "code"}),
    "mcpp_contract_deviations_total": ("counter", {"action", "rule"}),
    "mcpp_call_queue_depth": ("gauge", set()),
    "mcpp_call_timeouts_total": ("counter", set()),
    "mcpp_plugin_duration_seconds": ("histogram", {"plugin", "hook"}),
    "mcpp_plugin_errors_total": ("counter", {"plugin", "hook"}),
    "mcpp_plugin_events_dropped_total": ("counter", {"plugin", "hook"}),
    "mcpp_database_write_duration_seconds": ("histogram", set()),
    "mcpp_database_batch_size": ("histogram", set()),
    "mcpp_database_errors_total": ("counter", set()),
    "mcpp_database_size_bytes": ("gauge", set()),
    "mcpp_charge_point_connected": ("gauge", {"charge_point"}),
    "mcpp_charge_point_connected_since_seconds": ("gauge", {"charge_point"}),
    "mcpp_charge_points_not_exported": ("gauge", set()),
    "mcpp_log_lines_dropped_total": ("counter", set()),
    "mcpp_event_loop_lag_seconds": ("histogram", set()),
    "mcpp_transactions_active": ("gauge", set()),
    "mcpp_transactions_total": ("counter", {"event", "reason"}),
    "mcpp_transaction_duration_seconds": ("histogram", set()),
    "mcpp_transaction_energy_watt_hours": ("histogram", set()),
}


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    metrics = Metrics(version="1.2.3", actions={"Heartbeat"}, error_codes=(), stop_reasons=("Local",))
    states = (ChargePointState("CP-1", 1_700_000_000.5), ChargePointState('CP "2"\\', None))
    metrics.watch_charge_points(lambda: states, series_limit=2000)
    metrics.watch_call_queues(lambda: 3)
    metrics.watch_database(tmp_path / "mcpp.db")
    metrics.watch_log(lambda: 5)
    return metrics


def scrape(metrics: Metrics, accept: str = "") -> dict[str, Metric]:
    """Families by name, counters with their `_total`."""
    content_type, body = metrics.render(accept)
    parse = parse_openmetrics if content_type.startswith("application/openmetrics-text") else parse_prometheus
    families = parse(body.decode())
    return {f"{family.name}_total" if family.type == "counter" else family.name: family for family in families}


def touch_every_label(metrics: Metrics) -> None:
    metrics.connections.labels("accepted").inc()
    metrics.messages.labels("Heartbeat", "in", "call").inc()
    metrics.message_duration.labels("Heartbeat", "in").observe(0.1)
    metrics.errors.labels("in", "GenericError").inc()
    metrics.deviations.labels("Heartbeat", "unknown_field").inc()
    metrics.transactions.labels("started", "").inc()
    metrics.plugin_duration.labels("auto_start", "server_started").observe(0.1)
    metrics.plugin_errors.labels("auto_start", "server_started").inc()
    metrics.plugin_events_dropped.labels("auto_start", "server_started").inc()


@pytest.mark.parametrize("accept", ["", "text/plain", OPENMETRICS])
def test_names_types_and_labels_are_as_promised(metrics: Metrics, accept: str) -> None:
    touch_every_label(metrics)
    families = scrape(metrics, accept)
    found = {
        name: (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
        for name, family in families.items()
        if name.startswith("mcpp_")
    }

    assert found == PROMISED


def test_each_metric_is_explained(metrics: Metrics) -> None:
    assert all(family.documentation.endswith(".") for name, family in scrape(metrics).items() if "mcpp_" in name)


def test_counters_without_labels_begin_at_zero_and_no_creation_times_are_sent(metrics: Metrics) -> None:
    _, body = metrics.render()
    lines = body.decode().splitlines()

    assert "mcpp_call_timeouts_total 0.0" in lines
    assert "mcpp_database_errors_total 0.0" in lines
    assert not any("_created" in line for line in lines)


def test_the_process_is_described(metrics: Metrics) -> None:
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= scrape(metrics).keys()


def test_two_servers_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics(version="1", actions=(), error_codes=(), stop_reasons=())
    other.call_timeouts.inc()

    assert metrics.registry.get_sample_value("mcpp_call_timeouts_total") == 0


def test_an_exemplar_leads_from_a_duration_to_its_flow(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        middleware = TelemetryMiddleware(lines, metrics, log_payloads=False)
        flow = middleware.call_received(Peer(1, "CP-1"), Call("1", "Heartbeat", b"{}"), 20)
        middleware.answer_sent(flow, CallResult("1", b"{}"), 10)
    samples = scrape(metrics, OPENMETRICS)["mcpp_ocpp_message_duration_seconds"].samples
    exemplars = [sample.exemplar.labels for sample in samples if sample.exemplar]

    assert exemplars == [{"trace_id": recording.lines()[0]["correlation_id"]}]


def test_live_state_is_read_at_scrape_time(metrics: Metrics, tmp_path: Path) -> None:
    get = metrics.registry.get_sample_value

    assert get("mcpp_charge_points_connected") == 1
    assert get("mcpp_charge_point_connected", {"charge_point": "CP-1"}) == 1
    assert get("mcpp_charge_point_connected", {"charge_point": 'CP "2"\\'}) == 0
    assert get("mcpp_charge_point_connected_since_seconds", {"charge_point": "CP-1"}) == 1_700_000_000.5
    assert get("mcpp_charge_point_connected_since_seconds", {"charge_point": 'CP "2"\\'}) is None
    assert get("mcpp_call_queue_depth") == 3
    assert get("mcpp_log_lines_dropped_total") == 5
    assert get("mcpp_database_size_bytes") == 0

    (tmp_path / "mcpp.db").write_bytes(b"x" * 100)
    (tmp_path / "mcpp.db-wal").write_bytes(b"x" * 11)

    assert get("mcpp_database_size_bytes") == 111


@pytest.mark.parametrize(("limit", "exported", "left_out"), [(2, 2, 3), (5, 5, 0), (9, 5, 0), (0, 0, 0)])
def test_series_per_charge_point_are_limited(limit: int, exported: int, left_out: int) -> None:
    metrics = Metrics(version="1", actions=(), error_codes=(), stop_reasons=())
    states = [ChargePointState(f"CP-{number}", 1.0) for number in range(5)]
    metrics.watch_charge_points(lambda: states, series_limit=limit)
    families = scrape(metrics)

    assert len(families["mcpp_charge_point_connected"].samples) == exported
    assert families["mcpp_charge_points_not_exported"].samples[0].value == left_out
    assert families["mcpp_charge_points_connected"].samples[0].value == 5


def test_the_start_is_now(metrics: Metrics) -> None:
    started = metrics.registry.get_sample_value("mcpp_start_time_seconds")

    assert started is not None
    assert abs(time.time() - started) < 60


def test_writes_are_measured_and_failed_ones_told(recording: Recording, metrics: Metrics) -> None:
    get = metrics.registry.get_sample_value
    with recording.at():
        database: WriterObserver = DatabaseTelemetry(metrics)
        database.on_batch(12, 0.003)
        database.on_error(OSError("disk full"))

    assert get("mcpp_database_batch_size_sum") == 12
    assert get("mcpp_database_write_duration_seconds_bucket", {"le": "0.0025"}) == 0
    assert get("mcpp_database_write_duration_seconds_bucket", {"le": "0.005"}) == 1
    assert get("mcpp_database_errors_total") == 1
    assert {"level": "error", "event": "database_error", "error": "OSError: disk full"}.items() <= (
        recording.line().items()
    )
