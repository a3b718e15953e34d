"""The real stop, and values that come late, amend what was recovered."""

from __future__ import annotations

from mcpp.domain.events import TransactionRecovered, TransactionStopped
from mcpp_generated.db.enums import StopOrigin
from tests.unit.domain.books import Books, minute
from tests.unit.domain.recovery_steps import evidence, look, status, values


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
