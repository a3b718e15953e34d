"""Failed logins and unknown identities, counted by a clock of the test's own."""

from __future__ import annotations

import pytest

from mcpp.server import strangers
from mcpp.server.reconnect_loops import TOLERATED, Origin, ReconnectLoops
from mcpp.server.strangers import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_ADDRESS, FailedLogins, UnknownIdentities

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.9"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def guess(logins: FailedLogins, identity: str, address: str | None, times: int) -> None:
    for _ in range(times):
        logins.attempted(identity, address)
        logins.failed(address)


def test_guesses_are_slowed_more_and_more_up_to_a_minute(clock: Clock) -> None:
    logins = FailedLogins(clock)
    waits = []
    guess(logins, "CP-1", HERE, FREE_ATTEMPTS - 1)
    for _ in range(10):
        waits.append(logins.wait("CP-1", HERE, is_known=True))
        clock.now += waits[-1]
        guess(logins, "CP-1", HERE, 1)

    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.now += 4000
    guess(logins, "CP-1", HERE, 1)
    assert logins.wait("CP-1", HERE, is_known=True) == 0


def test_guesses_lock_out_nobody_elsewhere_and_no_known_neighbour(clock: Clock) -> None:
    logins = FailedLogins(clock)
    for number in range(FREE_ATTEMPTS_OF_ADDRESS):
        guess(logins, f"CP-{number}", HERE, 1)
    guess(logins, "CP-1", HERE, FREE_ATTEMPTS)

    assert logins.wait("CP-1", HERE, is_known=True) > 0
    assert logins.wait("CP-1", ELSEWHERE, is_known=True) == logins.wait("CP-1", ELSEWHERE, is_known=False) == 0
    assert logins.wait("CP-new", HERE, is_known=True) == 0
    assert logins.wait("CP-new", HERE, is_known=False) > 0


def test_attempts_under_way_count_and_right_ones_do_not(clock: Clock) -> None:
    logins = FailedLogins(clock)
    for _ in range(100):
        logins.attempted("CP-1", HERE)
        logins.succeeded("CP-1", HERE)
    assert logins.wait("CP-1", HERE, is_known=True) == 0
    for _ in range(FREE_ATTEMPTS):
        logins.attempted("CP-1", HERE)
    assert logins.wait("CP-1", HERE, is_known=True) > 0


def test_loopback_is_slowed_by_identity_only(clock: Clock) -> None:
    logins = FailedLogins(clock)
    guess(logins, "CP-1", None, FREE_ATTEMPTS_OF_ADDRESS)

    assert logins.wait("CP-1", None, is_known=False) > 0
    assert logins.wait("CP-2", None, is_known=False) == 0


def test_an_address_brings_so_many_unknown_identities_an_hour(clock: Clock) -> None:
    unknown = UnknownIdentities(4, clock)

    assert [unknown.take(f"CP-{number}", HERE) for number in range(6)] == [True] * 4 + [False] * 2
    assert unknown.take("CP-0", HERE)  # counted before
    assert unknown.take("CP-5", ELSEWHERE)
    assert all(unknown.take(f"CP-{number}", None) for number in range(20))
    assert unknown.wait(HERE) == 900
    clock.now += 900
    assert [unknown.take(f"CP-{number}", HERE) for number in (4, 5)] == [True, False]


def test_what_strangers_fill_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "_TABLE_SIZE", 50)
    logins, unknown = FailedLogins(clock), UnknownIdentities(4, clock)
    for number in range(500):
        guess(logins, f"CP-{number}", f"192.0.{number}.1", 1)
        unknown.take(f"CP-{number}", f"192.0.{number}.1")

    tables = (logins._pairs, logins._addresses, unknown._addresses, unknown._counted)
    assert [len(table) for table in tables] == [50] * 4


@pytest.mark.parametrize("pause", [1.0, 20.0])
def test_takeovers_in_quick_succession_are_slowed(clock: Clock, pause: float) -> None:
    loops = ReconnectLoops(clock)
    delays = []
    for _ in range(40):
        delays.append(loops.delay("CP-1"))
        loops.taken_over("CP-1", Origin(HERE, "/ocpp/CP-1"), Origin(ELSEWHERE, "/CP-1"))
        clock.now += pause

    assert delays[: TOLERATED + 1] == [0.0] * (TOLERATED + 1)
    assert max(delays) == (5.0 if pause == 1.0 else 1.0)
    assert loops.delay("CP-2") == 0
    clock.now += 200
    assert loops.delay("CP-1") == 0
