"""What is older than what its charger has told goes to its place in the books, and changes nothing that is live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from mcpp.domain.connectors import ReportStatus, report_status
from mcpp.domain.events import (
    ConnectorStatusChanged,
    Event,
    TransactionRecovered,
    TransactionStarted,
    TransactionStopped,
)
from mcpp.domain.memory import Memory
from mcpp.domain.statuses import NO_ERROR, ConnectorStatus
from mcpp_generated.db.enums import StopOrigin
from mcpp_generated.db.models import Connector
from tests.unit.domain.books import Books, energy, minute
from tests.unit.domain.recovery_steps import evidence, is_open, look, session

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def report(books: Books, status: str, at: datetime, received: datetime | None = None) -> Sequence[Event]:
    told = ReportStatus(1, ConnectorStatus(status), NO_ERROR, None, None, None, at)
    return report_status(books.q, books.occasion(at=received or at), told, Memory()).events


def connector(books: Books) -> Connector:
    found = books.q.get_connector(charge_point_key=books.occasion().charge_point_key, evse_id=0, connector_id=1)
    assert found is not None
    return found


# Statuses.


@pytest.mark.parametrize("old", ["Available", "Preparing", "Charging", "Faulted"])
def test_an_old_status_is_not_written_over_a_newer_one(books: Books, old: str) -> None:
    report(books, "Finishing", minute(0))
    events = report(books, old, minute(-600), received=minute(1))

    assert events == ()
    assert (connector(books).status, connector(books).status_at) == ("Finishing", minute(0))
    point = books.q.get_charge_point(identity="CP-1")
    assert point is not None
    assert point.last_status_at == minute(1)


@pytest.mark.parametrize("old", ["Available", "Preparing", "Finishing", "Unavailable"])
def test_a_status_of_before_the_start_is_old(books: Books, old: str) -> None:
    report(books, "Available", minute(-900))
    running = books.start(at=minute(0)).value.transaction_id
    events = report(books, old, minute(-5), received=minute(1))
    look(books, minute(500))

    assert events == ()
    assert connector(books).status == "Available"
    assert is_open(books, running)


@pytest.mark.parametrize("old", ["Preparing", "Charging", "SuspendedEV"])
def test_a_status_of_before_the_stop_is_old(books: Books, old: str) -> None:
    running = books.start(at=minute(0)).value.transaction_id
    books.stop(running, at=minute(60))
    events = report(books, old, minute(30), received=minute(61))

    assert events == ()
    assert connector(books).status is None


def test_a_status_that_is_stamped_a_moment_before_what_it_follows_is_believed(books: Books) -> None:
    report(books, "Preparing", minute(-1))
    running = books.start(at=minute(0)).value.transaction_id
    charging = report(books, "Charging", minute(-0.2), received=minute(0.1))
    books.stop(running, at=minute(60))
    free = report(books, "Available", minute(59.8), received=minute(60.1))

    assert [len(charging), len(free)] == [1, 1]
    assert connector(books).status == "Available"


def test_within_a_second_nothing_is_old(books: Books) -> None:
    report(books, "Preparing", minute(0), received=minute(0))
    (event,) = report(books, "Charging", minute(-0.9 / 60), received=minute(0.01))

    assert isinstance(event, ConnectorStatusChanged)


def test_a_clock_that_ran_ahead_freezes_nothing(books: Books) -> None:
    report(books, "Charging", minute(10**6), received=minute(0))
    (event,) = report(books, "Finishing", minute(5))

    assert isinstance(event, ConnectorStatusChanged)
    assert connector(books).status == "Finishing"


def test_a_clock_that_is_not_set_is_never_old(books: Books) -> None:
    report(books, "Charging", minute(0))
    (event,) = report(books, "Finishing", EPOCH, received=minute(5))

    assert isinstance(event, ConnectorStatusChanged)
    assert connector(books).status == "Finishing"


def test_a_clock_that_was_set_back_is_found_out_by_running_on(books: Books) -> None:
    report(books, "Available", minute(0))
    books.stop(books.start(at=minute(1)).value.transaction_id, at=minute(2))
    first = report(books, "Preparing", minute(-9000), received=minute(10))
    (second,) = report(books, "Charging", minute(-8999), received=minute(11))
    running = books.start(meter=7000, at=minute(-8998), received=minute(12)).value.transaction_id

    assert first == ()
    assert isinstance(second, ConnectorStatusChanged)
    assert connector(books).status == "Charging"
    assert is_open(books, running)


def test_a_queue_of_old_statuses_is_delivered_faster_than_a_clock_runs(books: Books) -> None:
    report(books, "Charging", minute(0))
    events = [
        event
        for number, status in enumerate(["Available", "Preparing", "Available", "Preparing"])
        for event in report(books, status, minute(-9000 + 3 * number), received=minute(1 + number / 60))
    ]

    assert events == []
    assert connector(books).status == "Charging"


def test_an_old_available_speaks_against_the_one_that_began_before_it(books: Books) -> None:
    """The next car is there already; the start before it was never followed by a stop."""
    running = books.start(meter=1000, at=minute(0)).value.transaction_id
    report(books, "Preparing", minute(60))
    report(books, "Available", minute(50), received=minute(61))
    look(books, minute(70))

    assert not is_open(books, running)
    assert connector(books).status == "Preparing"


def test_an_old_available_is_contradicted_by_a_newer_charging(books: Books) -> None:
    running = books.start(meter=1000, at=minute(0)).value.transaction_id
    report(books, "Charging", minute(60))
    report(books, "Available", minute(50), received=minute(61))
    look(books, minute(500))

    assert is_open(books, running)


# Starts.


def book_past(books: Books) -> tuple[int, int, tuple[Event, ...]]:
    """A start of the day before, while another transaction runs."""
    report(books, "Preparing", minute(-1))
    running = books.start(meter=9000, at=minute(0), tag="NEW").value.transaction_id
    past = books.start(meter=1000, at=minute(-1440), received=minute(5), tag="OLD")
    return running, past.value.transaction_id, past.events


def test_an_old_start_closes_nothing_that_runs_and_is_booked_as_over(books: Books) -> None:
    running, past, (started, recovered) = book_past(books)

    assert is_open(books, running)
    assert session(books) == books.transaction(running).session_correlation_id
    booked = books.transaction(past)
    assert (booked.started_at, booked.meter_start, booked.id_tag) == (minute(-1440), 1000, "OLD")
    assert (booked.stop_origin, booked.meter_stop, booked.stopped_at) == (StopOrigin.RECOVERED, 9000, minute(0))
    assert evidence(books, past) == {
        "cause": "next_start",
        "source": "next_start",
        "next_started_at": "2026-05-01T12:00:00.000Z",
        "next_meter_start": 9000,
    }
    assert isinstance(started, TransactionStarted)
    assert isinstance(recovered, TransactionRecovered)
    assert (started.historic, recovered.historic, recovered.supersedes) == (True, True, None)


def test_the_stop_of_an_old_start_is_booked_where_it_belongs(books: Books) -> None:
    running, past, _ = book_past(books)
    (stopped,) = books.stop(past, meter=3000, at=minute(-1400), received=minute(5)).events

    assert isinstance(stopped, TransactionStopped)
    assert (stopped.historic, stopped.energy_wh) == (True, 2000)
    assert is_open(books, running)
    assert session(books) == books.transaction(running).session_correlation_id


def test_the_values_of_an_old_start_are_filed_with_it(books: Books) -> None:
    running, past, _ = book_past(books)
    books.meter_values(energy(minute(-1430), "1500"), transaction_id=past, received=minute(5))
    books.meter_values(energy(minute(-1420), "2000"), received=minute(5))

    assert (books.values(past), books.values(running)) == (["1500", "2000"], [])


def test_a_repeated_old_start_gets_the_same_id(books: Books) -> None:
    _, past, _ = book_past(books)
    again = books.start(meter=1000, at=minute(-1440), received=minute(6), tag="OLD")

    assert again.value.transaction_id == past
    assert again.events == ()


def test_what_lies_between_two_old_starts_is_given_to_nobody_twice(books: Books) -> None:
    running, first, _ = book_past(books)
    second = books.start(meter=4000, at=minute(-700), received=minute(6), tag="OLD").value.transaction_id

    assert [books.transaction(number).meter_stop for number in (first, second)] == [4000, 9000]
    assert is_open(books, running)


def test_an_old_start_after_the_newest_has_ended_is_over_as_well(books: Books) -> None:
    ended = books.start(meter=9000, at=minute(0)).value.transaction_id
    books.stop(ended, meter=9500, at=minute(30))
    past = books.start(meter=1000, at=minute(-1440), received=minute(40)).value.transaction_id

    assert books.transaction(past).stop_origin is StopOrigin.RECOVERED
    assert session(books) is None


def test_an_old_start_that_no_stop_and_no_register_ends_takes_nothing(books: Books) -> None:
    books.start(meter=0, at=minute(0))
    past = books.start(meter=1000, at=minute(-1440), received=minute(5)).value.transaction_id

    assert books.transaction(past).meter_stop == 1000
    assert evidence(books, past)["source"] == "meter_start"


def test_a_queue_that_is_delivered_oldest_first_is_no_history(books: Books) -> None:
    for hour in (1, 2, 3):
        started = books.start(meter=hour * 1000, at=minute(60 * hour), received=minute(600))
        stopped = books.stop(started.value.transaction_id, at=minute(60 * hour + 30), received=minute(600), meter=9000)
        assert [event.historic for event in (*started.events, *stopped.events) if hasattr(event, "historic")] == [
            False,
            False,
        ]


@pytest.mark.parametrize("clock", [EPOCH, minute(10**6)])
def test_a_start_by_a_clock_that_is_wrong_is_of_now(books: Books, clock: datetime) -> None:
    first = books.start(meter=1000, at=minute(0)).value.transaction_id
    second = books.start(meter=2000, at=clock, received=minute(60)).value.transaction_id
    third = books.start(meter=3000, at=minute(120)).value.transaction_id

    assert [is_open(books, number) for number in (first, second, third)] == [False, False, True]
    assert [books.transaction(number).meter_stop for number in (first, second)] == [2000, 3000]


def test_a_start_older_than_a_status_may_be_the_running_one(books: Books) -> None:
    report(books, "Charging", minute(60))
    running = books.start(at=minute(0), received=minute(61)).value.transaction_id

    assert is_open(books, running)
