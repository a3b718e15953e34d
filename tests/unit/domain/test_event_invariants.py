"""Whatever a charger tells in events: nothing is rejected, the sums hold, and memory equals the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from mcpp.domain import recovery
from mcpp.domain.energy import energy_so_far
from mcpp.domain.evse_states import ChargingState, ReportedStatus
from mcpp.domain.inquiries import TransactionAnswer, take_answer, transactions_to_ask
from mcpp.domain.memory import Memory
from mcpp.domain.samples import BEGIN, END, Sample, signed_kind, told_kind
from mcpp.domain.transaction_events import EventKind, TransactionEvent
from tests.unit.domain.books import NOW, minute
from tests.unit.domain.event_books import EventBooks

Step: TypeAlias = Callable[[EventBooks, float], object]

MOMENTS = st.one_of(
    st.integers(-60, 600).map(lambda number: NOW + timedelta(minutes=number)),
    st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)]),
)
KINDS = [told_kind(measurand=None, phase=None, unit=unit, context=context, location=None)
         for unit in (None, "kWh") for context in (BEGIN, END, None)]  # fmt: skip
SAMPLES = st.builds(
    Sample,
    MOMENTS,
    st.sampled_from([*KINDS, signed_kind(KINDS[0])]),
    st.sampled_from(["0", "1000", "1500.5", "9000", "-3", "1E+30", "NaN", "text", str(2**32 - 1)]),
    st.just(0),
)
EVENTS = st.builds(
    TransactionEvent,
    kind=st.sampled_from(EventKind),
    ocpp_transaction_id=st.sampled_from(["a", "b", "c"]),
    happened_at=MOMENTS,
    seq_no=st.sampled_from([-1, 0, 1, 2, 2**64]),
    trigger_reason=st.sampled_from(["Authorized", "x" * 99]),
    is_offline=st.booleans(),
    evse_id=st.sampled_from([None, -1, 0, 1, 1, 2, 2**64]),
    connector_id=st.sampled_from([None, 0, 1, 2]),
    id_tag=st.sampled_from([None, "", "A", "B"]),
    charging_state=st.none() | st.sampled_from(ChargingState),
    reservation_id=st.sampled_from([None, -1, 7]),
    samples=st.lists(SAMPLES, max_size=3),
)


def telling(event: TransactionEvent) -> Step:
    return lambda books, at: books.tell(event, at)


def reporting(evse_id: int, reported: ReportedStatus) -> Step:
    return lambda books, at: books.report(at, reported, evse_id, None)


def close_what_is_doubted(books: EventBooks, at: float) -> None:
    since, ids = {books.occasion().charge_point_key: NOW - timedelta(days=1)}, lambda: "c" * 32
    recovery.close_orphans(books.q, minute(at), timedelta(), since, ids)
    for inquiry in transactions_to_ask(books.q, minute(at), timedelta(), since):
        take_answer(books.q, minute(at), timedelta(), inquiry, TransactionAnswer.OVER, ids)
    books.memory.forget(None)


def change_version(books: EventBooks, at: float) -> None:
    books.connect("1.6", has_evses=False, at=minute(at))
    books.connect("2.0.1", has_evses=True, at=minute(at))


def reported_total(books: EventBooks) -> int:
    """What monitoring is told of the charge point's energy."""
    key = books.occasion().charge_point_key
    running = books.q.find_open_on_charge_point(charge_point_key=key)
    total: int
    peak: int
    [(total, peak)] = books.connection.execute(
        "SELECT energy_wh, energy_peak_wh FROM charge_points WHERE key = ?", (key,)
    )
    return max(peak, total + sum(energy_so_far(books.q, transaction) or 0 for transaction in running))


STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        EVENTS.map(telling),
        EVENTS.map(telling),
        st.builds(reporting, st.integers(0, 2), st.sampled_from(ReportedStatus)),
        st.sampled_from([close_what_is_doubted, change_version]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_nothing_is_rejected_and_all_sums_hold(steps: list[Step]) -> None:
    remembering, forgetful = EventBooks(), EventBooks()
    reported = 0
    for number, step in enumerate(steps):
        at = 600.0 + number * 10
        step(remembering, at)
        forgetful.memory = Memory()
        step(forgetful, at)
        open_on_evses = remembering.connection.execute(
            "SELECT evse_id FROM transactions WHERE stopped_at IS NULL AND evse_id > 0"
        ).fetchall()
        assert len(open_on_evses) == len(set(open_on_evses))
        [(total, counted)] = remembering.connection.execute(
            "SELECT p.energy_wh, (SELECT coalesce(sum(t.energy_wh), 0) FROM transactions AS t"
            " WHERE t.charge_point_key = p.key AND t.implausible_reason IS NULL)"
            " FROM charge_points AS p WHERE identity = 'CP-1'"
        )
        assert total == counted
        assert reported <= (reported := reported_total(remembering))

    for table in ("transactions", "connectors", "transaction_states", "transaction_readings"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert remembering.connection.execute(query).fetchall() == forgetful.connection.execute(query).fetchall()
