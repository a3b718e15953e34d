"""A story, put together from the database and a log."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import timedelta

from pydantic import JsonValue

from mcpp.domain.digests import digest_of
from mcpp.errors import StartError
from mcpp.server.versions import VOCABULARY
from mcpp.story.json_entries import entry_json
from mcpp.story.model import EVER, ChargePointSubject, Kind, Shortfall, Source, Span
from mcpp.story.records import read_transaction
from mcpp.story.timeline import charge_point_story
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.queries import Queries
from tests.database import BEGIN, Database
from tests.unit.story.charged import Charged, as_text, close, log_files, whats
from tests.unit.story.session_log import SessionLog, store_reading


def test_an_uneventful_session(charged: Charged) -> None:
    charged.charge()

    assert (
        as_text(charged.story(), "Europe/Berlin")
        == """\
Transaction 1: CP-1, connector 1, id tag CARD-7
  7.000 kWh in 1 h, from 1.000 kWh to 8.000 kWh
  ended at the charge point (Local)
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


def test_without_a_log_the_database_has_what_it_has(charged: Charged) -> None:
    charged.charge()

    story = charged.story_without_log()
    text = as_text(story)

    assert story.log is None
    assert "12:00:00  charger   books     transaction 1 begins at 1.000 kWh for CARD-7\n" in text
    assert "12:01:00  charger   books     MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW\n" in text
    assert "13:00:00  charger   books     transaction 1 ends at 8.000 kWh, 7.000 kWh charged, Local\n" in text
    assert text.endswith(
        "\nTold from the books alone: connections, commands, errors and plugins are missing without --log FILE.\n"
    )


def test_lost_connections_and_the_values_that_are_missing_for_them(charged: Charged) -> None:
    charged.log.connection(-900, "accepted")
    charged.log.started(0, charged.id, 1000, "CARD-7")
    for minute in (1, 2, 3, 4, 5, 31, 32, 33):
        charged.measure(minute, 1000 + 110 * minute)
    charged.log.connection(310, "lost")
    charged.log.connection(560, "accepted")
    charged.log.connection(700, "lost", charge_point_id="CP-2")
    charged.log.connection(9000, "lost")

    story = charged.story()

    assert whats(story) == [
        "StartTransaction: transaction 1 begins at 1.000 kWh for CARD-7",
        "MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW",
        "connection lost",
        "no connection for 4 min 10 s",
        "connected from 10.0.0.7",
        "no meter values for 26 min",
        "MeterValues ×3 in 2 min: 3.630 kWh, 6.6 kW",
        "no meter values for 27 min",
        "transaction 1 ends at 8.000 kWh, 7.000 kWh charged, Local",
    ]
    assert [entry.facts.get("seconds") for entry in story.entries if entry.kind is Kind.GAP] == [250.0, 1560.0, 1620.0]


def test_a_server_that_stops_and_one_that_is_killed(charged: Charged) -> None:
    charged.log.started(0, charged.id, 1000, "CARD-7")
    for minute in range(1, 60):
        store_reading(charged.q, charged.id, BEGIN + timedelta(minutes=minute), wh=1000)
    charged.log.add(600, "server_stopping")
    charged.log.connection(600.1, "shutdown")
    charged.log.add(600.2, "server_stopped")
    charged.log.add(630.2, "server_started")
    charged.log.connection(640, "accepted")
    charged.log.add(1000, "webhook_failing")
    charged.log.add(1090, "server_starting")
    charged.log.add(1091, "database_checked")
    charged.log.add(1092, "server_started")
    charged.log.stopped(3600, charged.id, 8000, 7000, "Local")

    happened = [what for what in whats(charged.story()) if "MeterValues" not in what]

    assert happened[1:-1] == [
        "server is stopping",
        "connection closed, as the server stops",
        "server stopped",
        "no server for 30 s",
        "server started",
        "no connection for 40 s",
        "connected from 10.0.0.7",
        "the server ended without a word; the log is silent for 1 min 32 s",
        "server started",
    ]


def test_who_did_what(charged: Charged) -> None:
    log = charged.log
    by_card = log.message(-60, "Authorize", in_session=False)
    preparing = log.status(-10, "Preparing", "Available")
    log.message(-8, "RemoteStartTransaction", flow=preparing, direction="out", in_session=False)
    log.add(
        -7, "auto_start_tried", {"correlation_id": preparing, "tries": 1, "outcome": "rejected", "plugin": "auto_start"}
    )
    log.started(0, charged.id, 1000, "CARD-7")
    log.message(60, "SetChargingProfile", direction="out", error="NotSupported", milliseconds=1500)
    log.message(90, "Reset", direction="out", in_session=False)
    asked = log.message(100, "UnlockConnector", direction="out")
    request: dict[str, JsonValue] = {"correlation_id": asked, "method": "POST", "path": "/api/v1/x", "status": 200}
    log.add(100.1, "http_request", request)
    slow = log.message(120, "MeterValues", milliseconds=2400)
    spent = {"database_wait_ms": 2300.0, "database_write_ms": 99.5, "other_ms": 0.2}
    log.event(122.4, "slow_message", slow, {"message_id": log.lines[-1]["message_id"], "spent": dict(spent)})
    log.event(130, "bill", slow, {"plugin": "billing", "amount": "3.20"})
    # Neither another connector's nor what the charger says now and then.
    log.message(200, "Heartbeat", in_session=False)
    SessionLog.status(other := SessionLog(BEGIN, "b" * 32, connector_id=2, first_flow=9), 210, "Preparing", "Available")
    log.lines += other.lines

    lines = as_text(charged.story()).splitlines()
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


