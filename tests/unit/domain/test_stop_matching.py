"""Stops find the transaction that they name, else the only one that they fit, else they are nobody's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pytest

from mcpp.domain.events import RecordUnmatched, TransactionStopped
from mcpp.domain.samples import SampleKind
from mcpp_generated.db.enums import StopMatch, StopOrigin
from tests.unit.domain.books import NOW, Books, energy, minute

POWER: Final = SampleKind("Power.Active.Import", "", "kW", "Sample.Periodic", "Outlet", "Raw")

ENDS_OF_TIME: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

NO_ID: Final = (-1, 0, 4711, 2**31, 2**64, -(2**70))


@pytest.mark.parametrize("claimed", NO_ID)
def test_a_stop_without_a_usable_id_ends_the_one_that_fits(books: Books, claimed: int) -> None:
    running = books.start(tag="Tag", meter=1000).value.transaction_id
    books.start(connector=2, tag="OTHER", meter=1000)
    (event,) = books.stop(claimed, at=minute(5), meter=5000, tag="TAG").events
    again = books.stop(claimed, at=minute(5), meter=5000, tag="TAG")

    closed = books.transaction(running)
    assert (closed.stopped_at, closed.meter_stop) == (minute(5), 5000)
    assert (closed.stop_origin, closed.stop_match) == (StopOrigin.CHARGER, StopMatch.GUESSED)
    assert isinstance(event, TransactionStopped)
    assert event.evidence == closed.evidence
    assert json.loads(closed.evidence or "") == {
        "match": "guessed",
        "claimed_transaction_id": claimed,
        "fitted": ["id_tag", "time", "register"],
        "register_from_wh": 1000,
        "register_from_at": "2026-05-01T12:00:00.000Z",
        "register_to_wh": 6000,
    }
    assert again.events == ()
    assert books.unmatched() == []


@pytest.mark.parametrize("sampled_at", ENDS_OF_TIME)
def test_samples_at_the_ends_of_time_cost_no_stop(books: Books, sampled_at: datetime) -> None:
    running = books.start(tag="TAG", meter=1000).value.transaction_id
    books.meter_values(energy(sampled_at, "1500"), transaction_id=running)
    (event,) = books.stop(4711, at=minute(5), meter=5000, tag="TAG").events

    assert isinstance(event, TransactionStopped if sampled_at < NOW else RecordUnmatched)


@pytest.mark.parametrize("at", ENDS_OF_TIME)
def test_a_stop_at_an_end_of_time_ends_the_transaction_that_began_there(books: Books, at: datetime) -> None:
    first = books.start(at=at, meter=1000).value.transaction_id
    books.stop(first, at=at, meter=1100)
    books.start(at=at, tag="NEXT", meter=1200)
    (event,) = books.stop(4711, at=at, meter=1300).events

    assert isinstance(event, TransactionStopped)


def test_another_charge_points_id_counts_as_none(books: Books) -> None:
    foreign = books.start(charger="CP-1").value.transaction_id
    own = books.start(charger="CP-2", meter=1000).value.transaction_id
    books.stop(foreign, charger="CP-2", at=minute(5), meter=2000)

    assert books.transaction(foreign).stopped_at is None
    assert books.transaction(own).meter_stop == 2000


def test_nobody_stops_another_charge_points_transaction(books: Books) -> None:
    transaction_id = books.start(charger="CP-1").value.transaction_id
    books.stop(transaction_id, charger="CP-2", at=minute(5))

    assert books.transaction(transaction_id).stopped_at is None
    assert len(books.unmatched()) == 1


class Told(NamedTuple):
    """What a stop without an id tells of a transaction from 12:00 at 1000 Wh, with 1500 Wh at 12:10 and nothing more.

    At 12:20 it can have taken up to 9166 Wh since: 50 kW over eleven minutes.
    """

    meter: int = 5000
    at: datetime = minute(20)
    tag: str | None = "TAG"
    has_own_time: bool = True


FITTING: Final = {
    "all that is told": Told(),
    "no tag": Told(tag=None),
    "an empty tag": Told(tag=""),
    "a tag in other letter case": Told(tag="tag"),
    "nothing since the last reading": Told(meter=1500),
    "as much as could be": Told(meter=10_666),
    "a moment before the last reading, by another rounding": Told(at=minute(9.5), meter=1500),
    "no time of its own": Told(has_own_time=False),
}
STRAY: Final = {
    "another tag": Told(tag="OTHER"),
    "below the last reading": Told(meter=1499),
    "the register at its start": Told(meter=1000),
    "more than could be": Told(meter=10_667),
    "a hundredfold": Told(meter=500_000),
    "no register": Told(meter=-1),
    "a reset register": Told(meter=0),
    "before the start": Told(at=minute(-1), meter=1500),
    "before the last reading": Told(at=minute(5), meter=1500),
}


def tell(books: Books, told: Told, claimed: int = -1) -> int:
    running = books.start(meter=1000).value.transaction_id
    books.meter_values(energy(minute(10), "1500"), transaction_id=running, received=minute(10))
    # The readings show 3 kW so far; this is what the connector can do.
    books.meter_values(energy(minute(10), "25", POWER), transaction_id=running, received=minute(10))
    books.stop(claimed, meter=told.meter, at=told.at, tag=told.tag, received=minute(20), has_own_time=told.has_own_time)
    return running


@pytest.mark.parametrize("told", FITTING.values(), ids=FITTING)
def test_what_fits(books: Books, told: Told) -> None:
    running = tell(books, told)

    closed = books.transaction(running)
    assert (closed.meter_stop, closed.stopped_at) == (told.meter, told.at)
    assert books.unmatched() == []


@pytest.mark.parametrize("told", STRAY.values(), ids=STRAY)
def test_what_does_not_fit_is_kept_whole(books: Books, told: Told) -> None:
    running = tell(books, told)

    assert books.transaction(running).stopped_at is None
    (kept,) = books.unmatched()
    assert kept.payload.startswith('{"kept": "whole"')


def test_a_stop_that_nobody_fits_is_told_and_kept_once(books: Books) -> None:
    (event,) = books.stop(-1, at=minute(5), tag="TAG").events
    again = books.stop(-1, at=minute(5), tag="TAG")
    in_other_words = books.stop(0, at=minute(5), tag="TAG")

    assert isinstance(event, RecordUnmatched)
    assert again.events == in_other_words.events == ()
    assert len(books.unmatched()) == 1


def test_of_a_stop_that_tells_no_time_every_repeat_is_the_same(books: Books) -> None:
    for received in (5, 6, 8):
        books.stop(-1, at=minute(received), tag="TAG", has_own_time=False)
    books.stop(-1, at=minute(60), tag="TAG", has_own_time=False)

    assert len(books.unmatched()) == 2


# What the connector has shown.


def test_twice_the_power_that_was_reported_is_the_bound(books: Books) -> None:
    running = books.start(meter=1000).value.transaction_id
    books.meter_values(energy(minute(59), "10", POWER), transaction_id=running, received=minute(59))
    books.stop(-1, meter=1000 + 20_334, at=minute(60))
    too_much = books.transaction(running).stopped_at
    books.stop(-1, meter=1000 + 20_333, at=minute(60))

    assert too_much is None
    assert books.transaction(running).meter_stop == 21_333


def test_twice_the_power_between_readings_is_the_bound(books: Books) -> None:
    running = books.start(meter=0).value.transaction_id
    books.meter_values(energy(minute(60), "11000"), transaction_id=running, received=minute(60))
    books.stop(-1, meter=33_367, at=minute(120))
    too_much = books.transaction(running).stopped_at
    books.stop(-1, meter=33_366, at=minute(120))

    assert too_much is None
    assert books.transaction(running).meter_stop == 33_366


def test_twice_the_power_of_earlier_transactions_is_the_bound(books: Books) -> None:
    for hour, wh in enumerate((3000, 11_000, 2000)):
        earlier = books.start(meter=0, at=minute(60 * hour)).value.transaction_id
        books.stop(earlier, meter=wh, at=minute(60 * hour + 60))
    running = books.start(meter=0, at=minute(240)).value.transaction_id
    books.stop(-1, meter=22_367, at=minute(300))
    too_much = books.transaction(running).stopped_at
    books.stop(-1, meter=22_366, at=minute(300))

    assert too_much is None
    assert books.transaction(running).meter_stop == 22_366


# Two connectors with one tag.


def two(books: Books, *, second_meter: int) -> tuple[int, int]:
    first = books.start(connector=1, meter=1000).value.transaction_id
    second = books.start(connector=2, meter=second_meter).value.transaction_id
    return first, second


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_register_tells_two_of_one_tag_apart(books: Books, order: tuple[int, int]) -> None:
    ids = two(books, second_meter=700_000)
    meters = (3000, 702_000)
    for which in order:
        books.stop(-1, meter=meters[which], at=minute(10 + which), tag="TAG")

    assert [books.transaction(number).meter_stop for number in ids] == [3000, 702_000]
    assert books.unmatched() == []


def test_of_two_that_fit_it_is_nobodys(books: Books) -> None:
    ids = two(books, second_meter=1000)
    books.stop(-1, meter=2000, at=minute(10), tag="TAG")

    assert [books.transaction(number).stopped_at for number in ids] == [None, None]
    assert len(books.unmatched()) == 1


@pytest.mark.parametrize("order", [(-1, 2), (2, -1)])
def test_once_one_of_two_is_stopped_the_kept_stop_is_the_others(books: Books, order: tuple[int, int]) -> None:
    """Whichever comes first, the outcome is the same."""
    first, second = two(books, second_meter=1000)
    for which in order:
        if which == -1:
            books.stop(-1, meter=2000, at=minute(10), tag="TAG")
        else:
            books.stop(second, meter=3000, at=minute(11), tag="TAG")

    assert [books.transaction(number).meter_stop for number in (first, second)] == [2000, 3000]
    assert books.transaction(first).stop_match is StopMatch.GUESSED
    assert books.unmatched() == []


# Ids of transactions that are over.


def test_another_stop_for_an_ended_transaction_is_no_repeat(books: Books) -> None:
    ended = books.start(meter=1000).value.transaction_id
    books.stop(ended, meter=4200, at=minute(30))
    (event,) = books.stop(ended, meter=9999, at=minute(40), samples=[energy(minute(40), "9999")]).events

    assert books.transaction(ended).meter_stop == 4200
    assert books.values(ended) == []
    assert isinstance(event, RecordUnmatched)


@pytest.mark.parametrize(("meter", "at"), [(4200, minute(31)), (4201, minute(30))])
def test_time_and_register_make_a_repeat(books: Books, meter: int, at: datetime) -> None:
    ended = books.start(meter=1000).value.transaction_id
    books.stop(ended, meter=4200, at=minute(30))
    books.stop(ended, meter=meter, at=at)

    assert len(books.unmatched()) == 1


def test_a_repeat_that_tells_no_time_is_known_by_its_register(books: Books) -> None:
    ended = books.start(meter=1000).value.transaction_id
    books.stop(ended, meter=4200, at=minute(30), has_own_time=False)
    again = books.stop(ended, meter=4200, at=minute(500), has_own_time=False)

    assert again.events == ()
    assert books.transaction(ended).stopped_at == minute(30)


def test_the_previous_id_is_the_running_ones_where_that_fits(books: Books) -> None:
    previous = books.start(meter=1000).value.transaction_id
    books.stop(previous, meter=4200, at=minute(30))
    running = books.start(meter=4200, at=minute(40)).value.transaction_id
    books.stop(previous, meter=6000, at=minute(60))
    again = books.stop(previous, meter=6000, at=minute(60))

    assert books.transaction(previous).meter_stop == 4200
    assert books.transaction(running).meter_stop == 6000
    assert again.events == ()
    assert books.unmatched() == []


def test_the_id_of_a_recovered_one_is_the_running_ones_where_it_cannot_be_its_own(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    running = books.start(meter=4200, at=minute(40)).value.transaction_id
    books.stop(left, meter=6000, at=minute(60))
    again = books.stop(left, meter=6000, at=minute(60))

    assert books.transaction(left).meter_stop == 4200
    assert books.transaction(running).meter_stop == 6000
    assert again.events == ()


@pytest.mark.parametrize("meter", [3000, 500_000])
def test_a_stop_that_names_a_recovered_one_is_its_own_before_the_next_start(books: Books, meter: int) -> None:
    left = books.start(meter=1000).value.transaction_id
    running = books.start(meter=4200, at=minute(40)).value.transaction_id
    books.stop(left, meter=meter, at=minute(35))

    assert books.transaction(left).meter_stop == meter
    assert books.transaction(running).stopped_at is None


def test_a_stop_that_names_a_recovered_one_and_fits_no_other_is_its_own(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.start(meter=4200, at=minute(40))
    books.stop(left, meter=4100, at=minute(60))

    assert books.transaction(left).meter_stop == 4100


# Recovered ones.


def test_one_that_recovery_closed_is_a_candidate(books: Books) -> None:
    left = books.start(meter=1000).value.transaction_id
    books.start(meter=4200, at=minute(40))
    (event,) = books.stop(-1, meter=3000, at=minute(35), tag="TAG").events

    closed = books.transaction(left)
    assert (closed.meter_stop, closed.stop_match, closed.stop_origin) == (3000, StopMatch.GUESSED, StopOrigin.CHARGER)
    assert isinstance(event, TransactionStopped)
    assert (event.supersedes, event.historic) == (4200, True)


def test_a_stop_after_the_next_start_is_not_the_recovered_ones(books: Books) -> None:
    left = books.start(meter=0).value.transaction_id
    running = books.start(meter=0, at=minute(40)).value.transaction_id
    books.stop(-1, meter=3000, at=minute(45), tag="TAG")

    assert books.transaction(left).stop_origin is StopOrigin.RECOVERED
    assert books.transaction(running).meter_stop == 3000


# Clocks.


def test_clocks_that_stand_at_1970_tell_how_long_it_lasted(books: Books) -> None:
    began = datetime(1970, 1, 1, 0, 1, tzinfo=NOW.tzinfo)
    ended = datetime(1970, 1, 1, 1, 1, tzinfo=NOW.tzinfo)
    running = books.start(meter=0, at=began, received=minute(0)).value.transaction_id
    books.stop(-1, meter=40_000, at=ended, received=minute(0.1))

    assert books.transaction(running).meter_stop == 40_000


def test_a_clock_that_was_set_meanwhile_tells_nothing_of_how_long_it_lasted(books: Books) -> None:
    began = datetime(1970, 1, 1, 0, 1, tzinfo=NOW.tzinfo)
    running = books.start(meter=0, at=began, received=NOW).value.transaction_id
    books.stop(-1, meter=900_000, at=minute(60))
    stray = books.transaction(running).stopped_at
    books.stop(-1, meter=40_000, at=minute(60))

    assert stray is None
    assert books.transaction(running).meter_stop == 40_000


def test_a_clock_that_runs_ahead_matches_what_it_told_before(books: Books) -> None:
    running = books.start(meter=0, at=minute(10**6), received=NOW).value.transaction_id
    books.stop(-1, meter=40_000, at=minute(10**6 + 60), received=minute(1))

    assert books.transaction(running).meter_stop == 40_000


def _asked_for_a_stop(books: Books, waiting: int) -> int:
    """How many statements it takes to end a transaction beside running ones and so many stops that fit none of them."""
    for connector in range(2, 8):
        books.start(connector=connector, tag=f"TAG-{connector}", meter=1000)
    for number in range(waiting):
        # Two running ones have no power to tell them from each other, so it waits.
        books.stop(-1, at=minute(5), meter=1100 + number)
    running = books.start(tag="MINE", meter=0).value.transaction_id
    asked: list[str] = []
    books.connection.set_trace_callback(asked.append)
    books.stop(running, at=minute(9), meter=500, tag="MINE")
    books.connection.set_trace_callback(None)
    assert books.transaction(running).stop_match is StopMatch.NAMED
    assert len(books.unmatched()) == waiting
    return len(asked)


def test_what_is_stored_about_the_running_is_asked_once_for_all_stops_that_wait() -> None:
    """A charger that has fifty of them must not keep others' messages from being stored."""
    assert _asked_for_a_stop(Books(), waiting=50) <= _asked_for_a_stop(Books(), waiting=2)
