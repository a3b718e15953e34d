"""Orphans are closed once their connector has been available for the grace period, and nothing spoke for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mcpp.domain.events import TransactionRecovered
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import NOW, Books, minute
from tests.unit.domain.recovery_steps import GRACE, evidence, is_open, look, session, status, values


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
