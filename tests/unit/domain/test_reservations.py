"""The life of a reservation: booked, replaced, used, cancelled, expired by the clock."""

from __future__ import annotations

from datetime import datetime
from itertools import count

import pytest

from mcpp.domain import id_tags, reservations
from mcpp.domain.allotments import allot
from mcpp.domain.events import ReservationChanged, TransactionStarted
from mcpp.domain.occasion import Result
from mcpp.domain.reservations import Reserve, status_at
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL
from mcpp_generated.db.enums import ReservationState
from mcpp_generated.db.models import ReservationRecord
from tests.unit.domain.books import NOW, Books, minute

ACCEPTED = ReservationState.ACCEPTED
USED = ReservationState.USED
CANCELLED = ReservationState.CANCELLED
EXPIRED = ReservationState.EXPIRED
IN_TIME = minute(30)


def book(
    books: Books,
    number: int = 7,
    *,
    charger: str = "CP-1",
    connector: int = 1,
    tag: str = "TAG",
    until: datetime = IN_TIME,
) -> Result[None]:
    return reservations.record(books.q, books.occasion(charger), Reserve(number, connector, tag, "GROUP", until))


def cancel(books: Books, number: int = 7, *, charger: str = "CP-1") -> Result[None]:
    return reservations.cancel(books.q, books.occasion(charger), number)


def expire(books: Books, now: datetime) -> Result[int]:
    ids = (f"{number:032x}" for number in count(1))
    return reservations.expire(books.q, now, lambda: next(ids))


def shown(books: Books) -> list[ReservationRecord]:
    return books.q.list_reservations(before_id=2**63 - 1, page_size=100)


def only(books: Books) -> ReservationRecord:
    (reservation,) = shown(books)
    return reservation


def test_an_accepted_reservation_is_booked_and_told(books: Books) -> None:
    (event,) = book(books).events

    reservation = only(books)
    assert (reservation.reservation_id, reservation.charge_point_id, reservation.connector_id) == (7, "CP-1", 1)
    assert (reservation.id_tag, reservation.parent_id_tag) == ("TAG", "GROUP")
    assert (reservation.expiry_date, reservation.created_at) == (minute(30), NOW)
    assert (reservation.status, reservation.transaction_id) == (ACCEPTED, None)
    assert event == ReservationChanged(
        charge_point_id="CP-1",
        correlation_id="f" * 32,
        at=NOW,
        reservation_id=7,
        connector_id=1,
        id_tag="TAG",
        parent_id_tag="GROUP",
        expiry_date=minute(30),
        status=ACCEPTED,
        transaction_id=None,
    )


@pytest.mark.parametrize("ended", ["cancelled", "expired", "used", "not at all"])
def test_one_with_a_known_id_replaces_it(books: Books, ended: str) -> None:
    """OCPP 1.6 §5.13."""
    book(books, until=minute(5))
    if ended == "cancelled":
        cancel(books)
    elif ended == "expired":
        expire(books, minute(6))
    elif ended == "used":
        books.start(reservation=7)
    book(books, connector=2, tag="OTHER", until=minute(90))

    replaced = only(books)
    assert (replaced.connector_id, replaced.id_tag, replaced.expiry_date) == (2, "OTHER", minute(90))
    assert (replaced.status, replaced.transaction_id) == (ACCEPTED, None)


def test_each_charge_point_has_ids_of_its_own(books: Books) -> None:
    book(books, charger="CP-1")
    book(books, charger="CP-2")
    cancel(books, charger="CP-2")

    assert [(r.charge_point_id, r.status) for r in shown(books)] == [("CP-2", CANCELLED), ("CP-1", ACCEPTED)]
    mine = books.q.list_reservations_of_charge_point(charge_point_id="CP-1", before_id=2**63 - 1, page_size=9)
    assert [r.charge_point_id for r in mine] == ["CP-1"]


