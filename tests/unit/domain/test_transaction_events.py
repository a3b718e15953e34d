"""What real chargers with events do, one by one; in any order it's tests/unit/domain/test_event_orders.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mcpp.domain import people, reservations
from mcpp.domain.authorization import AuthorizationPolicy, AuthorizationStatus
from mcpp.domain.event_gaps import Gap
from mcpp.domain.events import ConnectorStatusChanged, MeterValuesReceived, TransactionStarted, TransactionStopped
from mcpp.domain.evse_states import ReportedStatus
from mcpp.domain.statuses import StopReason
from mcpp_generated.db.enums import Implausible, StopOrigin
from tests.unit.domain.books import minute
from tests.unit.domain.event_books import (
    CHARGING,
    CONNECTED,
    ENDED,
    IDLE,
    STARTED,
    UPDATED,
    EventBooks,
    begin,
    end,
    event,
    register,
)


@pytest.fixture
def books() -> EventBooks:
    return EventBooks()


def test_a_session_from_the_cable_to_the_end(books: EventBooks) -> None:
    books.report(-2, ReportedStatus.AVAILABLE)
    books.report(-1, ReportedStatus.OCCUPIED)
    session = books.connector().session_correlation_id
    books.tell(event(STARTED, 0, begin(0, 1000), seq=0, connector=1, tag="TAG", state=CONNECTED))
    books.tell(event(UPDATED, 1, seq=1, state=CHARGING))
    books.tell(event(UPDATED, 31, register(31, 5000), seq=2))
    running = books.connector()
    ended = books.tell_all([event(ENDED, 60, end(60, 8000), seq=3, state=CONNECTED)])
    after_end = books.connector()
    books.report(61, ReportedStatus.AVAILABLE)

    assert session is not None
    assert running.status == "Charging"
    assert running.session_correlation_id == session
    assert (ended.meter_start, ended.meter_stop, ended.energy_wh) == (1000, 8000, 7000)
    assert (ended.started_at, ended.stopped_at, ended.id_tag) == (minute(0), minute(60), "TAG")
    assert (ended.evse_id, ended.connector_id, ended.session_correlation_id) == (1, 1, session)
    assert (after_end.status, after_end.session_correlation_id) == ("Finishing", None)
    told = [
        (change.status, change.reported_status)
        for change in books.published
        if isinstance(change, ConnectorStatusChanged)
    ]
    assert told == [
        ("Available", "Available"),
        ("Preparing", "Occupied"),
        ("Charging", "Occupied"),
        ("Finishing", "Occupied"),
        ("Available", "Available"),
    ]
    [started] = [one for one in books.published if isinstance(one, TransactionStarted)]
    assert (started.ocpp_transaction_id, started.evse_id, started.connector_id) == ("tx-1", 1, 1)
    assert books.gaps(ended) == ()


def test_an_end_that_repeats_the_samples_of_the_beginning(books: EventBooks) -> None:
    books.tell(event(STARTED, 0, begin(0, 1000)))
    ended = books.tell_all([event(ENDED, 60, begin(0, 1000), end(60, 8000))])

    assert (ended.meter_start, ended.meter_stop, ended.energy_wh) == (1000, 8000, 7000)
    assert len(books.values(ended.id)) == 2


def test_events_from_the_queue_after_the_end(books: EventBooks) -> None:
    books.tell(event(STARTED, 0, begin(0, 1000), seq=0, state=CHARGING))
    books.tell(event(ENDED, 60, end(60, 8000), seq=3, state=IDLE))
    books.report(61, ReportedStatus.AVAILABLE)
    late = books.tell_all([event(UPDATED, 30, register(30, 4000), seq=2, state=CHARGING, offline=True)], received=70)

    assert books.connector().status == "Available"
    assert late.stopped_at == minute(60)
    assert (late.meter_stop, late.energy_wh) == (8000, 7000)
    assert books.values(late.id) == ["1000", "4000", "8000"]
    assert [one for one in books.published if isinstance(one, MeterValuesReceived)][-1].historic
    assert books.gaps(late) == (Gap(1, 1),)


def test_a_late_start_mends_the_bill(books: EventBooks) -> None:
    books.tell(event(UPDATED, 30, register(30, 4000), seq=1, state=CHARGING))
    ended = books.tell_all([event(ENDED, 60, end(60, 8000), seq=2)])
    mended = books.tell_all([event(STARTED, 0, begin(0, 1000), seq=0, tag="TAG", offline=True)], received=61)

    assert (ended.energy_wh, ended.id_tag) == (4000, "")
    assert (mended.meter_start, mended.energy_wh, mended.id_tag) == (1000, 7000, "TAG")
    assert mended.started_at == minute(0)
    [first, second] = [one for one in books.published if isinstance(one, TransactionStopped)]
    assert (first.counted_wh, second.superseded_wh, second.counted_wh) == (4000, 4000, 7000)
    [(total,)] = books.connection.execute("SELECT energy_wh FROM charge_points WHERE identity = 'CP-1'")
    assert total == 7000


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_beginning_says_when_it_was_and_else_the_earliest_time(books: EventBooks, order: tuple[int, int]) -> None:
    told = [event(STARTED, 10), event(UPDATED, 9)]
    began = books.tell_all([told[position] for position in order], received=20)
    other = books.tell_all([event(UPDATED, 9, of="tx-2", evse=2), event(ENDED, 30, begin(5, 1000), of="tx-2", evse=2)])

    assert began.started_at == minute(10)
    assert other.started_at == minute(5)


def test_a_count_that_always_stands_at_0_loses_nothing(books: EventBooks) -> None:
    ended = books.tell_all(
        [
            event(STARTED, 0, begin(0, 1000)),
            event(UPDATED, 20, register(20, 3000)),
            event(UPDATED, 40, register(40, 6000)),
            event(UPDATED, 40, register(40, 6000)),
            event(ENDED, 60, end(60, 8000)),
        ]
    )

    assert ended.energy_wh == 7000
    assert books.values(ended.id) == ["1000", "3000", "6000", "8000"]
    assert books.count("transaction_events") == 4
    assert books.gaps(ended) == ()


def test_an_evse_that_every_event_repeats_and_names_no_connector(books: EventBooks) -> None:
    books.report(-1, ReportedStatus.AVAILABLE, evse=2, connector=3)
    ended = books.tell_all([event(kind, at, evse=2) for kind, at in [(STARTED, 0), (UPDATED, 1), (ENDED, 2)]])

    assert (ended.evse_id, ended.connector_id) == (2, 3)
    assert len([one for one in books.published if isinstance(one, TransactionStarted)]) == 1


def test_an_evse_of_which_no_connector_is_known(books: EventBooks) -> None:
    began = books.tell_all([event(STARTED, 0, evse=2)])

    assert (began.evse_id, began.connector_id) == (2, 1)


def test_an_evse_that_is_told_late(books: EventBooks) -> None:
    books.report(-1, ReportedStatus.OCCUPIED, evse=2)
    session = books.connector(2).session_correlation_id
    books.tell(event(STARTED, 0, evse=None, tag="TAG", state=IDLE))
    books.tell(event(STARTED, 0, of="tx-2", evse=None, tag="OTHER", state=IDLE))
    unplaced = len([one for one in books.published if isinstance(one, TransactionStarted)])
    moved = books.tell_all([event(UPDATED, 1, evse=2, connector=1, state=CHARGING, seq=1)])

    assert unplaced == 0
    assert (moved.evse_id, moved.connector_id, moved.session_correlation_id) == (2, 1, session)
    assert books.connector(2).status == "Charging"
    [started] = [one for one in books.published if isinstance(one, TransactionStarted)]
    assert (started.transaction_id, started.evse_id, started.id_tag) == (moved.id, 2, "TAG")


def test_a_connector_that_is_named_after_another_was_taken_for_it(books: EventBooks) -> None:
    books.report(-1, ReportedStatus.AVAILABLE, connector=1)
    books.tell(event(STARTED, 0, state=CHARGING))
    moved = books.tell_all([event(UPDATED, 1, connector=2, state=CHARGING)])

    assert moved.connector_id == 2
    assert (books.connector(1, 1).status, books.connector(1, 1).session_correlation_id) == ("Available", None)
    assert (books.connector(1, 2).status, books.connector(1, 2).session_correlation_id) == (
        "Charging",
        moved.session_correlation_id,
    )


def test_the_next_transaction_of_an_evse_ends_what_was_left_open(books: EventBooks) -> None:
    books.tell(event(STARTED, 0, begin(0, 1000), connector=1))
    left_open = books.tell_all([event(UPDATED, 30, register(30, 4000), connector=1)])
    running = books.tell_all([event(STARTED, 60, begin(60, 4500), of="tx-2", connector=2)])
    closed = books.transaction(left_open.id)

    assert running.stopped_at is None
    assert (closed.stop_origin, closed.energy_wh) == (StopOrigin.RECOVERED, 3000)
    own = books.tell_all([event(ENDED, 40, end(40, 4400), connector=1, offline=True)], received=61)
    assert (own.stop_origin, own.energy_wh, own.stopped_at) == (StopOrigin.CHARGER, 3400, minute(40))
    assert books.transaction(running.id).stopped_at is None


def test_an_old_transaction_from_the_queue_ends_nothing_that_runs(books: EventBooks) -> None:
    running = books.tell_all([event(STARTED, 60, begin(60, 4500), of="tx-2", state=CHARGING)])
    old = books.tell_all(
        [
            event(STARTED, 0, begin(0, 1000), state=CHARGING, offline=True),
            event(ENDED, 30, end(30, 4400), offline=True),
        ],
        received=62,
    )

    assert books.transaction(running.id).stopped_at is None
    assert (books.connector().status, books.connector().session_correlation_id) == (
        "Charging",
        running.session_correlation_id,
    )
    assert (old.stop_origin, old.energy_wh) == (StopOrigin.CHARGER, 3400)
    assert [one.historic for one in books.published if isinstance(one, TransactionStarted)] == [False, True]


def test_an_id_that_is_given_again_after_its_end_is_another_transaction(books: EventBooks) -> None:
    first = books.tell_all([event(STARTED, 0, begin(0, 1000)), event(ENDED, 30, end(30, 5000))])
    second = books.tell_all([event(STARTED, 90, begin(90, 6000), state=CHARGING)])
    assert books.tell_all([event(STARTED, 90, begin(90, 6000), state=CHARGING)]).id == second.id
    late = books.tell_all([event(UPDATED, 29, register(29, 4900), offline=True)])
    ended = books.tell_all([event(ENDED, 120, end(120, 10_000))])

    assert late.id == first.id
    assert (first.energy_wh, ended.energy_wh, ended.started_at) == (4000, 4000, minute(90))
    assert books.tell_all([event(STARTED, 90, begin(90, 6000))]).id == second.id


def test_an_end_without_any_register(books: EventBooks) -> None:
    ended = books.tell_all([event(STARTED, 0), event(ENDED, 60)])

    assert ended.stopped_at == minute(60)
    assert ended.implausible_reason is Implausible.NO_READING


def test_nothing_is_implausible_where_no_vehicle_came_in_time(books: EventBooks) -> None:
    ended = books.tell_all([event(STARTED, 0, tag="TAG"), event(ENDED, 2, reason=StopReason.TIMEOUT)])

    assert (ended.energy_wh, ended.implausible_reason) == (0, None)
    late = books.tell_all([event(UPDATED, 1, register(0, 1000), register(1, 1050))])
    assert (late.meter_start, late.meter_stop, late.energy_wh) == (1000, 1050, 50)


def test_an_end_without_samples_takes_the_newest_register(books: EventBooks) -> None:
    ended = books.tell_all(
        [event(STARTED, 0, begin(0, 1000)), event(UPDATED, 50, register(50, 7000)), event(ENDED, 60)]
    )

    assert (ended.meter_stop, ended.energy_wh) == (7000, 6000)


def test_tokens_are_told_when_they_are(books: EventBooks) -> None:
    books.policy = AuthorizationPolicy(deny_concurrent=True)
    without = books.tell(event(STARTED, 0, evse=1))
    elsewhere = books.tell(event(STARTED, 0, of="tx-2", evse=2))
    told = books.tell(event(UPDATED, 1, evse=1, tag="TAG", trigger="Authorized"))
    again = books.tell(event(UPDATED, 2, of="tx-2", evse=2, tag="TAG", trigger="Authorized"))
    ended = books.tell(event(ENDED, 3, evse=1, tag="STOPPER"))

    assert (without.value.authorization, elsewhere.value.authorization) == (None, None)
    assert told.value.authorization is not None
    assert told.value.authorization.status is AuthorizationStatus.ACCEPTED
    assert again.value.authorization is not None
    assert again.value.authorization.status is AuthorizationStatus.CONCURRENT_TX
    closed = books.transaction(ended.value.transaction_id)
    assert (closed.id_tag, closed.stop_id_tag) == ("TAG", "STOPPER")


def test_a_reservation_is_used_once_the_token_is_known(books: EventBooks) -> None:
    reservation = reservations.Reserve(7, 0, "TAG", None, minute(60), evse_id=1)
    reservations.record(books.q, books.occasion(), reservation)
    books.tell(event(STARTED, 1, reservation=7))
    unused = books.q.find_reservation(charge_point_id="CP-1", reservation_id=7)
    told = books.tell(event(UPDATED, 2, tag="TAG"))
    used = books.q.find_reservation(charge_point_id="CP-1", reservation_id=7)

    assert unused is not None
    assert used is not None
    assert (unused.status, used.status, used.transaction_id) == ("Accepted", "Used", told.value.transaction_id)


def test_what_it_costs_whose_card_it_is(books: EventBooks) -> None:
    people.put(
        books.q,
        books.occasion().at,
        "ada",
        people.WantedPerson(name="Ada", cards=["TAG"], price=people.Price(Decimal("0.25"))),
    )
    books.tell(event(STARTED, 0, begin(0, 1000), tag="tag"))
    running = books.tell(event(UPDATED, 30, register(30, 5000)))
    ended = books.tell(event(ENDED, 60, end(60, 9000)))
    nobody = books.tell(event(STARTED, 70, begin(70, 9000), of="tx-2", tag="OTHER"))

    assert running.value.cost is not None
    assert (running.value.energy_wh, running.value.cost.amount) == (4000, Decimal("1.00"))
    assert ended.value.cost is not None
    assert ended.value.cost.amount == Decimal("2.00")
    assert nobody.value.cost is None


def test_numbers_that_no_database_holds_are_left_out_and_the_event_is_kept(books: EventBooks) -> None:
    kept = books.tell_all([event(STARTED, 0, seq=2**70, evse=2**70, reservation=2**70)])

    assert (kept.evse_id, kept.connector_id, kept.reservation_id) == (0, 0, None)


def test_a_charger_that_never_reports_states_charges_and_is_free_afterwards(books: EventBooks) -> None:
    books.tell(event(STARTED, 0))
    running = books.connector().status
    books.report(50, ReportedStatus.AVAILABLE)
    books.tell(event(ENDED, 60))

    assert (running, books.connector().status) == ("Charging", "Available")
