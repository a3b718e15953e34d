"""What was kept aside is filed where an operator says, once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import pytest

from mcpp.domain import assignment, unmatched
from mcpp.domain.assignment import Content
from mcpp.domain.closing import Stop, close_by_operator
from mcpp.domain.errors import Conflict, Unknown
from mcpp.domain.events import Event, TransactionStopped
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import OperatorOccasion, OriginalMessage
from mcpp.domain.samples import Sample
from mcpp.domain.statuses import StopReason
from mcpp_generated.db.enums import StopOrigin, UnmatchedKind
from tests.unit.domain.books import Books, energy, minute

OPERATOR = OperatorOccasion("0" * 31 + "1", minute(600))
STOP = Stop(4200, minute(30), "TAG", StopReason.REMOTE)


def keep_stop(books: Books) -> int:
    """Two transactions of one tag run, so that nobody knows which of them the stop is for."""
    books.start(connector=8, tag="TAG", at=minute(-60))
    books.start(connector=9, tag="TAG", at=minute(-60))
    books.stop(-1, at=minute(30), meter=4200, tag="TAG")
    (kept,) = books.q.list_unmatched(before_id=2**63 - 1, page_size=9)
    assert (kept.charge_point_id, kept.kind, kept.claimed_transaction_id) == ("CP-1", UnmatchedKind.STOP, -1)
    return kept.id


def keep_meter_values(books: Books) -> int:
    books.meter_values(energy(minute(1), "1100"), transaction_id=4711, connector=7)
    (kept,) = books.q.list_unmatched(before_id=2**63 - 1, page_size=9)
    assert kept.kind is UnmatchedKind.METER_VALUES
    return kept.id


def assign(
    books: Books, kept: int, transaction_id: int, *, stop: Stop | None = None, samples: Sequence[Sample] = ()
) -> tuple[Event, ...]:
    def read(version: str, kind: UnmatchedKind, payload: str) -> Content:
        assert payload.startswith('{"kept": "whole"')
        return Content(stop, samples)

    return assignment.assign(books.q, OPERATOR, kept, transaction_id, read).events


def test_a_stop_closes_the_transaction(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(tag="TAG", meter=1000).value.transaction_id
    (event,) = assign(books, kept, transaction_id, stop=STOP, samples=[energy(minute(29), "4100")])

    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stopped_at, closed.stop_reason) == (4200, minute(30), "Remote")
    assert (closed.stop_id_tag, closed.stop_origin) == ("TAG", StopOrigin.OPERATOR)
    assert json.loads(closed.evidence or "") == {"cause": "operator", "source": "unmatched_stop"}
    assert books.values(transaction_id) == ["4100"]
    assert isinstance(event, TransactionStopped)
    assert (event.energy_wh, event.origin) == (3200, StopOrigin.OPERATOR)
    assert books.unmatched() == []


def test_the_chargers_own_stop_makes_an_assigned_one_nobodys_again(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(tag="TAG", meter=1000).value.transaction_id
    assign(books, kept, transaction_id, stop=STOP)
    with pytest.raises(Unknown):
        assign(books, kept, transaction_id, stop=STOP)
    books.stop(transaction_id, meter=4300, at=minute(31))

    assert [record.id for record in books.unmatched()] == [kept]


def test_an_assigned_stop_that_is_repeated_changes_nothing(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(tag="TAG", meter=1000).value.transaction_id
    assign(books, kept, transaction_id, stop=STOP)
    before = books.transaction(transaction_id)
    again = books.stop(-1, at=minute(30), meter=4200, tag="TAG")

    assert again.events == ()
    assert books.transaction(transaction_id) == before
    assert books.unmatched() == []


def test_a_person_knows_better_than_a_guess(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(connector=1, tag="OTHER", meter=1000).value.transaction_id
    books.stop(-1, at=minute(10), meter=2000, tag="OTHER")
    assign(books, kept, transaction_id, stop=STOP)

    assert books.transaction(transaction_id).meter_stop == 4200
    assert [record.claimed_transaction_id for record in books.unmatched()] == [-1]


def test_a_stop_replaces_a_guess_and_the_chargers_own_stop_replaces_it(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(tag="TAG", meter=1000).value.transaction_id
    close_by_operator(books.q, OPERATOR, transaction_id)
    (event,) = assign(books, kept, transaction_id, stop=STOP)
    books.stop(transaction_id, meter=4300, at=minute(31))

    assert isinstance(event, TransactionStopped)
    assert event.supersedes == 1000
    closed = books.transaction(transaction_id)
    assert (closed.meter_stop, closed.stop_origin) == (4300, StopOrigin.CHARGER)


def test_a_stop_after_the_chargers_own_stays_aside(books: Books) -> None:
    kept = keep_stop(books)
    transaction_id = books.start(tag="TAG", meter=1000).value.transaction_id
    books.stop(transaction_id, meter=4000, at=minute(20))
    before = books.transaction(transaction_id)

    with pytest.raises(Conflict, match="stopped by its charger"):
        assign(books, kept, transaction_id, stop=STOP)
    assert books.transaction(transaction_id) == before
    assert books.count("unmatched") == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_meter_values_are_filed_whether_it_runs_or_not(books: Books, stopped: bool) -> None:
    kept = keep_meter_values(books)
    transaction_id = books.start().value.transaction_id
    books.meter_values(energy(minute(1), "1100"), transaction_id=transaction_id)
    if stopped:
        books.stop(transaction_id, at=minute(5))
    assign(books, kept, transaction_id, samples=[energy(minute(1), "1100"), energy(minute(2), "1200")])

    assert books.values(transaction_id) == ["1100", "1200"]
    assert books.count("unmatched") == 0
    assert (books.transaction(transaction_id).stopped_at is not None) == stopped


def test_another_charge_points_transaction_is_refused(books: Books) -> None:
    kept = keep_meter_values(books)
    other = books.start(charger="CP-2").value.transaction_id

    with pytest.raises(Conflict, match="CP-2"):
        assign(books, kept, other, samples=[energy(minute(1), "1")])
    assert books.values(other) == []
    assert books.count("unmatched") == 1


def test_what_is_not_there(books: Books) -> None:
    kept = keep_meter_values(books)

    with pytest.raises(Unknown, match="transaction"):
        assign(books, kept, 4711)
    with pytest.raises(Unknown, match="unmatched"):
        assign(books, kept + 1, 4711)
    with pytest.raises(Unknown, match="unmatched"):
        unmatched.delete(books.q, kept + 1)


def test_it_can_be_forgotten(books: Books) -> None:
    kept = keep_meter_values(books)
    unmatched.delete(books.q, kept)

    assert books.q.get_unmatched(id=kept) is None


def test_what_is_kept_takes_its_size_on_disk_once(books: Books) -> None:
    """That a repeat is known costs no second copy of it."""

    def pages() -> int:
        (count,) = books.connection.execute("PRAGMA page_count").fetchone()
        return int(count)

    (page_size,) = books.connection.execute("PRAGMA page_size").fetchone()
    before = pages()
    for number in range(100):
        message = OriginalMessage("1.6", partial('{{"number": {}, "text": "{}"}}'.format, number, "x" * 10_000))
        for is_new in (True, False):
            events = unmatched.keep_meter_values(books.q, books.occasion("CP-1", minute(1)), 4711, message, Memory())
            assert bool(events) is is_new
    (size,) = books.connection.execute("SELECT sum(payload_bytes) FROM unmatched").fetchone()
    (kept,) = books.connection.execute("SELECT count(*) FROM unmatched").fetchone()

    assert kept == 100
    assert size <= (pages() - before) * page_size < 1.5 * size