def test_a_start_uses_it_once(books: Books) -> None:
    book(books, connector=0)
    outcome = books.start(reservation=7)
    repeated = books.start(reservation=7)
    books.start(connector=2, at=minute(1), reservation=7)

    used = only(books)
    assert (used.status, used.transaction_id) == (USED, outcome.value.transaction_id)
    started, changed = outcome.events
    assert isinstance(started, TransactionStarted)
    assert isinstance(changed, ReservationChanged)
    assert (changed.status, changed.transaction_id) == (USED, outcome.value.transaction_id)
    assert repeated.events == ()


def test_a_repeated_start_does_not_use_what_was_booked_meanwhile(books: Books) -> None:
    books.start(reservation=7)
    book(books)
    books.start(reservation=7)

    assert only(books).status is ACCEPTED


@pytest.mark.parametrize("number", [None, 0, -1, 7, 4711])
def test_no_start_is_refused(books: Books, number: int | None) -> None:
    """The charge point enforces reservations: not even another tag's start on the reserved connector is refused."""
    book(books)
    outcome = books.start(tag="OTHER", reservation=number)

    assert outcome.value.transaction_id > 0
    assert outcome.value.authorization.status.value == "Accepted"
    assert only(books).status is ACCEPTED


@pytest.mark.parametrize("named", [None, -1, 0, 8, 4711])
@pytest.mark.parametrize("connector", [0, 1])
def test_a_reserved_card_uses_its_reservation_whatever_its_start_names(
    books: Books, named: int | None, connector: int
) -> None:
    """MicroOcpp#154, #163. 8 is another's."""
    book(books, connector=connector)
    book(books, 8, connector=2, tag="OTHER")
    transaction_id = books.start(tag="tag", reservation=named).value.transaction_id

    states = {r.reservation_id: (r.status, r.transaction_id) for r in shown(books)}
    assert states == {7: (USED, transaction_id), 8: (ACCEPTED, None)}


@pytest.mark.parametrize(("group", "status"), [("GROUP", USED), ("group", USED), ("ELSE", ACCEPTED), (None, ACCEPTED)])
def test_a_card_of_the_reserving_group_uses_it(books: Books, group: str | None, status: ReservationState) -> None:
    """OCPP 1.6 §5.13: parentIdTag."""
    book(books)
    id_tags.put(books.q, id_tags.StoredTag("SISTER", parent_id_tag=group))
    books.start(tag="SISTER")

    assert only(books).status is status


def test_of_several_that_fit_the_named_one_is_used_else_the_nearest(books: Books) -> None:
    book(books, 5, connector=0, until=minute(10))
    book(books, 6, until=minute(30))
    book(books, 7, until=minute(20))
    book(books, 8, until=minute(40))
    books.start(reservation=8)
    books.start(at=minute(1), reservation=-1)
    books.start(at=minute(2))

    states = {r.reservation_id: r.status for r in shown(books)}
    assert states == {8: USED, 7: USED, 6: USED, 5: ACCEPTED}


@pytest.mark.parametrize("named", [None, -1, 7])
def test_an_old_start_does_not_use_a_reservation_of_now(books: Books, named: int | None) -> None:
    """It was queued offline, and the reservation was made after it."""
    book(books)
    books.start(at=minute(-30), reservation=named)

    assert only(books).status is ACCEPTED


@pytest.mark.parametrize("end", [BEFORE_ALL, AFTER_ALL])
def test_a_clock_at_an_end_of_time_uses_nothing(books: Books, end: datetime) -> None:
    book(books, until=minute(5))
    books.start(at=end)

    assert only(books).status is ACCEPTED


def test_a_clock_some_seconds_behind_does_not_lose_a_reservation(books: Books) -> None:
    book(books)
    books.start(at=minute(-0.5))

    assert only(books).status is USED