def test_an_event_is_one_entry_with_the_chargers_call_not_with_a_command_of_the_same_flow(charged: Charged) -> None:
    preparing = charged.log.message(-10, "StatusNotification")
    charged.log.message(-9, "RemoteStartTransaction", flow=preparing, direction="out", in_session=False)
    facts: dict[str, JsonValue] = {"status": "Preparing", "previous_status": "Available"}
    charged.log.event(-8, "connector_status_changed", preparing, facts)

    assert whats(charged.story())[:2] == ["StatusNotification: Available → Preparing", "→ RemoteStartTransaction"]


def test_an_end_that_its_charger_never_reported(charged: Charged, database: Database) -> None:
    orphan = database.session(started_at=BEGIN + timedelta(hours=2), connector_id=2, wh=None)
    evidence = json.dumps({"cause": "connector_available", "source": "meter_value", "connector_status": "Available"})
    recovered = StopOrigin.RECOVERED
    close(
        database, orphan, recovered, reason="Other", meter_stop=2100, minutes=130, received_after=50, evidence=evidence
    )

    story = charged.story_without_log(orphan)
    text = as_text(story)

    words = "its connector was reported free; register and time from the last meter value"
    assert f"  ended by recovery: {words}\n" in text
    assert f"15:00:00  server    books     transaction 2 ends at 2.100 kWh, 1.100 kWh charged; {words}\n" in text
    assert story.entries[-1].source is Source.SERVER


def test_what_is_odd_in_the_database_is_said(charged: Charged, database: Database) -> None:
    fell = database.session(connector_id=2, wh=-400)
    running = database.session(connector_id=3, wh=None)
    database.q.add_unmatched_stop(
        charge_point_key=charged.key,
        ocpp_version="1.6",
        claimed_transaction_id=99,
        payload="{}",
        payload_bytes=2,
        payload_digest=digest_of("{}"),
        received_at=BEGIN + timedelta(minutes=30),
        stopped_at=BEGIN + timedelta(minutes=30),
        meter_stop=2000,
        id_tag=None,
        stop_reason="Local",
        transaction_id=None,
    )

    assert "implausible: the register ended below where it began, so no energy is counted\n" in as_text(
        charged.story_without_log(fell)
    )
    assert "still running, from 1.000 kWh\n" in as_text(charged.story_without_log(running))
    assert "12:30:00  charger   books     a stop for unknown transaction 99, kept aside as unmatched 1\n" in as_text(
        charged.story_without_log()
    )


def test_power_is_summed_over_phases_or_taken_from_the_register(charged: Charged) -> None:
    charged.measure(10, 2000, L1=2300, L2=2300, L3=2400)
    charged.log.status(700, "SuspendedEV", "Charging")
    charged.measure(20, 3000)

    assert [what for what in whats(charged.story()) if what.startswith("MeterValues")] == [
        "MeterValues: 1.000 kWh, 7.0 kW",
        "MeterValues: 2.000 kWh, 6.0 kW",
    ]


def test_a_transaction_that_nobody_knows(charged: Charged) -> None:
    assert read_transaction(charged.q, 17, VOCABULARY) is None


def test_a_charge_point_without_a_transaction(charged: Charged) -> None:
    log = SessionLog(BEGIN, "c" * 32, charge_point_id="Süd 1")
    log.connection(0, "accepted", charge_point_id="Süd 1")
    for minute in range(20):
        log.message(60 * minute, "Heartbeat", in_session=False)
    log.status(1300, "Faulted", "Available", error_code="GroundFailure")
    SessionLog.status(
        other := SessionLog(BEGIN, "d" * 32, charge_point_id="Süd 1", connector_id=2), 1310, "Preparing", ""
    )
    charged.log.connection(1320, "accepted")
    text = log.text() + other.text() + charged.log.text()
    window = Span(BEGIN + timedelta(minutes=10), BEGIN + timedelta(hours=1))

    both = charged.story_of_charge_point("Süd 1", text)
    one = charged.story_of_charge_point("Süd 1", text, connector_id=1, span=window)

    assert whats(both) == [
        "connected from 10.0.0.7",
        "Heartbeat ×20 in 19 min",
        "StatusNotification: Available → Faulted, GroundFailure",
        "StatusNotification: Preparing",
    ]
    assert whats(one) == ["Heartbeat ×10 in 9 min", "StatusNotification: Available → Faulted, GroundFailure"]
    assert one is not None
    assert as_text(one).startswith(
        "Charge point Süd 1, connector 1\n  from 2026-05-01 12:10:00 until 2026-05-01 13:00:00\n"
    )


