"""Transactions that a charge point can be asked about, and one that comes back with another version."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mcpp.domain import recovery
from mcpp.domain.evse_states import ReportedStatus
from mcpp.domain.inquiries import Inquiry, TransactionAnswer, answer_of, take_answer, transactions_to_ask
from mcpp_generated.db.enums import StopOrigin, Suspicion
from mcpp_generated.db.models import Transaction
from tests.unit.domain.books import NOW, minute
from tests.unit.domain.event_books import CHARGING, ENDED, STARTED, UPDATED, EventBooks, begin, end, event, register

GRACE = timedelta(minutes=10)


@pytest.fixture
def books() -> EventBooks:
    return EventBooks()


def doubted(books: EventBooks) -> Transaction:
    """A transaction whose connector reports to be free without its end, 20 minutes ago."""
    books.tell(event(STARTED, 0, begin(0, 1000), state=CHARGING))
    transaction = books.tell_all([event(UPDATED, 20, register(20, 4000))])
    books.report(30, ReportedStatus.AVAILABLE)
    return transaction


def due(books: EventBooks, at: float = 50) -> list[Inquiry]:
    since = {books.occasion().charge_point_key: NOW}
    return transactions_to_ask(books.q, minute(at), GRACE, since)


def close_orphans(books: EventBooks, at: float = 50) -> int:
    since = {books.occasion().charge_point_key: NOW}
    return recovery.close_orphans(books.q, minute(at), GRACE, since, lambda: "c" * 32).value


def answer(books: EventBooks, told: TransactionAnswer, at: float = 50) -> int:
    [inquiry] = due(books, at)
    return len(take_answer(books.q, minute(at), GRACE, inquiry, told, lambda: "c" * 32).events)


def test_what_is_doubted_waits_for_its_charge_points_answer(books: EventBooks) -> None:
    transaction = doubted(books)

    assert due(books, 35) == []
    assert transactions_to_ask(books.q, minute(50), GRACE, {}) == []
    assert due(books) == [Inquiry("CP-1", transaction.id, "tx-1")]
    assert close_orphans(books) == 0


@pytest.mark.parametrize("told", [TransactionAnswer.OVER, TransactionAnswer.UNKNOWN])
def test_one_that_is_over_is_closed_by_evidence(books: EventBooks, told: TransactionAnswer) -> None:
    transaction = doubted(books)

    assert answer(books, told) == 1
    closed = books.transaction(transaction.id)
    assert (closed.stop_origin, closed.energy_wh, closed.stopped_at) == (StopOrigin.RECOVERED, 3000, minute(20))
    own = books.tell_all([event(ENDED, 28, end(28, 4500))], received=51)
    assert (own.stop_origin, own.energy_wh) == (StopOrigin.CHARGER, 3500)


def test_queued_messages_begin_the_grace_period_anew(books: EventBooks) -> None:
    doubted(books)

    assert answer(books, TransactionAnswer.MESSAGES_QUEUED) == 0
    assert due(books, 55) == []
    assert len(due(books, 61)) == 1


def test_one_that_goes_on_is_trusted(books: EventBooks) -> None:
    transaction = doubted(books)

    assert answer(books, TransactionAnswer.ONGOING) == 0
    assert books.transaction(transaction.id).suspicion is None
    assert due(books, 500) == []


def test_an_event_of_later_says_that_it_goes_on_and_an_older_one_that_a_queue_comes(books: EventBooks) -> None:
    transaction = doubted(books)
    books.tell(event(UPDATED, 25, register(25, 4200)), received=45)
    waiting = due(books)
    still_doubted = books.transaction(transaction.id).suspicion
    books.tell(event(UPDATED, 46, register(46, 4900)))

    assert waiting == []
    assert still_doubted is Suspicion.CONNECTOR_AVAILABLE
    assert books.transaction(transaction.id).suspicion is None


def test_the_two_fields_of_an_answer() -> None:
    assert answer_of(ongoing=True, messages_in_queue=True) is TransactionAnswer.ONGOING
    assert answer_of(ongoing=False, messages_in_queue=True) is TransactionAnswer.MESSAGES_QUEUED
    assert answer_of(ongoing=None, messages_in_queue=True) is TransactionAnswer.MESSAGES_QUEUED
    assert answer_of(ongoing=None, messages_in_queue=False) is TransactionAnswer.OVER


def shown(books: EventBooks) -> list[tuple[int, int]]:
    rows = books.q.list_connectors(charge_point_keys=[books.occasion().charge_point_key])
    return [(row.evse_id, row.connector_id) for row in rows]


def test_a_fleet_that_was_moved_from_1_6_by_firmware(books: EventBooks) -> None:
    books.connect("1.6", has_evses=False)
    old = books.start(connector=2).value.transaction_id
    before = shown(books)
    books.connect("2.0.1", has_evses=True, at=minute(5))
    books.report(6, ReportedStatus.AVAILABLE)
    books.tell(event(STARTED, 7, evse=2))
    after = shown(books)

    assert before == [(0, 2)]
    assert after == [(1, 1), (2, 1)]
    assert books.transaction(old).suspicion is Suspicion.VERSION_CHANGE
    assert due(books) == []
    assert close_orphans(books) == 1
    assert books.transaction(old).stop_origin is StopOrigin.RECOVERED


def test_a_probe_of_1_6_before_the_version_that_it_speaks(books: EventBooks) -> None:
    running = books.tell_all([event(STARTED, 0, begin(0, 1000), state=CHARGING)])
    books.connect("1.6", has_evses=False, at=minute(1))
    probed = shown(books)
    doubt = books.transaction(running.id).suspicion
    books.stop(running.id, at=minute(1), meter=1500)
    books.connect("2.0.1", has_evses=True, at=minute(1))
    books.tell(event(UPDATED, 2, register(2, 1200)))

    assert probed == []
    assert doubt is Suspicion.VERSION_CHANGE
    assert shown(books) == [(1, 1)]
    assert books.transaction(running.id).suspicion is None
    assert books.transaction(running.id).stopped_at is None