@pytest.mark.parametrize("named", [None, -1])
@pytest.mark.parametrize("ended", ["cancelled", "expired", "elsewhere"])
def test_one_that_does_not_hold_is_not_used(books: Books, ended: str, named: int | None) -> None:
    book(books, connector=2 if ended == "elsewhere" else 1, until=minute(5))
    if ended == "cancelled":
        cancel(books)
    books.start(at=minute(6) if ended == "expired" else minute(1), reservation=named)

    assert only(books).status is (CANCELLED if ended == "cancelled" else ACCEPTED)


def test_another_charge_points_start_uses_nothing(books: Books) -> None:
    book(books, charger="CP-1")
    books.start(charger="CP-2", reservation=7)

    assert only(books).status is ACCEPTED


@pytest.mark.parametrize("named", [None, -1, 7])
def test_a_start_that_comes_late_still_used_it(books: Books, named: int | None) -> None:
    """It was queued offline: the reservation held when it began."""
    book(books, until=minute(5))
    expire(books, minute(10))
    transaction_id = books.start(at=minute(4), reservation=named).value.transaction_id

    assert (only(books).status, only(books).transaction_id) == (USED, transaction_id)


def test_a_named_one_is_used_though_it_has_expired_by_the_clock_here(books: Books) -> None:
    """The charge point's word goes over the clock's."""
    book(books, until=minute(5))
    expire(books, minute(5))
    books.start(at=minute(6), reservation=7)

    assert only(books).status is USED


def test_cancelling(books: Books) -> None:
    book(books)
    (event,) = cancel(books).events
    again = cancel(books)
    unknown = cancel(books, 8)

    assert isinstance(event, ReservationChanged)
    assert event.status is CANCELLED
    assert only(books).status is CANCELLED
    assert again.events == unknown.events == ()


def test_a_used_one_is_not_cancelled_any_more(books: Books) -> None:
    book(books)
    books.start(reservation=7)
    cancel(books)

    assert only(books).status is USED


def test_the_clock_ends_it(books: Books) -> None:
    book(books, 7, until=minute(5))
    book(books, 8, until=minute(10))
    too_early = expire(books, minute(4.99))
    outcome = expire(books, minute(5))
    again = expire(books, minute(6))

    assert (too_early.value, outcome.value, again.value) == (0, 1, 0)
    (event,) = outcome.events
    assert isinstance(event, ReservationChanged)
    assert (event.reservation_id, event.status, event.at, event.charge_point_id) == (7, EXPIRED, minute(5), "CP-1")
    assert {r.reservation_id: r.status for r in shown(books)} == {7: EXPIRED, 8: ACCEPTED}


@pytest.mark.parametrize("ending", ["used", "cancelled"])
def test_what_has_ended_does_not_expire(books: Books, ending: str) -> None:
    book(books, until=minute(5))
    if ending == "used":
        books.start(reservation=7)
    else:
        cancel(books)

    assert expire(books, minute(60)).value == 0
    assert only(books).status is (USED if ending == "used" else CANCELLED)


def test_an_overdue_one_is_shown_as_expired_before_that_is_booked(books: Books) -> None:
    book(books, until=minute(5))
    accepted = only(books)
    cancel(books)

    assert status_at(accepted, minute(4)) is ACCEPTED
    assert status_at(accepted, minute(5)) is EXPIRED
    assert status_at(only(books), minute(5)) is CANCELLED


def test_allotted_ids_are_positive_and_never_come_again(books: Books) -> None:
    first = allot(books.q, "reservation")
    book(books, first)
    book(books, first + 1)
    second = allot(books.q, "reservation")
    books.connection.execute("DELETE FROM reservations")
    third = allot(books.q, "reservation")

    assert 0 < first < 2**31
    assert second == first + 2, "a caller's own number is passed over"
    assert third > second


def test_a_purged_transaction_leaves_its_reservation(books: Books) -> None:
    book(books)
    books.start(reservation=7)
    books.connection.execute("DELETE FROM transactions")

    assert (only(books).status, only(books).transaction_id) == (USED, None)
