"""A start closes the orphan before it, and may be one itself if it comes late."""

from __future__ import annotations

from datetime import datetime

import pytest

from mcpp.domain.authorization import AuthorizationPolicy, AuthorizationStatus
from mcpp.domain.memory import Memory
from mcpp.domain.transactions import StartTransaction, start_transaction
from tests.unit.domain.books import Books, minute
from tests.unit.domain.recovery_steps import boot, evidence, is_open, look, session, status


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
    return start_transaction(books.q, books.occasion(at=received), command, books.policy, Memory()).value.transaction_id


def test_what_is_suspected_does_not_lock_its_tag_out() -> None:
    books = Books(AuthorizationPolicy(deny_concurrent=True))
    books.start(connector=1)
    locked = books.start(connector=2, at=minute(1)).value.authorization.status
    boot(books, minute(20))
    free = books.start(charger="CP-2", at=minute(20.5)).value.authorization.status
    books.connection.close()

    assert (locked, free) == (AuthorizationStatus.CONCURRENT_TX, AuthorizationStatus.ACCEPTED)
