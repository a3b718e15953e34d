"""How fast a charge point's messages are handled."""

from __future__ import annotations

import gc

from hypothesis import given
from hypothesis import strategies as st

from mcpp.transport.limits import Limits
from mcpp.transport.pace import Pace, Paces


def test_what_fits_into_the_window_is_never_held_back() -> None:
    pace = Pace(per_second=100, window=10)

    assert all(pace.count(1, 0, 50.0) is None for _ in range(1000))
    assert pace.count(1, 0, 50.0) is not None


def test_reading_goes_on_when_there_is_room_again() -> None:
    pace = Pace(per_second=100, window=10)
    read_on_at = pace.count(1100, 0, 50.0)

    assert read_on_at is not None
    assert 51 <= read_on_at <= 51.1
    assert pace.count(1, 0, read_on_at) is None


def test_large_messages_count_for_several() -> None:
    small, large = Pace(100, 1), Pace(100, 1)
    small.count(33, 0, 9.0)
    large.count(1, 32 * 4096, 9.0)

    assert [pace.count(67, 0, 9.0) for pace in (small, large)] == [None, None]
    assert all(pace.count(1, 0, 9.0) is not None for pace in (small, large))


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0, 0.3)), max_size=200),
    st.floats(1, 1000),
    st.floats(0.01, 10),
)
def test_no_more_is_handled_than_allowed(reads: list[tuple[int, float]], per_second: float, window: float) -> None:
    """Over any time: what a window holds, the rate, and the one read that goes beyond."""
    pace = Pace(per_second, window)
    begin = now = 100.0
    handled = 0
    for frames, pause in reads:
        now += pause
        assert handled <= (now - begin + window) * per_second + 1e-6 * handled
        handled += frames
        now = pace.count(frames, 0, now) or now


def test_a_charge_point_that_comes_again_goes_on_where_it_was() -> None:
    paces = Paces(Limits(messages_per_second=10, message_rate_window=10))
    pace = paces.of("CP1")
    pace.count(99, 0, 50.0)
    paces.leave(pace, 50.0)
    del pace
    gc.collect()

    assert paces.of("CP1").count(2, 0, 50.0) is not None
    assert paces.of("CP2").count(2, 0, 50.0) is None


def test_paces_are_forgotten_once_they_say_nothing() -> None:
    paces = Paces(Limits(messages_per_second=10, message_rate_window=10))
    pace = paces.of("CP1")
    pace.count(5, 0, 50.0)
    paces.leave(pace, 50.0)
    del pace
    assert len(paces) == 1
    paces.leave(paces.of("CP3"), 60.0)
    gc.collect()

    assert len(paces) == 0
