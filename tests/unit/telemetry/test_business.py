"""What happened in the business, counted and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.domain.events import Subscriber
from mcpp.telemetry.business import BusinessTelemetry
from mcpp.telemetry.logs.lines import LogLevel
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp_generated.db.enums import Implausible, StopOrigin
from tests import events
from tests.events import FLOW, SESSION
from tests.unit.telemetry.recording import Recording

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

STARTED = replace(events.STARTED, at=NOON, transaction_id=1, connector_id=2, started_at=NOON)
STOPPED = replace(
    events.STOPPED,
    at=NOON,
    transaction_id=1,
    connector_id=2,
    meter_stop=8500,
    energy_wh=7500,
    started_at=NOON,
    stopped_at=NOON + timedelta(hours=1, milliseconds=5),
)
RECOVERED = replace(
    events.RECOVERED,
    transaction_id=2,
    connector_id=2,
    meter_stop=1000,
    energy_wh=0,
    stopped_at=NOON,
    evidence="next_start",
)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1", actions=(), error_codes=(), stop_reasons=("Local", "Other"))


def test_a_transaction_is_told_from_start_to_stop(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        subscriber: Subscriber = BusinessTelemetry(lines, metrics)
        for event in (STARTED, STOPPED, RECOVERED):
            subscriber(event)
    started, stopped, recovered = recording.lines()

    assert list(started)[:4] == ["timestamp", "level", "event", "category"]
    del started["timestamp"]
    assert started == {
        "level": "info",
        "event": "transaction_started",
        "category": "transaction",
        "correlation_id": FLOW,
        "charge_point_id": "CP-1",
        "transaction_id": 1,
        "connector_id": 2,
        "id_tag": "TAG",
        "meter_start": 1000,
        "started_at": "2026-05-01T12:00:00.000Z",
        "session_correlation_id": SESSION,
    }
    assert stopped["event"] == "transaction_stopped"
    assert (stopped["energy_wh"], stopped["reason"], stopped["origin"]) == (7500, "Local", "charger")
    assert stopped["stopped_at"] == "2026-05-01T13:00:00.005Z"
    assert (recovered["event"], recovered["level"], recovered["evidence"]) == (
        "transaction_recovered",
        "warning",
        "next_start",
    )


def test_an_evse_and_the_chargers_own_id_stand_on_the_line_where_there_are_any(
    recording: Recording, metrics: Metrics
) -> None:
    with recording.at() as lines:
        BusinessTelemetry(lines, metrics)(replace(STARTED, evse_id=3, ocpp_transaction_id="ab-12"))
    (line,) = recording.lines()

    assert (line["evse_id"], line["ocpp_transaction_id"], line["transaction_id"]) == (3, "ab-12", 1)


def test_transactions_are_counted(recording: Recording, metrics: Metrics) -> None:
    metrics.transactions_active.set(1)
    with recording.at() as lines:
        business = BusinessTelemetry(lines, metrics)
        for event in (STARTED, STARTED, STOPPED, RECOVERED, replace(STOPPED, reason="made up")):
            business(event)
    get = metrics.registry.get_sample_value

    assert get("mcpp_transactions_active") == 0
    assert get("mcpp_transactions_total", {"event": "started", "reason": ""}) == 2
    assert get("mcpp_transactions_total", {"event": "stopped", "reason": "Local"}) == 1
    assert get("mcpp_transactions_total", {"event": "stopped", "reason": "_OTHER"}) == 1
    assert get("mcpp_transactions_total", {"event": "recovered", "reason": "Other"}) == 1
    assert get("mcpp_transaction_duration_seconds_count") == 3
    assert get("mcpp_transaction_energy_watt_hours_sum") == 15_000


def test_open_transactions_of_a_forgotten_charge_point_are_no_longer_active(
    recording: Recording, metrics: Metrics
) -> None:
    metrics.transactions_active.set(3)
    with recording.at() as lines:
        BusinessTelemetry(lines, metrics)(replace(events.FORGOTTEN, open_transactions=2))

    assert metrics.registry.get_sample_value("mcpp_transactions_active") == 1
    assert recording.line()["event"] == "charge_point_forgotten"


def test_a_late_stop_is_told_with_both_figures_and_counted_no_second_time(
    recording: Recording, metrics: Metrics
) -> None:
    superseding = replace(STOPPED, supersedes=8000, superseded_stopped_at=NOON, superseded_origin=StopOrigin.RECOVERED)
    with recording.at() as lines:
        business = BusinessTelemetry(lines, metrics)
        for event in (STARTED, replace(RECOVERED, transaction_id=1, meter_stop=8000), superseding):
            business(event)
    *_, line = recording.lines()
    get = metrics.registry.get_sample_value

    assert (line["event"], line["level"], line["category"]) == ("transaction_stop_superseded", "warning", "transaction")
    assert (line["meter_stop"], line["stopped_at"]) == (8500, "2026-05-01T13:00:00.005Z")
    assert (line["supersedes"], line["superseded_stopped_at"]) == (8000, "2026-05-01T12:00:00.000Z")
    assert (line["origin"], line["superseded_origin"]) == ("charger", "recovered")
    assert get("mcpp_transactions_active") == 0
    assert get("mcpp_transactions_total", {"event": "recovered", "reason": "Other"}) == 1
    assert get("mcpp_transactions_total", {"event": "stopped", "reason": "Local"}) == 0
    assert get("mcpp_transaction_duration_seconds_count") == 1
    assert get("mcpp_transaction_energy_watt_hours_count") == 1


def test_implausible_energy_and_clocks_set_back_do_not_spoil_the_sums(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        BusinessTelemetry(lines, metrics)(
            replace(
                STOPPED,
                energy_wh=0,
                energy_implausible=True,
                implausible_reason=Implausible.NEGATIVE_ENERGY,
                stopped_at=NOON - timedelta(hours=1),
            )
        )
    get = metrics.registry.get_sample_value

    assert get("mcpp_transaction_energy_watt_hours_count") == 0
    assert get("mcpp_transaction_duration_seconds_sum") == 0


def test_statuses_boots_and_security_events_are_told(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        business = BusinessTelemetry(lines, metrics)
        business(replace(events.PREPARING, status="Faulted", previous_status=None, error_code="GroundFailure"))
        business(replace(events.BOOTED, firmware_version="1.0"))
        business(replace(events.TAMPERED, type="SettingSystemTime", tech_info="password=geheim"))
    status, boot, security = recording.lines()

    assert (status["event"], status["category"]) == ("connector_status_changed", "transaction")
    assert (status["status"], status["error_code"]) == ("Faulted", "GroundFailure")
    assert "previous_status" not in status
    assert (boot["event"], boot["vendor"], boot["firmware_version"]) == ("charge_point_booted", "V", "1.0")
    assert (security["event"], security["level"]) == ("security_event_received", "warning")
    assert (security["type"], security["tech_info"]) == ("SettingSystemTime", "password=***")


def test_what_has_a_message_line_gets_no_second_one(recording: Recording, metrics: Metrics) -> None:
    with recording.at() as lines:
        business = BusinessTelemetry(lines, metrics)
        business(events.HEARTBEAT)
        business(events.MEASURED)

    assert recording.lines() == []


def test_the_level_holds_for_business_too(recording: Recording, metrics: Metrics) -> None:
    with recording.at(LogLevel.WARNING) as lines:
        business = BusinessTelemetry(lines, metrics)
        for event in (STARTED, STOPPED, RECOVERED):
            business(event)

    assert recording.line()["event"] == "transaction_recovered"
    assert metrics.registry.get_sample_value("mcpp_transactions_total", {"event": "started", "reason": ""}) == 1
