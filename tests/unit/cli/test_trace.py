"""`mcpp trace`: the story of a session, put together from the books and a log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from mcpp_generated.db.enums import StopOrigin, UnmatchedKind
from tests.unit.cli.command import Ended, Mcpp
from tests.unit.cli.ledger import BEGIN, Ledger
from tests.unit.cli.session_log import SessionLog, store_reading
from tests.unit.cli.told import Told, close, story


@pytest.fixture
def told(mcpp: Mcpp, ledger: Ledger) -> Told:
    return Told(mcpp, ledger)


def test_an_uneventful_session(told: Told) -> None:
    told.charge()

    assert (
        told("--timezone", "Europe/Berlin")
        == """\
Transaction 1: CP-1, connector 1, id tag CARD-7
  7.000 kWh in 1 h, from 1.000 kWh to 8.000 kWh
  ended by the charger: Local
  session 00000000000000000000000000000001

Friday, 2026-05-01 (UTC+0200)
13:59:50  charger   abcd0001  StatusNotification: Available → Preparing (2 ms)
14:00:00  charger   abcd0002  StartTransaction: transaction 1 begins at 1.000 kWh for CARD-7 (2 ms)
14:01:00  charger   abcd0003  MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW
14:06:00  charger   abcd0008  MeterValues ×5 in 4 min: 1.100 kWh, 6.6 kW
14:11:00  charger   abcd000d  MeterValues ×5 in 4 min: 1.650 kWh, 6.6 kW
14:16:00  charger   abcd0012  MeterValues ×5 in 4 min: 2.200 kWh, 6.6 kW
14:21:00  charger   abcd0017  MeterValues ×5 in 4 min: 2.750 kWh, 6.6 kW
14:26:00  charger   abcd001c  MeterValues ×5 in 4 min: 3.300 kWh, 6.6 kW
14:31:00  charger   abcd0021  MeterValues ×5 in 4 min: 3.850 kWh, 6.6 kW
14:36:00  charger   abcd0026  MeterValues ×5 in 4 min: 4.400 kWh, 6.6 kW
14:41:00  charger   abcd002b  MeterValues ×5 in 4 min: 4.950 kWh, 6.6 kW
14:46:00  charger   abcd0030  MeterValues ×5 in 4 min: 5.500 kWh, 6.6 kW
14:51:00  charger   abcd0035  MeterValues ×5 in 4 min: 6.050 kWh, 6.6 kW
14:56:00  charger   abcd003a  MeterValues ×4 in 3 min: 6.490 kWh, 6.6 kW
15:00:00  charger   abcd003e  StopTransaction: transaction 1 ends at 8.000 kWh, 7.000 kWh charged, Local (2 ms)

