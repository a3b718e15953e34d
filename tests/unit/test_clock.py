"""The server's clock on machines whose own is set, isn't set, and was set wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mcpp.clock import PATIENCE, Clock, ClockNews

BEGIN = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = 3600.0


class Machine:
    """A computer whose clock can be set."""

    def __init__(self, shows: datetime = BEGIN) -> None:
        self.uptime = 100.0
        self.shown = shows.timestamp()
        self.synchronized = False

    def clock(self) -> Clock:
        return Clock(lambda: self.shown, lambda: self.uptime, lambda: self.synchronized)

    def run(self, seconds: float) -> None:
        self.uptime += seconds
        self.shown += seconds

    def set_by(self, seconds: float) -> None:
        self.shown += seconds

    @property
    def shows(self) -> datetime:
        return datetime.fromtimestamp(self.shown, UTC)


def news(clock: Clock) -> ClockNews | None:
    change = clock.check()
    return None if change is None else change.news


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_it_shows_what_the_machine_shows() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.run(90)

    assert clock.now() == machine.shows == after(90)
    assert clock.check() is None
    assert (clock.is_wrong, clock.jumps) == (False, 0)


def test_no_time_is_told_by_a_jump_that_nobody_has_judged() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by(-3 * HOUR)

    assert clock.now() == BEGIN


def test_it_follows_the_machine_forward_at_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by(5 * HOUR)
    change = clock.check()

    assert change is not None
    assert change.news is ClockNews.JUMPED
    assert change.behind == pytest.approx(-5 * HOUR)
    assert clock.now() == after(5 * HOUR)
    assert clock.jumps == 1


@pytest.mark.parametrize("seconds", [-1.5, -0.01, 0.01, 1.9])
def test_small_corrections_are_nothing_to_speak_of(seconds: float) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by(seconds)

    assert clock.check() is None
    assert clock.now() == machine.shows
    assert clock.jumps == 0


def test_it_runs_on_where_the_machine_was_set_back_until_that_has_caught_up() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by(-3 * HOUR)
    first = news(clock)
    machine.run(HOUR)
    second = news(clock)

    assert (first, second) == (ClockNews.WRONG, None)
    assert clock.is_wrong
    assert clock.now() == after(HOUR)


def test_a_machine_that_has_caught_up_is_followed_again() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by(-3 * HOUR)
    clock.check()
    machine.run(HOUR)
    machine.set_by(3 * HOUR)

    assert news(clock) is ClockNews.RIGHT
    assert not clock.is_wrong
    assert clock.now() == machine.shows == after(HOUR)
    assert clock.jumps == 0


def test_it_goes_on_from_what_was_told_before_its_start() -> None:
    machine = Machine(datetime(2016, 1, 1, tzinfo=UTC))
    clock = machine.clock()
    change = clock.begin_after(BEGIN)
    machine.run(60)

    assert change is not None
    assert change.news is ClockNews.WRONG
    assert clock.now() == after(60)


def test_what_was_told_before_its_start_is_no_matter_where_the_machine_is_later() -> None:
    machine = Machine(after(HOUR))
    clock = machine.clock()

    assert clock.begin_after(BEGIN) is None
    assert clock.now() == after(HOUR)


def test_a_synchronized_machine_is_right_whatever_was_told() -> None:
    machine = Machine()
    machine.synchronized = True
    clock = machine.clock()
    change = clock.begin_after(datetime(2050, 1, 1, tzinfo=UTC))

    assert change is not None
    assert change.news is ClockNews.JUMPED
    assert (clock.now(), clock.is_wrong, clock.jumps) == (BEGIN, False, 1)


def test_a_machine_that_gets_synchronized_is_believed_then() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.begin_after(datetime(2050, 1, 1, tzinfo=UTC))
    machine.run(600)
    machine.synchronized = True

    assert news(clock) is ClockNews.RIGHT
    assert (clock.now(), clock.jumps) == (after(600), 1)


def test_a_year_that_was_wrong_once_rules_for_a_day_at_most() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.begin_after(datetime(2050, 1, 1, tzinfo=UTC))
    machine.run(PATIENCE - 1)
    early = news(clock)
    machine.run(1)

    assert early is None
    assert news(clock) is ClockNews.RIGHT
    assert clock.now() == after(PATIENCE)


def test_a_clock_that_is_set_again_is_waited_for_anew() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.begin_after(datetime(2050, 1, 1, tzinfo=UTC))
    machine.run(PATIENCE / 2)
    machine.set_by(HOUR)
    clock.check()
    machine.run(PATIENCE / 2)

    assert news(clock) is None
    assert clock.is_wrong


def test_a_clock_that_is_not_set_is_never_believed() -> None:
    machine = Machine(datetime(1970, 1, 1, tzinfo=UTC))
    clock = machine.clock()
    clock.begin_after(BEGIN)
    machine.run(30 * PATIENCE)

    assert news(clock) is None
    assert clock.now() == after(30 * PATIENCE)


def test_moments_by_the_monotonic_clock_are_told_as_times_are_told_now() -> None:
    machine = Machine()
    clock = machine.clock()
    connected = clock.monotonic()
    machine.run(60)
    machine.set_by(HOUR)
    clock.check()

    assert clock.at(connected) == after(HOUR)
    assert clock.unix(connected) == after(HOUR).timestamp()
