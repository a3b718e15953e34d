"""A start whose answer was lost is repeated and gets the same id; one just like an ended transaction's is another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mcpp.domain.closing import close_by_operator
from mcpp.domain.occasion import OperatorOccasion
from mcpp_generated.db.enums import StopMatch
from tests.unit.domain.books import Books, minute

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_start_just_like_one_that_was_stopped_by_its_id_is_another(books: Books) -> None:
    """Clocks stand at 1970, registers begin at 0."""
    first = books.start(meter=0, at=EPOCH, received=minute(0)).value.transaction_id
    books.stop(first, meter=7000, at=EPOCH, received=minute(60))
    second = books.start(meter=0, at=EPOCH, received=minute(120))
    again = books.start(meter=0, at=EPOCH, received=minute(121))
    books.stop(second.value.transaction_id, meter=3000, at=EPOCH, received=minute(180))

    ids = (first, second.value.transaction_id)
    assert first != second.value.transaction_id == again.value.transaction_id
    assert [books.transaction(number).meter_stop for number in ids] == [7000, 3000]
    assert len(second.events) == 1
    assert again.events == ()


@pytest.mark.parametrize("ended_by", ["nothing", "a guess", "recovery", "a person"])
def test_a_repeated_start_gets_its_id_whatever_ended_it_but_its_name(books: Books, ended_by: str) -> None:
    first = books.start(meter=1000).value.transaction_id
    if ended_by == "a guess":
        books.stop(-1, meter=1500, at=minute(5))
    elif ended_by == "recovery":
        books.start(meter=2000, at=minute(30), tag="OTHER")
    elif ended_by == "a person":
        close_by_operator(books.q, OperatorOccasion("0" * 32, minute(30)), first)
    before = books.transaction(first)
    again = books.start(meter=1000, received=minute(40))

    assert again.value.transaction_id == first
    assert again.events == ()
    assert books.transaction(first) == before


def test_after_a_guess_the_id_that_was_learned_late_names_it(books: Books) -> None:
    """The answer to the start was lost, the stop went without an id, and then both were repeated."""
    books.start(meter=1000)
    books.stop(0, meter=1500, at=minute(5))
    learned = books.start(meter=1000, received=minute(6)).value.transaction_id
    books.stop(learned, meter=1500, at=minute(5), received=minute(7))

    assert books.transaction(learned).stop_match is StopMatch.NAMED
    assert books.count("transactions") == 1
    assert books.unmatched() == []


def test_a_start_that_tells_no_time_repeats_the_running_one_for_some_minutes(books: Books) -> None:
    first = books.start(meter=1000, at=minute(0), has_own_time=False).value.transaction_id
    again = books.start(meter=1000, tag="tag", at=minute(9), has_own_time=False).value.transaction_id
    later = books.start(meter=1000, at=minute(30), has_own_time=False).value.transaction_id

    assert first == again != later


@pytest.mark.parametrize("other", [{"meter": 1001}, {"tag": "OTHER"}, {"connector": 2}, {"has_own_time": True}])
def test_what_differs_is_no_repeat(books: Books, other: dict[str, object]) -> None:
    first = books.start(meter=1000, at=minute(0), has_own_time=False).value.transaction_id
    told: dict[str, object] = {"meter": 1000, "at": minute(1), "has_own_time": False} | other
    second = books.start(**told).value.transaction_id  # type: ignore[arg-type]  # a table of keyword arguments

    assert first != second


def test_one_that_told_its_time_is_not_repeated_by_one_that_tells_none(books: Books) -> None:
    first = books.start(meter=1000, at=minute(-1), received=minute(0)).value.transaction_id
    second = books.start(meter=1000, at=minute(1), has_own_time=False).value.transaction_id

    assert first != second
