"""One walk: a charger of some habits lives through some sessions and mishaps; then all is quiet, and it's judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tests.walks.account import Session
from tests.walks.central import GRACE, NEIGHBOUR, Central, Said
from tests.walks.charger import Charger, PowerCut
from tests.walks.habits import Clock, Habits, draw
from tests.walks.judge import Finding, judge

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = 3600.0
MANY = 400
"""Steps of a walk, at most."""


@dataclass(frozen=True)
class Walk:
    """What happened, and what came of it."""

    habits: Habits
    sessions: Sequence[Session]
    findings: Sequence[Finding]
    """One for each session, then what the books have beside them."""
    story: Sequence[Said | str]


def walk(random: Random, sessions: int) -> Walk:
    """A walk of about so many sessions, decided by `random` alone."""
    central = Central(BEGIN)
    try:
        _neighbour(central, random)
        habits = draw(random)
        charger = Charger(central, random, habits)
        _live(charger, random, sessions)
        settle(charger)
        return Walk(habits, charger.sessions, judge(charger.sessions, habits, central), central.story)
    finally:
        central.close()


def _neighbour(central: Central, random: Random) -> None:
    """Another charger has transactions: ids of ours aren't ours alone, nor are they small."""
    central.connect(NEIGHBOUR)
    for number in range(random.choice([0, 1, 3])):
        payload = {"connectorId": number + 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-05-01T11:00:00Z"}
        started = central.say("StartTransaction", payload, NEIGHBOUR)
        assert started is not None
        if number:
            stop = {"transactionId": started["transactionId"], "meterStop": 9, "timestamp": "2026-05-01T11:30:00Z"}
            central.say("StopTransaction", stop, NEIGHBOUR)


def _live(charger: Charger, random: Random, sessions: int) -> None:
    trouble = random.choice([0.0, 0.0, 0.15, 0.4])
    if random.random() < 0.8:
        charger.connect()
    for _ in range(MANY):
        if len(charger.sessions) >= sessions:
            break
        if random.random() < trouble:
            random.choice(_MISHAPS)(charger, random)
        _step(charger, random)
    while any(connector.session for connector in charger.connectors.values()):
        _step(charger, random, comes=False)
        if random.random() < trouble:
            random.choice(_MISHAPS)(charger, random)


def _step(charger: Charger, random: Random, *, comes: bool = True) -> None:
    """People come and go, and time passes."""
    number = random.choice([1, 1, 2])
    connector = charger.connectors[number]
    if connector.session is None:
        if comes:
            if connector.status != "Available" and random.random() < 0.9:
                charger.unplug(number)
                charger.pass_time(random.choice([5, 60, HOUR]))
            charger.plug_in(number)
        else:
            charger.sample_idle(number)
    elif random.random() < 0.55:
        charger.stop(number, unplugs=random.random() < 0.8)
    elif random.random() < 0.2:
        charger.suspend(number, random.choice(["SuspendedEV", "SuspendedEVSE", "Charging"]))
    charger.pass_time(random.choice([5, 60, 600, HOUR, 3 * HOUR]))
    if not charger.online and random.random() < 0.4:
        charger.connect()
        charger.deliver()


def _cut_line(charger: Charger, random: Random) -> None:
    if charger.online:
        charger.cut()
        charger.pass_time(random.choice([30, 600, 2 * HOUR]))


def _cut_power(charger: Charger, random: Random) -> None:
    status = random.choice(["Available", "Finishing", "Preparing"])
    charger.cut_power(random.choice(list(PowerCut)), status, random.choice([10, 300, HOUR]))
    if charger.connectors[1].session is None and random.random() < 0.3:
        charger.plug_in(1)  # it charges whoever stands there when it has power again


def _shift_clock(charger: Charger, random: Random) -> None:
    if charger.habits.clock is Clock.SET_BACK:
        charger.shift_clock(timedelta(hours=random.choice([-1, 1])))


def _restart_server(charger: Charger, _: Random) -> None:
    charger.online = False
    charger.central.restart()
    charger.central.connect(NEIGHBOUR)


def _repeat(charger: Charger, _: Random) -> None:
    charger.repeat()


def _sample_idle(charger: Charger, random: Random) -> None:
    charger.sample_idle(random.choice([1, 2]))


_MISHAPS: Sequence[Callable[[Charger, Random], None]] = (
    _cut_line,
    _cut_line,
    _cut_line,
    _cut_power,
    _shift_clock,
    _restart_server,
    _repeat,
    _sample_idle,
)


def settle(charger: Charger) -> None:
    """The queue is delivered, the connectors are free, and recovery has had its time."""
    for number in charger.connectors:
        if charger.connectors[number].status != "Available":
            charger.unplug(number)
    for _ in range(MANY):
        if charger.online:
            charger.deliver()
        else:
            charger.connect()
        if charger.has_delivered_all:
            break
        charger.pass_time(2)
    for _ in range(3):
        charger.pass_time(GRACE.total_seconds() + 2)
