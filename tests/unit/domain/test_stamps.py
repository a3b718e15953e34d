"""Stamps that wait to be written are seen by readers until they are in the database, and never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mcpp.domain.stamps import StampBook, Stamps

EARLIER = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LATER = EARLIER + timedelta(seconds=1)


def test_what_is_being_written_is_seen_until_it_is_stored() -> None:
    book = StampBook()
    book.heartbeat_at[1] = EARLIER
    waiting = book.all_waiting()
    assert book.waiting(1) == Stamps(heartbeat_at=EARLIER)
    book.written(waiting)
    assert book.waiting(1) == Stamps()
    assert not book.all_waiting()


def test_what_came_while_others_were_written_waits_on() -> None:
    book = StampBook()
    book.heartbeat_at[1] = book.meter_values_at[1] = EARLIER
    waiting = book.all_waiting()
    book.heartbeat_at[1] = LATER
    book.written(waiting)
    assert book.all_waiting() == {1: Stamps(heartbeat_at=LATER)}
