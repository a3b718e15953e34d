"""Whatever becomes of a session's events on their way, the books are the same, or say what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from mcpp.domain.transaction_events import TransactionEvent
from mcpp_generated.db.models import Transaction
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


class InBooks(NamedTuple):
    """What a session comes to."""

    started_at: object
    stopped_at: object
    meter_start: int
    meter_stop: int | None
    energy_wh: int | None
    id_tag: str
    evse_id: int
    connector_id: int
    values: tuple[str, ...]
    status: str | None
    session: str | None


@st.composite
def sessions(draw: st.DrawFn) -> list[TransactionEvent]:
    """A session as its charger tells it: what is told when, with which samples, counted or not."""
    counts = draw(st.booleans())
    evse_from, token_at = draw(st.integers(0, 2)), draw(st.integers(0, 3))
    repeats_begin, has_end = draw(st.booleans()), draw(st.booleans())
    names_connector = draw(st.booleans())

    def told(position: int) -> dict[str, object]:
        return {
            "seq": position if counts else 0,
            "evse": 2 if position >= evse_from else None,
            "connector": 1 if names_connector and position >= evse_from else None,
            "tag": "TAG" if position == token_at else None,
        }

    last = [begin(0, 1000)] if repeats_begin else []
    last += [end(60, 8000)] if has_end else []
    return [
        event(STARTED, 0, begin(0, 1000), state=CONNECTED, **told(0)),  # type: ignore[arg-type]  # as event() has them
        event(UPDATED, 5, trigger="ChargingStateChanged", state=CHARGING, **told(1)),  # type: ignore[arg-type]  # as above
        event(UPDATED, 20, register(20, 3000), **told(2)),  # type: ignore[arg-type]  # as above
        event(UPDATED, 40, register(40, 6500), **told(3)),  # type: ignore[arg-type]  # as above
        event(ENDED, 60, *last, state=IDLE, **told(4)),  # type: ignore[arg-type]  # as above
    ]


def in_books(books: EventBooks, ended: Transaction) -> InBooks:
    connector = books.connector(ended.evse_id, ended.connector_id)
    return InBooks(
        ended.started_at,
        ended.stopped_at,
        ended.meter_start,
        ended.meter_stop,
        ended.energy_wh,
        ended.id_tag,
        ended.evse_id,
        ended.connector_id,
        tuple(books.values(ended.id)),
        connector.status,
        connector.session_correlation_id,
    )


def written(events: Sequence[TransactionEvent], received: float | None = None) -> tuple[EventBooks, Transaction]:
    books = EventBooks()
    return books, books.tell_all(events, received)


@settings(max_examples=60, deadline=None)
@given(sessions(), st.data())
def test_any_order_with_repeats_and_from_the_queue(session: list[TransactionEvent], data: st.DataObject) -> None:
    good, ended = written(session)
    repeated = data.draw(st.lists(st.sampled_from(session), max_size=3))
    shuffled = data.draw(st.permutations([*session, *repeated]))
    received = data.draw(st.sampled_from([61.0, 2000.0]))
    books, same = written(shuffled, received)

    assert in_books(books, same) == in_books(good, ended)
    assert books.gaps(same) == ()


@settings(max_examples=40, deadline=None)
@given(sessions(), st.data())
def test_what_is_lost_is_named_or_changes_nothing(session: list[TransactionEvent], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.integers(0, 4), min_size=1, max_size=3))
    left = [told for position, told in enumerate(session) if position not in lost]
    good, ended = written(session)
    books, other = written(data.draw(st.permutations(left)), 61.0)
    counts = session[-1].seq_no > 0
    gaps = books.gaps(other)

    if counts:
        missing = {number for gap in gaps for number in range(gap.first, (gap.last or gap.first) + 1)}
        # Of an open transaction nobody can say what follows.
        assert missing == {number for number in lost if number < max(told.seq_no for told in left)}
        assert (4 in lost) == (other.stopped_at is None)
    else:
        assert gaps == ()
    if not lost & {0, 4}:
        # What lies between says nothing of the bill but what its end says, too.
        has_end = len(session[-1].samples) > 0 and session[-1].samples[-1].value == "8000"
        if has_end:
            assert (other.meter_start, other.energy_wh) == (ended.meter_start, ended.energy_wh)
        assert (other.started_at, other.stopped_at) == (ended.started_at, ended.stopped_at)
    assert books.count("transactions") == good.count("transactions")


def two_sessions() -> list[TransactionEvent]:
    """One after the other on an EVSE, each with all that bills it."""
    return [
        event(STARTED, 0, begin(0, 1000), tag="A", state=CHARGING, seq=0),
        event(UPDATED, 30, register(30, 4000), seq=1),
        event(ENDED, 60, end(60, 8000), state=IDLE, seq=2),
        event(STARTED, 70, begin(70, 8000), of="tx-2", tag="B", state=CHARGING, seq=0),
        event(UPDATED, 100, register(100, 9000), of="tx-2", seq=1),
        event(ENDED, 130, end(130, 9500), of="tx-2", state=IDLE, seq=2),
    ]


@settings(max_examples=40, deadline=None)
@given(st.permutations(two_sessions()))
def test_two_sessions_of_an_evse_in_any_order(events: list[TransactionEvent]) -> None:
    books = EventBooks()
    for told in events:
        books.tell(told, 200.0)

    billed = books.connection.execute(
        "SELECT id_tag, meter_start, meter_stop, energy_wh, stop_origin FROM transactions ORDER BY started_at"
    ).fetchall()
    assert billed == [("A", 1000, 8000, 7000, "charger"), ("B", 8000, 9500, 1500, "charger")]
    [(total,)] = books.connection.execute("SELECT energy_wh FROM charge_points WHERE identity = 'CP-1'")
    assert total == 8500
    assert (books.connector().status, books.connector().session_correlation_id) == ("Available", None)
