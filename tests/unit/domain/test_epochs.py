"""The end of a connection that isn't the newest any more never makes its charge point look gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mcpp.domain import charge_points
from mcpp.domain.charge_points import Connected
from tests.unit.domain.books import NOW, Books


@given(data=st.data(), connections=st.integers(1, 6))
def test_a_late_end_marks_no_newer_connection_offline(data: st.DataObject, connections: int) -> None:
    """Connections begin one after the other; each one's end is delivered at any later moment, in any order."""
    books = Books()
    now = NOW
    begun: list[Connected] = []
    ends_due: list[Connected] = []
    is_over = False
    while len(begun) < connections or ends_due:
        now += timedelta(seconds=1)
        begins = len(begun) < connections and (not ends_due or data.draw(st.booleans()))
        if begins:
            begun.append(connect(books, now))
            ends_due.append(begun[-1])
            is_over = False
        else:
            end = ends_due.pop(data.draw(st.integers(0, len(ends_due) - 1)))
            ended = charge_points.disconnect(books.q, end, now)
            assert ended == (end == begun[-1])
            is_over = is_over or ended

        assert is_offline(books) == is_over
    books.connection.close()


def connect(books: Books, now: datetime) -> Connected:
    connected = charge_points.connect(books.q, "CP-1", "1.6", now, register_unknown=True)
    assert isinstance(connected, Connected)
    return connected


def is_offline(books: Books) -> bool:
    charge_point = books.q.get_charge_point(identity="CP-1")
    assert charge_point is not None
    assert charge_point.last_connect_at is not None
    return (
        charge_point.last_disconnect_at is not None and charge_point.last_disconnect_at > charge_point.last_connect_at
    )
