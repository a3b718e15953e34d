"""The judge of the walks sees what is wrong, and accepts what is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.walks.central import Central
from tests.walks.charger import Charger, PowerCut
from tests.walks.habits import Clock, Habits, Ids, Names, Registers, Series, Statuses
from tests.walks.judge import Verdict, judge
from tests.walks.walk import BEGIN, settle

SOUND = Habits(
    series=Series.TOTAL,
    registers=Registers.LIFETIME,
    names=Names.RIGHT,
    ids=Ids.KEPT,
    no_id=-1,
    clock=Clock.RIGHT,
    statuses=Statuses.LIVE,
    loses=0.0,
    gives_up=False,
    freezes=False,
    late_queue=False,
    tells_tag=True,
    transaction_data=False,
    dips=False,
    sentinels=False,
    one_tag=False,
    whole_seconds=False,
    power=11_000.0,
    interval=300,
    base=3_000,
)


@pytest.fixture
def central() -> Iterator[Central]:
    central = Central(BEGIN)
    yield central
    central.close()


def charged(central: Central, habits: Habits = SOUND) -> Charger:
    """A charger with one session of an hour, which goes on."""
    charger = Charger(central, Random(0), habits)
    charger.connect()
    charger.plug_in(1)
    charger.pass_time(3600)
    return charger


def verdicts(charger: Charger) -> list[Verdict]:
    settle(charger)
    return [finding.verdict for finding in judge(charger.sessions, charger.habits, charger.central)]


def test_what_is_booked_is_what_was_taken(central: Central) -> None:
    charger = charged(central)
    charger.stop(1, unplugs=True)

    assert verdicts(charger) == [Verdict.EQUAL]
    assert charger.sessions[0].wh > 5_000


def test_a_watt_hour_too_little_is_noticed(central: Central) -> None:
    charger = charged(central)
    charger.stop(1, unplugs=True)
    session = charger.sessions[0]
    assert session.end_wh is not None
    session.end_wh += 1

    assert verdicts(charger) == [Verdict.SILENT]


def test_what_recovery_closed_is_said(central: Central) -> None:
    charger = charged(central)
    charger.cut_power(PowerCut.FORGETS_ALL, "Available", 10)

    assert verdicts(charger) in ([Verdict.SAID], [Verdict.EQUAL])


def test_a_register_that_ran_backwards_is_marked_or_said(central: Central) -> None:
    charger = charged(central, replace(SOUND, registers=Registers.STOP_MINUS_ONE))
    charger.stop(1, unplugs=True)

    assert verdicts(charger)[0] in {Verdict.MARKED, Verdict.SAID, Verdict.EQUAL}


def test_a_transaction_without_a_session_is_noticed(central: Central) -> None:
    charger = charged(central)
    charger.stop(1, unplugs=True)
    charger.sessions.clear()

    assert verdicts(charger) == [Verdict.PHANTOM]


def test_two_transactions_of_one_session_are_noticed(central: Central) -> None:
    charger = charged(central)
    charger.stop(1, unplugs=True)
    charger.plug_in(1)
    charger.pass_time(3600)
    charger.stop(1, unplugs=True)
    first, second = charger.sessions
    first.answers += second.answers
    del charger.sessions[1]

    assert verdicts(charger) == [Verdict.TWICE]
