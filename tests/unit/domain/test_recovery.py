"""Orphans are closed by the best evidence, after what spoke against them has stood for the grace period."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy, AuthorizationStatus
from mcpp.domain.charge_points import Boot
from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import Event, TransactionRecovered, TransactionStopped
from mcpp.domain.meter_values import RecordMeterValues, record_meter_values
from mcpp.domain.recovery import close_orphans
from mcpp.domain.transactions import StartTransaction, start_transaction
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import NOW, Books, energy, minute

GRACE = timedelta(minutes=2)
ALWAYS = NOW - timedelta(days=1)
"""Connected for longer than any grace period."""


def status(books: Books, status: str, at: datetime, connector: int = 1, received: datetime | None = None) -> None:
    report = ReportStatus(connector, status, "NoError", None, None, None, at)
    report_status(books.q, books.occasion(at=received or at), report)


def boot(books: Books, at: datetime, *, connect: bool = True) -> None:
    if connect:
        charge_points.connect(books.q, "CP-1", "1.6", at - timedelta(seconds=1), register_unknown=True)
    about = Boot("V", "M", None, None, None, None, None, None, None)
    charge_points.boot(books.q, books.occasion(at=at), about)


def values(books: Books, at: datetime, value: str, transaction_id: int = 0, received: datetime | None = None) -> None:
    command = RecordMeterValues(1, transaction_id, [energy(at, value)], lambda: "{}")
    outcome = record_meter_values(books.q, books.occasion(at=received or at), command, books.kinds)
    books.kinds.update(outcome.value)


def look(books: Books, now: datetime, connected_since: datetime | None = ALWAYS) -> tuple[Event, ...]:
    """What the keeper does, by the clock."""
    connected = {} if connected_since is None else {books.occasion().key: connected_since}
    return close_orphans(books.q, now, GRACE, connected, lambda: "e" * 32).events


def is_open(books: Books, transaction_id: int) -> bool:
    return books.transaction(transaction_id).stopped_at is None


def evidence(books: Books, transaction_id: int) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(books.transaction(transaction_id).evidence or "{}")
    return stored


def session(books: Books) -> str | None:
    connector = books.q.get_connector(charge_point_id=books.occasion().key, evse_id=0, connector_id=1)
    assert connector is not None
    return connector.session_correlation_id


# Available.


def test_an_available_connector_closes_by_the_last_meter_value_after_the_grace_period(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    status(books, "Available", minute(20))
    early = look(books, minute(21.9))
    (event,) = look(books, minute(22))

    assert early == ()
    closed = books.transaction(orphan)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_received_at) == (2100, minute(10), minute(22))
    assert (closed.stop_reason, closed.stop_origin) == ("Other", StopOrigin.RECOVERED)
    assert evidence(books, orphan) == {
        "cause": "connector_available",
        "source": "meter_value",
        "suspicion_at": "2026-05-01T12:20:00.000Z",
        "connector_status": "Available",
        "connector_status_at": "2026-05-01T12:20:00.000Z",
        "grace_seconds": 120,
        "closed_at": "2026-05-01T12:22:00.000Z",
    }
    assert isinstance(event, TransactionRecovered)
    assert (event.charge_point_id, event.energy_wh, event.evidence) == ("CP-1", 1100, closed.evidence)
    assert (event.correlation_id, event.supersedes) == ("e" * 32, None)
    assert session(books) is None
    assert look(books, minute(30)) == ()


def test_without_meter_values_only_the_start_is_left(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    status(books, "Available", minute(20))
    look(books, minute(22))

    closed = books.transaction(orphan)
    assert (closed.meter_stop, closed.stopped_at) == (1000, NOW)
    assert evidence(books, orphan)["source"] == "meter_start"


def test_readings_of_the_idle_connector_are_no_evidence(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    status(books, "Available", minute(20))
    values(books, minute(21), "2150")
    look(books, minute(22))

    closed = books.transaction(orphan)
    assert (closed.meter_stop, closed.stopped_at) == (2100, minute(10))


def test_a_connector_that_stays_available_waits_no_longer(books: Books) -> None:
    orphan = books.start().value.transaction_id
    for at in (20, 21, 21.5):
        status(books, "Available", minute(at))
    look(books, minute(22))

    assert not is_open(books, orphan)


@pytest.mark.parametrize("other", ["Preparing", "Finishing", "Faulted", "Unavailable", "Reserved"])
def test_no_other_status_closes(books: Books, other: str) -> None:
    orphan = books.start().value.transaction_id
    status(books, other, minute(20))
    look(books, minute(500))

    assert is_open(books, orphan)


def test_connector_0_says_nothing(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20), connector=0)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_the_other_connector_says_nothing(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20), connector=2)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_a_status_from_before_the_transaction_says_nothing(books: Books) -> None:
    orphan = books.start(at=minute(10)).value.transaction_id
    status(books, "Available", minute(9), received=minute(11))
    look(books, minute(500))

    assert is_open(books, orphan)


@pytest.mark.parametrize("alive", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_status_of_charging_takes_the_suspicion_back(books: Books, alive: str) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20))
    status(books, alive, minute(21))
    look(books, minute(500))

    assert is_open(books, orphan)


def test_a_status_of_charging_from_before_does_not(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20))
    status(books, "Charging", minute(5), received=minute(21))
    look(books, minute(22))

    assert not is_open(books, orphan)


def test_a_charger_that_stays_away_keeps_its_transaction(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20))
    look(books, minute(50_000), connected_since=None)
    back_at = minute(50_001)
    look(books, back_at + GRACE - timedelta(seconds=1), connected_since=back_at)
    kept = is_open(books, orphan)
    look(books, back_at + GRACE, connected_since=back_at)

    assert kept
    assert not is_open(books, orphan)


def test_a_queue_that_is_being_delivered_gets_its_time(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20))
    for late in range(5):
        values(books, minute(10 + late), str(2000 + late), orphan, received=minute(21 + late))
    look(books, minute(26.9))
    kept = is_open(books, orphan)
    look(books, minute(27))

    assert kept
    assert books.transaction(orphan).meter_stop == 2004


def test_meter_values_that_grow_take_the_suspicion_back(books: Books) -> None:
    orphan = books.start().value.transaction_id
    status(books, "Available", minute(20))
    values(books, minute(20.5), "2000", orphan)
    values(books, minute(21), "2100", orphan)
    look(books, minute(500))

    assert is_open(books, orphan)


@pytest.mark.parametrize("named", [True, False])
def test_a_register_at_rest_does_not(books: Books, named: bool) -> None:
    orphan = books.start().value.transaction_id
    values(books, minute(19), "1990", orphan)
    status(books, "Available", minute(20))
    for at in (20.2, 20.5, 21, 21.5):
        values(books, minute(at), "2000", orphan if named else 0)
    look(books, minute(22))

    assert not is_open(books, orphan)


# Boot.


@pytest.mark.parametrize("afterwards", [None, "Available", "Preparing", "Finishing", "Faulted", "Unavailable"])
def test_after_a_boot_what_is_not_spoken_for_is_closed(books: Books, afterwards: str | None) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    boot(books, minute(20))
    if afterwards:
        status(books, afterwards, minute(20.1))
    look(books, minute(21.9))
    kept = is_open(books, orphan)
    look(books, minute(22))

    assert kept
    assert books.transaction(orphan).meter_stop == 2100
    told = evidence(books, orphan)
    cause = "connector_available" if afterwards == "Available" else "boot"
    assert (told["cause"], told["source"]) == (cause, "meter_value")
    if cause == "boot":
        assert told["suspicion_at"] == "2026-05-01T12:20:00.000Z"


def test_after_a_boot_without_meter_values_only_the_start_is_left(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    boot(books, minute(20))
    look(books, minute(22))

    assert books.transaction(orphan).meter_stop == 1000
    assert (evidence(books, orphan)["cause"], evidence(books, orphan)["source"]) == ("boot", "meter_start")


@pytest.mark.parametrize("alive", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_transaction_that_is_resumed_after_a_boot_goes_on(books: Books, alive: str) -> None:
    orphan = books.start().value.transaction_id
    boot(books, minute(20))
    # Its clock may tell since when, or lag behind by the part of a second that it doesn't spell.
    status(books, alive, minute(19.99), received=minute(20.1))
    look(books, minute(500))

    assert is_open(books, orphan)


def test_meter_values_that_name_it_after_the_boot_speak_for_it(books: Books) -> None:
    orphan = books.start().value.transaction_id
    boot(books, minute(20))
    values(books, minute(21), "2000", orphan)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_meter_values_that_name_nothing_do_not(books: Books) -> None:
    orphan = books.start().value.transaction_id
    values(books, minute(19), "1990", orphan)
    boot(books, minute(20))
    values(books, minute(20.5), "2000")
    values(books, minute(21), "2000")
    look(books, minute(22))

    assert books.transaction(orphan).meter_stop == 1990


def test_charging_that_was_told_before_the_boot_notification_counts(books: Books) -> None:
    orphan = books.start().value.transaction_id
    charge_points.connect(books.q, "CP-1", "1.6", minute(20), register_unknown=True)
    status(books, "Charging", minute(20.1))
    boot(books, minute(20.2), connect=False)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_a_boot_notification_that_was_asked_for_is_no_reboot(books: Books) -> None:
    boot(books, minute(-5))
    orphan = books.start().value.transaction_id
    boot(books, minute(20), connect=False)
    look(books, minute(500))

    assert is_open(books, orphan)


def test_every_open_transaction_of_the_charge_point_is_meant_and_no_others(books: Books) -> None:
    orphans = [books.start(connector=number).value.transaction_id for number in (1, 2)]
    foreign = books.start(charger="CP-2").value.transaction_id
    boot(books, minute(20))
    look(books, minute(22))

    assert [is_open(books, orphan) for orphan in orphans] == [False, False]
    assert is_open(books, foreign)


# Starts.


def test_a_start_closes_what_is_suspected_at_once(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    status(books, "Available", minute(20))
    books.start(meter=3000, at=minute(21))

    assert books.transaction(orphan).meter_stop == 3000
    assert evidence(books, orphan) == {
        "cause": "next_start",
        "source": "next_start",
        "next_started_at": "2026-05-01T12:21:00.000Z",
        "next_meter_start": 3000,
    }
    assert look(books, minute(500)) == ()


@pytest.mark.parametrize("prepared", [True, False])
def test_the_next_session_is_another_one(books: Books, prepared: bool) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    status(books, "Available", minute(20))
    if prepared:
        status(books, "Preparing", minute(20.5))
        status(books, "Preparing", minute(20.6))
    begun = session(books)
    following = books.start(meter=3000, at=minute(21)).value.transaction_id

    first, second = books.transaction(orphan), books.transaction(following)
    assert first.session_correlation_id != second.session_correlation_id
    assert session(books) == second.session_correlation_id
    if prepared:
        assert begun == second.session_correlation_id


def test_a_start_from_the_queue_whose_connector_is_free_by_now_is_suspected(books: Books) -> None:
    status(books, "Available", minute(60))
    orphan = start_late(books, started=minute(10), received=minute(61))
    look(books, minute(63))

    assert evidence(books, orphan)["cause"] == "connector_available"


def test_a_start_from_before_the_last_boot_is_suspected(books: Books) -> None:
    boot(books, minute(60))
    orphan = start_late(books, started=minute(10), received=minute(61))
    look(books, minute(63))

    assert evidence(books, orphan)["cause"] == "boot"


def test_a_start_from_before_the_last_boot_that_was_resumed_is_not(books: Books) -> None:
    boot(books, minute(60))
    status(books, "Charging", minute(60.1))
    orphan = start_late(books, started=minute(10), received=minute(61))
    look(books, minute(500))

    assert is_open(books, orphan)


def start_late(books: Books, *, started: datetime, received: datetime) -> int:
    command = StartTransaction(1, "TAG", 1000, started, None)
    return start_transaction(books.q, books.occasion(at=received), command, books.policy).value.transaction_id


def test_what_is_suspected_does_not_lock_its_tag_out() -> None:
    books = Books(AuthorizationPolicy(deny_concurrent=True))
    books.start(connector=1)
    locked = books.start(connector=2, at=minute(1)).value.authorization.status
    boot(books, minute(20))
    free = books.start(charger="CP-2", at=minute(20.5)).value.authorization.status
    books.connection.close()

    assert (locked, free) == (AuthorizationStatus.CONCURRENT_TX, AuthorizationStatus.ACCEPTED)


# The real stop.


def test_a_stop_within_the_grace_period_is_all_there_is(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    status(books, "Available", minute(20))
    (event,) = books.stop(transaction_id, meter=2900, at=minute(19)).events

    assert isinstance(event, TransactionStopped)
    assert event.supersedes is None
    assert look(books, minute(500)) == ()
    assert books.transaction(transaction_id).stop_origin is StopOrigin.CHARGER


def test_the_late_stop_supersedes_once(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    status(books, "Available", minute(20))
    look(books, minute(22))
    (event,) = books.stop(orphan, meter=2900, at=minute(19)).events
    again = books.stop(orphan, meter=2900, at=minute(19)).events

    closed = books.transaction(orphan)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_origin) == (2900, minute(19), StopOrigin.CHARGER)
    assert closed.evidence is None
    assert isinstance(event, TransactionStopped)
    assert (event.meter_stop, event.supersedes) == (2900, 2100)
    assert (event.superseded_stopped_at, event.superseded_origin) == (minute(10), StopOrigin.RECOVERED)
    assert again == ()
    assert look(books, minute(500)) == ()


def test_values_that_come_late_mend_the_recovery_once_they_have_all_come(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    status(books, "Available", minute(20))
    look(books, minute(22))
    for late in range(3):
        values(books, minute(10 + late), str(2000 + late), orphan, received=minute(30 + late))
    early = look(books, minute(33.9))
    (event,) = look(books, minute(34))

    assert early == ()
    closed = books.transaction(orphan)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_origin) == (2002, minute(12), StopOrigin.RECOVERED)
    assert (evidence(books, orphan)["cause"], evidence(books, orphan)["source"]) == (
        "connector_available",
        "meter_value",
    )
    assert isinstance(event, TransactionRecovered)
    assert (event.meter_stop, event.supersedes) == (2002, 1000)
    assert look(books, minute(500)) == ()


def test_a_stale_id_tells_nothing_new(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    status(books, "Available", minute(20))
    look(books, minute(22))
    before = books.transaction(orphan)
    values(books, minute(40), "2100", orphan)

    assert look(books, minute(500)) == ()
    assert books.transaction(orphan) == before


def test_values_of_the_next_transaction_under_the_old_id_mend_nothing(books: Books) -> None:
    orphan = books.start(meter=1000).value.transaction_id
    values(books, minute(10), "2100", orphan)
    following = books.start(meter=3000, at=minute(60)).value.transaction_id
    books.stop(following, meter=4000, at=minute(70))
    values(books, minute(80), "4000", orphan)

    assert look(books, minute(500)) == ()
    assert books.transaction(orphan).meter_stop == 2100
