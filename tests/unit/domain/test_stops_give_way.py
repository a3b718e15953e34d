"""What was guessed, or closed without its stop, gives way to a stop that names it; and kept stops are evidence."""

from __future__ import annotations

import json

from mcpp.domain.closing import close_by_operator
from mcpp.domain.events import RecordUnmatched, TransactionStopped
from mcpp.domain.occasion import OperatorOccasion
from mcpp_generated.db.enums import StopMatch, StopOrigin
from tests.unit.domain.books import Books, energy, minute
from tests.unit.domain.recovery_steps import evidence, look, status, values

OPERATOR = OperatorOccasion("0" * 31 + "1", minute(600))


def test_a_guess_gives_way_to_the_stop_that_names_it(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.stop(-1, meter=2000, at=minute(10))
    event, released = books.stop(transaction_id, meter=2500, at=minute(12)).events
    again = books.stop(transaction_id, meter=2500, at=minute(12))

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stopped_at, closed.evidence) == (2500, minute(12), None)
    assert (closed.stop_origin, closed.stop_match) == (StopOrigin.CHARGER, StopMatch.NAMED)
    assert isinstance(event, TransactionStopped)
    assert (event.supersedes, event.superseded_origin) == (2000, StopOrigin.CHARGER)
    assert isinstance(released, RecordUnmatched)
    assert [kept.claimed_transaction_id for kept in books.unmatched()] == [-1]
    assert again.events == ()


def test_a_guess_that_is_named_later_stays_as_it_is(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.stop(-1, meter=2000, at=minute(10))
    books.stop(transaction_id, meter=2000, at=minute(10))

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stop_match) == (2000, StopMatch.NAMED)
    assert books.unmatched() == []


def test_a_stop_that_gave_way_is_the_one_of_the_other_that_it_fits(books: Books) -> None:
    first = books.start(connector=1, meter=0).value.transaction_id
    books.stop(-1, meter=2000, at=minute(10))
    second = books.start(connector=2, meter=0, at=minute(5), received=minute(11)).value.transaction_id
    events = books.stop(first, meter=4000, at=minute(12)).events

    assert [type(event) for event in events] == [TransactionStopped, TransactionStopped]
    assert [books.transaction(number).meter_stop for number in (first, second)] == [4000, 2000]
    assert books.unmatched() == []


def test_a_guess_does_not_give_way_to_another_guess(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    books.stop(-1, meter=2000, at=minute(10))
    books.stop(-1, meter=2500, at=minute(12))

    assert books.transaction(transaction_id).meter_stop == 2000
    assert len(books.unmatched()) == 1


def test_what_a_person_closed_is_no_candidate_but_gives_way_to_its_name(books: Books) -> None:
    transaction_id = books.start(meter=1000).value.transaction_id
    close_by_operator(books.q, OPERATOR, transaction_id)
    books.stop(-1, meter=2000, at=minute(10))
    by_a_person = books.transaction(transaction_id)
    books.stop(transaction_id, meter=2500, at=minute(12))

    assert (by_a_person.meter_stop, by_a_person.stop_origin) == (1000, StopOrigin.OPERATOR)
    assert books.transaction(transaction_id).meter_stop == 2500


# As evidence.


def keep_for_one_of_two(books: Books) -> tuple[int, int]:
    """A stop that fits two: the first until it's closed by itself, the second as well."""
    first = books.start(connector=1, meter=1000).value.transaction_id
    second = books.start(connector=2, meter=1000).value.transaction_id
    books.stop(-1, meter=2000, at=minute(10), tag="TAG")
    assert len(books.unmatched()) == 1
    return first, second


def test_recovery_takes_the_kept_stop_before_meter_values(books: Books) -> None:
    first, second = keep_for_one_of_two(books)
    books.meter_values(energy(minute(15), "2500"), connector=2, transaction_id=second, received=minute(15))
    books.meter_values(energy(minute(9), "1900"), connector=1, transaction_id=first, received=minute(15))
    status(books, "Available", minute(11), received=minute(20))
    look(books, minute(30))

    closed = books.transaction(first)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_origin) == (2000, minute(10), StopOrigin.RECOVERED)
    assert evidence(books, first)["source"] == "unmatched_stop"
    assert evidence(books, first)["claimed_transaction_id"] == -1
    assert books.unmatched() == []


def test_values_that_come_later_do_not_change_what_the_kept_stop_said(books: Books) -> None:
    first, second = keep_for_one_of_two(books)
    books.meter_values(energy(minute(15), "2500"), connector=2, transaction_id=second, received=minute(15))
    status(books, "Available", minute(11), received=minute(20))
    look(books, minute(30))
    values(books, minute(9.5), "1950", first, received=minute(40))
    look(books, minute(60))

    assert books.transaction(first).meter_stop == 2000


def test_a_kept_stop_that_still_fits_another_is_no_evidence(books: Books) -> None:
    first, _ = keep_for_one_of_two(books)
    status(books, "Available", minute(11), received=minute(20))
    look(books, minute(30))

    assert evidence(books, first)["source"] == "meter_start"
    assert len(books.unmatched()) == 1


def test_the_next_start_takes_the_kept_stop(books: Books) -> None:
    first, second = keep_for_one_of_two(books)
    books.meter_values(energy(minute(15), "2500"), connector=2, transaction_id=second, received=minute(15))
    books.start(connector=1, meter=3000, at=minute(20))

    assert books.transaction(first).meter_stop == 2000
    assert evidence(books, first) == {
        "cause": "next_start",
        "source": "unmatched_stop",
        "next_started_at": "2026-05-01T12:20:00.000Z",
        "next_meter_start": 3000,
        "unmatched_id": 1,
        "claimed_transaction_id": -1,
    }


def test_a_kept_stop_of_after_the_next_start_is_not_the_last_ones(books: Books) -> None:
    first, second = keep_for_one_of_two(books)
    books.meter_values(energy(minute(15), "2500"), connector=2, transaction_id=second, received=minute(15))
    books.start(connector=1, meter=1500, at=minute(5), received=minute(20))

    assert books.transaction(first).meter_stop == 1500
    assert len(books.unmatched()) == 1


def test_a_persons_close_takes_the_kept_stop_and_its_name_takes_it_back(books: Books) -> None:
    first, second = keep_for_one_of_two(books)
    books.meter_values(energy(minute(15), "2500"), connector=2, transaction_id=second, received=minute(15))
    close_by_operator(books.q, OPERATOR, first)
    by_evidence = books.transaction(first)
    books.stop(first, meter=1900, at=minute(9))

    assert (by_evidence.meter_stop, by_evidence.stopped_at) == (2000, minute(10))
    assert json.loads(by_evidence.evidence or "")["source"] == "unmatched_stop"
    assert books.transaction(first).meter_stop == 1900
    assert [kept.claimed_transaction_id for kept in books.unmatched()] == [-1]