Log: 127 lines read, 127 told of here; it goes from 2026-05-01 13:59:50 to 2026-05-01 15:00:00.
"""
    )


def test_without_a_log_the_books_tell_what_they_have(told: Told) -> None:
    told.charge()

    ended = told.run("--timezone", "UTC")

    assert (ended.code, ended.err) == (0, "")
    assert "12:00:00  charger   books     transaction 1 begins at 1.000 kWh for CARD-7\n" in ended.out
    assert "12:01:00  charger   books     MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW\n" in ended.out
    assert "13:00:00  charger   books     transaction 1 ends at 8.000 kWh, 7.000 kWh charged, Local\n" in ended.out
    assert ended.out.endswith(
        "\nTold from the books alone: connections, commands, errors and plugins are missing without --log FILE.\n"
    )


def test_lost_connections_and_the_values_that_are_missing_for_them(told: Told) -> None:
    told.log.connection(-900, "accepted")
    told.log.started(0, told.id, 1000, "CARD-7")
    for minute in (1, 2, 3, 4, 5, 31, 32, 33):
        told.measure(minute, 1000 + 110 * minute)
    told.log.connection(310, "lost")
    told.log.connection(560, "accepted")
    told.log.connection(700, "lost", charge_point_id="CP-2")
    told.log.connection(9000, "lost")

    assert story(told()) == [
        "StartTransaction: transaction 1 begins at 1.000 kWh for CARD-7 (2 ms)",
        "MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW",
        "connection lost",
        "⋮ no connection for 4 min 10 s",
        "connected from 10.0.0.7",
        "⋮ no meter values for 26 min",
        "MeterValues ×3 in 2 min: 3.630 kWh, 6.6 kW",
        "⋮ no meter values for 27 min",
        "transaction 1 ends at 8.000 kWh, 7.000 kWh charged, Local",
    ]


def test_a_server_that_stops_and_one_that_is_killed(told: Told) -> None:
    told.log.started(0, told.id, 1000, "CARD-7")
    for minute in range(1, 60):
        store_reading(told.q, told.id, BEGIN + timedelta(minutes=minute), wh=1000)
    told.log.add(600, "server_stopping")
    told.log.connection(600.1, "shutdown")
    told.log.add(600.2, "server_stopped")
    told.log.add(630.2, "server_started")
    told.log.connection(640, "accepted")
    told.log.add(1000, "webhook_failing")
    told.log.add(1090, "server_started")
    told.log.stopped(3600, told.id, 8000, 7000, "Local")

    told_of = [line for line in story(told()) if "MeterValues" not in line]

    assert told_of[1:-1] == [
        "server is stopping",
        "connection closed, as the server stops",
        "server stopped",
        "⋮ no server for 30 s",
        "server started",
        "⋮ no connection for 40 s",
        "connected from 10.0.0.7",
        "⋮ the server ended without a word; the log is silent for 1 min 30 s",
        "server started",
    ]


def test_who_did_what(told: Told) -> None:
    by_card = told.log.message(-60, "Authorize", in_session=False)
    preparing = told.log.status(-10, "Preparing", "Available")
    told.log.message(-8, "RemoteStartTransaction", flow=preparing, direction="out", in_session=False)
    told.log.add(
        -7, "auto_start_tried", {"correlation_id": preparing, "tries": 1, "outcome": "rejected", "plugin": "auto_start"}
    )
    told.log.started(0, told.id, 1000, "CARD-7")
    told.log.message(60, "SetChargingProfile", direction="out", error="NotSupported", milliseconds=1500)
    told.log.message(90, "Reset", direction="out", in_session=False)
    asked = told.log.message(100, "UnlockConnector", direction="out")
    request: dict[str, JsonValue] = {"correlation_id": asked, "method": "POST", "path": "/api/v1/x", "status": 200}
    told.log.add(100.1, "http_request", request)
    slow = told.log.message(120, "MeterValues", milliseconds=2400)
    spent = {"database_wait_ms": 2300.0, "database_write_ms": 99.5, "other_ms": 0.2}
    told.log.event(122.4, "slow_message", slow, {"message_id": told.log.lines[-1]["message_id"], "spent": dict(spent)})
    told.log.event(130, "bill", slow, {"plugin": "billing", "amount": "3.20"})
    # Neither another connector's nor what the charger says now and then.
    told.log.message(200, "Heartbeat", in_session=False)
    SessionLog.status(other := SessionLog(BEGIN, "b" * 32, connector_id=2, first_flow=9), 210, "Preparing", "Available")
    told.log.lines += other.lines

    lines = told().splitlines()
    entries = {line[30:]: line[10:28].split() for line in lines if line[:2].isdigit()}

    assert entries["Authorize (2 ms)"] == ["charger", by_card[:8]]
    assert entries["→ RemoteStartTransaction (2 ms)"] == ["plugin", preparing[:8]]
    assert entries["auto_start: asked for a start, try 1: rejected"] == ["plugin", preparing[:8]]
    assert entries["→ SetChargingProfile: refused: NotSupported (1.5 s)"][0] == "operator"
    assert entries["→ Reset (2 ms)"][0] == "operator"
    assert entries["→ UnlockConnector (2 ms)"] == ["operator", asked[:8]]
    assert entries["POST /api/v1/x: 200"] == ["operator", asked[:8]]
    assert entries["MeterValues: slow: database wait 2.3 s, database write 100 ms (2.4 s)"] == ["charger", slow[:8]]
    assert entries["billing: bill amount=3.20"] == ["plugin", slow[:8]]
    assert not any("Heartbeat" in line or "b" * 8 in line for line in lines)
    assert sum("Preparing" in line for line in lines) == 1


def test_an_end_that_its_charger_never_told(told: Told, ledger: Ledger) -> None:
    orphan = ledger.session(started_at=BEGIN + timedelta(hours=2), connector=2, wh=None)
    evidence = json.dumps({"cause": "connector_available", "source": "meter_value", "connector_status": "Available"})
    recovered = StopOrigin.RECOVERED
    close(ledger, orphan, recovered, reason="Other", meter_stop=2100, minutes=130, received_after=50, evidence=evidence)

    ended = told.mcpp("trace", str(orphan))

    words = "its connector was reported free; register and time from the last meter value"
    assert f"  ended by recovery: {words}\n" in ended.out
    assert f"15:00:00  server    books     transaction 2 ends at 2.100 kWh, 1.100 kWh charged; {words}\n" in ended.out


def test_what_is_odd_in_the_books_is_said(told: Told, ledger: Ledger) -> None:
    fell = ledger.session(connector=2, wh=-400)
    running = ledger.session(connector=3, wh=None)
    ledger.q.add_unmatched(
        charge_point_key=told.key,
        kind=UnmatchedKind.STOP,
        ocpp_version="1.6",
        claimed_transaction_id=99,
        payload="{}",
        received_at=BEGIN + timedelta(minutes=30),
    )

    assert "implausible: the register fell, so no energy is counted\n" in told.mcpp("trace", str(fell)).out
    assert "still running, from 1.000 kWh\n" in told.mcpp("trace", str(running)).out
    assert (
        "12:30:00  charger   books     a stop for unknown transaction 99, kept aside as unmatched 1\n" in told.run().out
    )


def test_power_is_summed_over_phases_or_taken_from_the_register(told: Told) -> None:
    told.measure(10, 2000, L1=2300, L2=2300, L3=2400)
    told.log.status(700, "SuspendedEV", "Charging")
    told.measure(20, 3000)

    assert [line for line in story(told()) if line.startswith("MeterValues")] == [
        "MeterValues: 1.000 kWh, 7.0 kW (2 ms)",
        "MeterValues: 2.000 kWh, 6.0 kW (2 ms)",
    ]


def test_a_charge_point_without_a_transaction(told: Told) -> None:
    log = SessionLog(BEGIN, "c" * 32, charge_point_id="Süd 1")
    log.connection(0, "accepted", charge_point_id="Süd 1")
    for minute in range(20):
        log.message(60 * minute, "Heartbeat", in_session=False)
    log.status(1300, "Faulted", "Available", error_code="GroundFailure")
    SessionLog.status(
        other := SessionLog(BEGIN, "d" * 32, charge_point_id="Süd 1", connector_id=2), 1310, "Preparing", ""
    )
    log.lines += other.lines
    told.log.connection(1320, "accepted")
    path = told.mcpp.directory / "server.log"
    path.write_text(log.text() + told.log.text())
    flags = ("trace", "--charge-point", "Süd 1", "--log", "server.log", "--timezone", "UTC")

    both = told.mcpp(*flags)
    one = told.mcpp(*flags, "--connector", "1", "--since", "2026-05-01T12:10", "--until", "2026-05-01T13:00")

    assert (both.code, both.err) == (0, "")
    assert story(both.out) == [
        "connected from 10.0.0.7",
        "Heartbeat ×20 in 19 min",
        "StatusNotification: Available → Faulted, GroundFailure (2 ms)",
        "StatusNotification: Preparing (2 ms)",
    ]
    assert one.out.startswith("Charge point Süd 1, connector 1\n  from 2026-05-01 12:10:00 until 2026-05-01 13:00:00\n")
    assert story(one.out)[-1] == "StatusNotification: Available → Faulted, GroundFailure (2 ms)"
    assert story(one.out)[0].startswith("Heartbeat")


def test_a_charge_points_transactions_come_from_the_books(told: Told) -> None:
    told.charge()

    ended = told.mcpp("trace", "--charge-point", "CP-1", "--log", str(told.log.write(told.mcpp.directory / "a.log")))

    assert "MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW" in story(ended.out)


def test_a_charge_point_that_nobody_knows(told: Told) -> None:
    told.log.add(0, "server_started")
    told.log.write(told.mcpp.directory / "server.log")

    ended = told.mcpp("trace", "--charge-point", "CP-9", "--log", "server.log")

    assert ended == Ended(1, "", f"there is no charge point 'CP-9' in {told.database}, nor in the log\n")


def test_a_log_without_its_database_tells_what_it_has(told: Told) -> None:
    told.log.connection(0, "accepted")
    told.log.write(told.mcpp.directory / "server.log")
    elsewhere = Mcpp(Path(told.mcpp.directory) / "elsewhere")
    elsewhere.directory.mkdir()

    ended = elsewhere("trace", "--charge-point", "CP-1", "--log", "../server.log")

    assert (ended.code, story(ended.out)) == (0, ["connected from 10.0.0.7"])
    assert f"Told from the log alone: database {elsewhere.directory / 'mcpp.db'} does not exist" in ended.out