def test_a_charger_with_evses(charged: Charged, database: Database) -> None:
    transaction_id = database.start("CP-2", 1, "", meter_start=-1)
    database.move_to_evse(transaction_id, 2, "ab-12")
    first, second = (SessionLog(BEGIN, str(evse) * 32, charge_point_id="CP-2", evse_id=evse) for evse in (1, 2))
    first.status(10, "Charging", "Preparing")
    second.status(20, "Preparing", "Available")
    old = SessionLog(BEGIN, "e" * 32, charge_point_id="CP-2", connector_id=1)
    old.status(5, "Faulted", "Available")

    session = as_text(charged.story_without_log(transaction_id))
    story = charged.story_of_charge_point("CP-2", old.text() + first.text() + second.text(), evse_id=2)

    title = "Transaction 2: CP-2, EVSE 2, no id tag\n  still running\n  the charger's id ab-12\n"
    assert session.startswith(title)
    assert "transaction 2 begins without a card\n" in session
    assert [what for what in whats(story) if "Status" in what] == ["StatusNotification: Available → Preparing"]
    assert story is not None
    assert as_text(story).startswith("Charge point CP-2, EVSE 2\n")


def test_a_charge_points_transactions_come_from_the_database(charged: Charged) -> None:
    charged.charge()

    story = charged.story_of_charge_point("CP-1", charged.log.text())

    assert "MeterValues ×5 in 4 min: 0.550 kWh, 6.6 kW" in whats(story)


def test_a_charge_point_that_nobody_knows(charged: Charged) -> None:
    charged.log.add(0, "server_started")

    assert charged.story_of_charge_point("CP-9", charged.log.text()) is None


def test_a_log_without_its_database_has_what_it_has(charged: Charged) -> None:
    def unusable() -> AbstractContextManager[Queries]:
        raise StartError("database mcpp.db does not exist")

    charged.log.connection(0, "accepted")
    subject = ChargePointSubject("CP-1", None, EVER)

    story = charge_point_story(unusable, log_files(charged.log.text()), subject, VOCABULARY)

    assert whats(story) == ["connected from 10.0.0.7"]
    assert story is not None
    assert story.database_problem == "database mcpp.db does not exist"
    assert as_text(story).endswith("Told from the log alone: database mcpp.db does not exist.\n")


def test_entries_as_json(charged: Charged) -> None:
    flow = charged.log.message(10, "ChangeAvailability", direction="out", request={"type": "Operative"}, response={})

    command, *others = charged.story(payloads=True).entries[1:]

    assert entry_json(command, payloads=True) == {
        "kind": "command",
        "at": "2026-05-01T12:00:10.000Z",
        "source": "operator",
        "what": "→ ChangeAvailability: Operative",
        "correlation_id": flow,
        "duration_ms": 2.5,
        "facts": {"message_id": "m-0", "action": "ChangeAvailability", "connector_id": 1, "answer": "call_result"},
        "payloads": {"request": {"type": "Operative"}, "response": {}},
    }
    assert "payloads" not in entry_json(command)
    assert [entry_json(entry)["kind"] for entry in others] == ["gap", "booked"]


def test_payloads_are_shown_where_they_are_logged(charged: Charged) -> None:
    charged.log.message(10, "Reset", direction="out", request={"type": "Soft"}, response={"status": "Accepted"})

    assert "request" not in as_text(charged.story())
    lines = [line.strip() for line in as_text(charged.story(payloads=True), payloads=True).splitlines()]
    place = lines.index('request {"type":"Soft"}')
    assert lines[place - 1].endswith("→ Reset: Soft → Accepted (2 ms)")
    assert lines[place + 1] == 'response {"status":"Accepted"}'


def test_what_the_log_does_not_reach_is_said(charged: Charged) -> None:
    charged.measure(30, 4000)
    late = charged.story()
    charged.log.lines.clear()
    charged.log.add(0, "server_started")

    assert late.shortfalls == [Shortfall.LOG_BEGINS_LATE, Shortfall.LOG_ENDS_EARLY]
    assert "The log begins after this session" in as_text(late)
    assert "The log ends before this session" in as_text(late)
    assert charged.story().shortfalls == [Shortfall.SESSION_NOT_LOGGED]
    assert "The log has no line of this session.\n" in as_text(charged.story())
    assert charged.story(payloads=True).shortfalls[-1] is Shortfall.NO_PAYLOADS


def test_a_chargers_own_text_does_not_steer_the_terminal(charged: Charged) -> None:
    charged.log.event(1, "connector_status_changed", charged.log.flow(), {"status": "Faulted", "info": "\x1b[2J\u202e"})

    assert "Faulted, \\u001b[2J\\u202e" in as_text(charged.story())
