"""Stops without a usable id, repeats and old messages, as JSON over the wire and into a database file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcpp.domain.events import ConnectorStatusChanged, TransactionStarted, TransactionStopped
from tests.integration.ocpp16 import test_wire
from tests.integration.ocpp16.test_wire import NOW_SPELLED, Central

central = test_wire.central


def start(at: str, *, connector: int = 1, meter: int = 1000, tag: str = "TAG") -> dict[str, Any]:
    return {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": at}


def stop(number: object, at: str, meter: int) -> dict[str, Any]:
    return {"transactionId": number, "meterStop": meter, "timestamp": at, "idTag": "TAG"}


def status(word: str, at: str | None = None) -> dict[str, Any]:
    report = {"connectorId": 1, "errorCode": "NoError", "status": word}
    return report if at is None else report | {"timestamp": at}


@pytest.mark.parametrize("number", [-1, 0, 4711])
async def test_a_stop_without_a_usable_id_is_answered_and_booked(central: Central, number: int) -> None:
    await central.say("StartTransaction", start("2026-04-01T08:00:00Z"))
    for _ in range(2):
        answer = await central.say("StopTransaction", stop(number, "2026-04-01T09:00:00Z", 9000))
        assert answer == {"idTagInfo": {"status": "Accepted"}}

    row = central.row("SELECT meter_stop, stop_origin, stop_match, evidence FROM transactions")
    assert row[:3] == (9000, "charger", "guessed")
    assert json.loads(row[3])["claimed_transaction_id"] == number
    assert central.row("SELECT count(*) FROM unmatched_records") == (0,)


async def test_a_stray_stop_bills_nobody(central: Central) -> None:
    await central.say("StartTransaction", start("2026-04-01T08:00:00Z"))
    await central.say("StopTransaction", stop(-1, "2026-04-01T09:00:00Z", 900_000))

    assert central.row("SELECT meter_stop FROM transactions") == (None,)
    assert central.row("SELECT claimed_transaction_id FROM unmatched_records") == (-1,)


async def test_a_stop_that_names_it_replaces_a_guess(central: Central) -> None:
    await central.say("StartTransaction", start("2026-04-01T08:00:00Z"))
    await central.say("StopTransaction", stop(-1, "2026-04-01T09:00:00Z", 9000))
    await central.say("StopTransaction", stop(1, "2026-04-01T09:10:00Z", 9500))

    assert central.row("SELECT meter_stop, stop_match, evidence FROM transactions") == (9500, "named", None)
    assert central.row("SELECT claimed_transaction_id FROM unmatched_records") == (-1,)


async def test_months_of_old_messages_change_nothing_live(central: Central) -> None:
    await central.say("StatusNotification", status("Charging", "2026-04-01T09:00:05Z"))
    await central.say("StartTransaction", start("2026-04-01T09:00:00Z", meter=50_000))
    central.events.clear()
    await central.say("StatusNotification", status("Preparing", "2026-01-01T08:00:00Z"))
    old = await central.say("StartTransaction", start("2026-01-01T08:00:10Z"))
    await central.say("StopTransaction", stop(old["transactionId"], "2026-01-01T09:00:00Z", 9000))
    await central.say("StatusNotification", status("Available", "2026-01-01T09:01:00Z"))

    assert old["idTagInfo"] == {"status": "Accepted"}
    assert central.row("SELECT id, meter_start, suspicion FROM transactions WHERE stopped_at IS NULL") == (
        1,
        50_000,
        None,
    )
    assert central.row("SELECT meter_stop, stop_match, energy_wh FROM transactions WHERE id = 2") == (
        9000,
        "named",
        8000,
    )
    assert central.row("SELECT status, session_correlation_id IS NOT NULL FROM connectors") == ("Charging", 1)
    assert not any(isinstance(event, ConnectorStatusChanged) for event in central.events)
    told = [event for event in central.events if isinstance(event, TransactionStarted | TransactionStopped)]
    assert len(told) == 3
    assert all(event.historic for event in told)


async def test_a_status_without_a_time_is_of_now(central: Central) -> None:
    await central.say("StatusNotification", status("Charging", NOW_SPELLED))
    await central.say("StatusNotification", status("Finishing"))

    assert central.row("SELECT status FROM connectors") == ("Finishing",)


async def test_values_of_another_central_systems_transaction_are_shown_and_kept_aside(central: Central) -> None:
    value = {"timestamp": "2026-04-01T09:00:00Z", "sampledValue": [{"value": "1200"}]}
    await central.say("MeterValues", {"connectorId": 1, "transactionId": 4711, "meterValue": [value]})

    assert [type(event).__name__ for event in central.events] == ["RecordUnmatched", "MeterValuesReceived"]
    assert central.row("SELECT count(*) FROM connector_samples") == (0,)
