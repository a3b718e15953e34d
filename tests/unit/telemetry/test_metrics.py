"""What the server counts of itself, as a scraper reads it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mcpp.ocpp16.errors import COUNTED_AS
from mcpp.ocppj.flow import Direction, Flow, Peer, new_correlation_id
from mcpp.ocppj.frames import CallResult
from mcpp.storage.observer import WriterObserver
from mcpp.telemetry.database import DatabaseTelemetry
from mcpp.telemetry.labels import OTHER
from mcpp.telemetry.logs.message_lines import MessageLines
from mcpp.telemetry.messages import MessageTelemetry
from mcpp.telemetry.metrics.definitions import Children, Metrics
from mcpp.telemetry.sessions import ChargingSessions
from tests.programs import promtool
from tests.unit.telemetry.recording import Recording
from tests.unit.telemetry.scrapes import OPENMETRICS, scrape, text_of, value, values

# INTERFACE.md §5 without the series of charge points: type and labels by name.
ENDS = [(event, reason) for event in ("stopped", "recovered") for reason in ("Local", OTHER)]

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
    "mcpp_incoming_call_queue_depth": ("gauge", set()),
    "mcpp_call_timeouts_total": ("counter", set()),
    "mcpp_plugin_duration_seconds": ("histogram", {"plugin", "hook"}),
    "mcpp_plugin_errors_total": ("counter", {"plugin", "hook"}),
    "mcpp_plugin_events_dropped_total": ("counter", {"plugin", "hook"}),
    "mcpp_plugin_queue_depth": ("gauge", {"plugin"}),
    "mcpp_database_wait_seconds": ("histogram", set()),
    "mcpp_database_queue_depth": ("gauge", set()),
    "mcpp_database_write_duration_seconds": ("histogram", set()),
    "mcpp_database_batch_size": ("histogram", set()),
    "mcpp_database_errors_total": ("counter", set()),
    "mcpp_database_size_bytes": ("gauge", set()),
    "mcpp_log_lines_dropped_total": ("counter", set()),
    "mcpp_spans_total": ("counter", {"outcome"}),
    "mcpp_clock_wrong": ("gauge", set()),
    "mcpp_chore_failures_total": ("counter", {"chore"}),
    "mcpp_stalls_total": ("counter", {"part"}),
    "mcpp_event_loop_lag_seconds": ("histogram", set()),
    "mcpp_unhandled_bytes": ("gauge", set()),
    "mcpp_asyncio_tasks": ("gauge", set()),
    "mcpp_http_request_duration_seconds": ("histogram", {"method", "route", "status"}),
    "mcpp_transactions_active": ("gauge", set()),
    "mcpp_transactions_total": ("counter", {"event", "reason"}),
    "mcpp_transaction_duration_seconds": ("histogram", set()),
    "mcpp_transaction_energy_watt_hours": ("histogram", set()),
    "mcpp_transactions_implausible_total": ("counter", {"reason"}),
}


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    metrics = Metrics(
        version="1.2.3",
        actions={"Heartbeat"},
        error_codes=COUNTED_AS,
        stop_reasons=("Local",),
        connection_outcomes=("accepted", "lost"),
    )
    metrics.watch_connections(lambda: 1)
    metrics.watch_call_queues(lambda: [1, 2])
    metrics.watch_incoming_calls(lambda: [4, 0])
    metrics.watch_database(tmp_path / "mcpp.db")
    metrics.watch_writer(lambda: 6)
    metrics.watch_unhandled(lambda: 9)
    metrics.watch_tasks(lambda: 7)
    metrics.watch_log(lambda: 5)
    metrics.watch_clock(lambda: True)
    metrics.watch_plugins(lambda: {"webhook": 7})
    metrics.watch_spans(lambda: {"exported": 8, "dropped": 0})
    return metrics


def touch_every_label(metrics: Metrics) -> None:
    metrics.connections.labels("accepted").inc()
    metrics.messages.labels("Heartbeat", "in", "call").inc()
    metrics.message_duration.labels("Heartbeat", "in").observe(0.1)
    metrics.errors.labels("in", "GenericError").inc()
    metrics.chore_failures.labels("clock_keeper").inc()
    metrics.stalls.labels("writer").inc()
    metrics.deviations.labels("Heartbeat", "unknown_field").inc()
    metrics.transactions.labels("started", "").inc()
    metrics.http_request_duration.labels("GET", "/healthz", "200").observe(0.1)
    metrics.plugin_duration.labels("auto_start", "server_started").observe(0.1)
    metrics.plugin_errors.labels("auto_start", "server_started").inc()
    metrics.plugin_events_dropped.labels("auto_start", "server_started").inc()


@pytest.mark.parametrize("accept", ["", "text/plain", OPENMETRICS])
async def test_names_types_and_labels_are_as_promised(metrics: Metrics, accept: str) -> None:
    touch_every_label(metrics)
    found = {
        name: (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
        for name, family in (await scrape(metrics, accept)).items()
        if name.startswith("mcpp_")
    }

    assert found == PROMISED


async def test_each_metric_is_explained(metrics: Metrics) -> None:
    families = await scrape(metrics)

    assert all(family.documentation.endswith(".") for name, family in families.items() if "mcpp_" in name)


async def test_promtool_has_nothing_to_say(metrics: Metrics) -> None:
    touch_every_label(metrics)
    checked = promtool("check", "metrics", stdin=(await text_of(metrics)).encode())

    # The field counts energy in Wh.
    hints = [line for line in checked.stderr.decode().splitlines() if 'use base unit "seconds"' not in line]
    assert (hints, checked.stdout) == ([], b"")


async def test_openmetrics_says_the_units(metrics: Metrics) -> None:
    families = await scrape(metrics, OPENMETRICS)

    assert {name: family.unit for name, family in families.items() if family.unit} == {
        "mcpp_start_time_seconds": "seconds",
        "mcpp_ocpp_message_duration_seconds": "seconds",
        "mcpp_plugin_duration_seconds": "seconds",
        "mcpp_database_wait_seconds": "seconds",
        "mcpp_database_write_duration_seconds": "seconds",
        "mcpp_database_size_bytes": "bytes",
        "mcpp_unhandled_bytes": "bytes",
        "mcpp_event_loop_lag_seconds": "seconds",
        "mcpp_http_request_duration_seconds": "seconds",
        "mcpp_transaction_duration_seconds": "seconds",
        "mcpp_transaction_energy_watt_hours": "watt_hours",
    }


async def test_counters_begin_at_zero_for_each_value_of_a_small_closed_set(metrics: Metrics) -> None:
    families = await scrape(metrics)
    codes = sorted({*COUNTED_AS.values(), OTHER})

    assert value(families, "mcpp_call_timeouts_total") == 0
    assert value(families, "mcpp_database_errors_total") == 0
    assert values(families, "mcpp_connections_total") == {"accepted": 0, "lost": 0}
    assert sorted(values(families, "mcpp_ocpp_errors_total", direction="in")) == codes
    assert sorted(values(families, "mcpp_ocpp_errors_total", direction="out")) == codes
    assert set(values(families, "mcpp_transactions_total")) == {
        f"{event}/{reason}" for event, reason in (("started", ""), *ENDS)
    }


async def test_no_creation_times_are_sent(metrics: Metrics) -> None:
    assert "_created" not in await text_of(metrics)
    assert "_created" not in await text_of(metrics, OPENMETRICS)


async def test_the_process_is_described(metrics: Metrics) -> None:
    families = await scrape(metrics)

    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= families.keys()


@pytest.mark.parametrize(
    ("spelled", "counted"),
    [
        ("FormationViolation", "FormationViolation"),
        ("FormatViolation", "FormationViolation"),
        ("OccurenceConstraintViolation", "OccurenceConstraintViolation"),
        ("OccurrenceConstraintViolation", "OccurenceConstraintViolation"),
        ("RpcFrameworkError", "RpcFrameworkError"),
        ("genericerror", OTHER),
        ('"}', OTHER),
        (OTHER, OTHER),
    ],
)
async def test_error_codes_are_a_closed_set_whatever_their_spelling(
    metrics: Metrics, spelled: str, counted: str
) -> None:
    counters = Children(metrics.error_codes, lambda code: metrics.errors.labels("in", code))
    counters[spelled].inc()
    counters[spelled].inc()
    told = values(await scrape(metrics), "mcpp_ocpp_errors_total", direction="in")

    assert {code: count for code, count in told.items() if count} == {counted: 2}


def test_two_servers_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics(version="1", actions=(), error_codes=(), stop_reasons=())
    other.call_timeouts.inc()

    assert metrics.registry.get_sample_value("mcpp_call_timeouts_total") == 0


async def test_an_exemplar_leads_from_a_duration_to_its_flow(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        observer = MessageTelemetry(MessageLines(lines), metrics, ChargingSessions())
        flow = Flow(Peer(1, "CP-1"), Direction.IN, "Heartbeat", "1", new_correlation_id(), time.perf_counter())
        observer.exchanged(flow, CallResult("1", b"{}"), 10)
    samples = (await scrape(metrics, OPENMETRICS))["mcpp_ocpp_message_duration_seconds"].samples
    exemplars = [sample.exemplar.labels for sample in samples if sample.exemplar]

    assert exemplars == [{"trace_id": recording.lines()[0]["correlation_id"]}]


async def test_live_state_is_read_at_scrape_time(metrics: Metrics, tmp_path: Path) -> None:
    families = await scrape(metrics)

    assert value(families, "mcpp_charge_points_connected") == 1
    assert value(families, "mcpp_call_queue_depth") == 3
    assert value(families, "mcpp_incoming_call_queue_depth") == 4
    assert value(families, "mcpp_unhandled_bytes") == 9
    assert value(families, "mcpp_database_queue_depth") == 6
    assert value(families, "mcpp_log_lines_dropped_total") == 5
    assert values(families, "mcpp_plugin_queue_depth") == {"webhook": 7}
    assert values(families, "mcpp_spans_total") == {"exported": 8, "dropped": 0}
    assert value(families, "mcpp_database_size_bytes") == 0

    (tmp_path / "mcpp.db").write_bytes(b"x" * 100)
    (tmp_path / "mcpp.db-wal").write_bytes(b"x" * 11)

    assert value(await scrape(metrics), "mcpp_database_size_bytes") == 111


def test_the_start_is_now(metrics: Metrics) -> None:
    started = metrics.registry.get_sample_value("mcpp_start_time_seconds")

    assert started is not None
    assert abs(time.time() - started) < 60


def test_writes_are_measured_and_failed_ones_told(recording: Recording, metrics: Metrics) -> None:
    get = metrics.registry.get_sample_value
    with recording.at():
        database: WriterObserver = DatabaseTelemetry(metrics)
        database.batch_size.observe(12)
        database.batch_seconds.observe(0.003)
        database.wait_seconds.observe(0.0002)
        database.on_error(OSError("disk full"))

    assert get("mcpp_database_batch_size_sum") == 12
    assert get("mcpp_database_wait_seconds_sum") == 0.0002
    assert get("mcpp_database_write_duration_seconds_bucket", {"le": "0.0025"}) == 0
    assert get("mcpp_database_write_duration_seconds_bucket", {"le": "0.005"}) == 1
    assert get("mcpp_database_errors_total") == 1
    assert {"level": "error", "event": "database_error", "error": "OSError: disk full"}.items() <= (
        recording.line().items()
    )


def test_a_failing_database_is_told_once_a_minute_and_that_it_works_again(
    recording: Recording, metrics: Metrics
) -> None:
    """A full disk fails each batch, many times a second."""
    now = 1000.0
    with recording.at():
        database = DatabaseTelemetry(metrics, lambda: now)
        for _ in range(100):
            database.on_error(OSError("disk full"))
        now += 60
        database.on_error(OSError("disk full"))
        database.on_error(OSError("disk full"))
        database.on_usable_again()
        # Fails now and then: nothing of it within the minute.
        for _ in range(10):
            database.on_error(OSError("disk full"))
            database.on_usable_again()
        now += 60
        database.on_error(OSError("disk full"))

    assert [(line["event"], line["level"], line["failures"]) for line in recording.lines()] == [
        ("database_error", "error", 1),
        ("database_error", "error", 100),
        ("database_usable_again", "info", 1),
        ("database_error", "error", 11),
    ]
    assert metrics.registry.get_sample_value("mcpp_database_errors_total") == 113
