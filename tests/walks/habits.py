"""What kind of charger walks: how it measures, names, keeps time and talks, drawn by chance; most of it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Series(StrEnum):
    """How its meter values tell energy."""

    TOTAL = "total"
    """The lifetime register in Wh, of the outlet."""
    KILOWATT_HOURS = "total in kWh"
    ONE_PHASE = "one phase only"
    """The lifetime register, called L1."""
    PHASES = "three phases, no total"
    PHASES_AND_TOTAL = "three phases and total"
    SESSION = "of the session"
    """From 0 at each start."""
    INTERVAL = "intervals"
    INLET_BESIDE = "inlet beside outlet"
    """The inlet feeds both connectors."""
    LIFETIME_BESIDE = "session, lifetime beside"
    """The session's with its id; the connector's lifetime register on the quarter hour, unnamed."""
    NONE = "power only"


class Registers(StrEnum):
    """What a start and a stop carry: of the meter's life, or of the session."""

    LIFETIME = "lifetime, lifetime"
    SESSION = "0, session"
    STOP_OF_SESSION = "lifetime, session"
    """Starts with the one and stops with the other."""
    STOP_MINUS_ONE = "lifetime, -1"
    STOP_ZERO = "lifetime, 0"
    ZERO_MINUS_ONE = "0, -1"
    ZERO_ZERO = "0, 0"

    @property
    def begins_at_zero(self) -> bool:
        return self in {Registers.SESSION, Registers.ZERO_MINUS_ONE, Registers.ZERO_ZERO}


class Names(StrEnum):
    """What its meter values say of the transaction."""

    RIGHT = "named"
    NEVER = "not named"
    ZERO = "named 0"
    STALE = "last one named, idle too"


class Ids(StrEnum):
    """What happens to a transaction's id between its start and its stop."""

    KEPT = "kept"
    FORGOTTEN = "forgotten at times"
    PREVIOUS = "the previous one's at times"
    OTHER = "the other connector's at times"


class Clock(StrEnum):
    """How its clock goes wrong."""

    RIGHT = "right"
    NO_BATTERY = "1970 until boot"
    """Begins at 1970 with each boot, and is set by the answer to the boot."""
    ALWAYS_1970 = "1970 for ever"
    FUTURE = "10 years ahead"
    SET_BACK = "set back by an hour"
    """And forth, in mid-session."""
    LOCAL = "local time as UTC"


class Statuses(StrEnum):
    """When statuses are told."""

    LIVE = "live"
    """The present ones, told again at each connection if they changed."""
    QUEUED = "queued"
    """In their turn among all messages."""
    NEVER = "never"


ABSENT = "absent"
OWN_COUNT = "own count"

NO_ID: Sequence[object] = (-1, 0, None, ABSENT, OWN_COUNT, 1_777_000_000, 2**63 - 1)
"""What stands for a transaction whose id isn't known; its own count begins at 1, as ours do."""


BASES = (0, 3_000, 250_000, 8_000_000)
"""Wh on a meter, from new to old."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """One charger's."""

    series: Series
    registers: Registers
    names: Names
    ids: Ids
    no_id: object
    """What it says where it doesn't know an id."""
    clock: Clock
    statuses: Statuses
    loses: float
    """The chance of a message to be lost, or its answer."""
    gives_up: bool
    """A start whose answer is lost isn't always repeated."""
    freezes: bool
    """What it doesn't know of an id when a message is written stays unknown in it."""
    late_queue: bool
    """What was queued offline may come after what is new."""
    tells_tag: bool
    """Its stops carry the tag."""
    transaction_data: bool
    dips: bool
    """Its register falls for a moment at times, also the last one before the stop."""
    sentinels: bool
    one_tag: bool
    """Whoever comes has the same tag."""
    whole_seconds: bool
    power: float
    """W, the most."""
    interval: int
    """Seconds between two meter values."""
    base: int
    """Wh on the first connector's register."""

    def named(self) -> dict[str, str]:
        """Those that the counts are made by."""
        return {
            "series": self.series,
            "registers": self.registers,
            "values": self.names,
            "ids": self.ids,
            "clock": self.clock,
            "statuses": self.statuses,
            "line": "loses much" if self.loses > 0.02 else "good" if self.loses else "perfect",
            "queue": "late" if self.late_queue else "in order",
            "tags": "one" if self.one_tag else "one each",
            "oddities": ", ".join(name for name, has in (("dips", self.dips), ("sentinels", self.sentinels)) if has)
            or "none",
        }


def draw(random: Random) -> Habits:
    """A charger."""
    registers = _mostly(random, Registers.LIFETIME, Registers)
    return Habits(
        series=random.choice(list(Series)) if registers is not Registers.SESSION else _of_session(random),
        registers=registers,
        names=_mostly(random, Names.RIGHT, Names),
        ids=_mostly(random, Ids.KEPT, Ids),
        no_id=random.choice(NO_ID),
        clock=_mostly(random, Clock.RIGHT, Clock),
        statuses=_mostly(random, Statuses.LIVE, Statuses),
        loses=random.choice([0.0, 0.0, 0.01, 0.08]),
        gives_up=random.random() < 0.2,
        freezes=random.random() < 0.2,
        late_queue=random.random() < 0.15,
        tells_tag=random.random() < 0.5,
        transaction_data=random.random() < 0.2,
        dips=random.random() < 0.15,
        sentinels=random.random() < 0.1,
        one_tag=random.random() < 0.4,
        whole_seconds=random.random() < 0.5,
        power=random.choice([1380.0, 3680.0, 7360.0, 11000.0, 11000.0, 22000.0, 50000.0, 150000.0]),
        interval=random.choice([300, 900, 1800]),
        # A stop of the session's could be above the start's lifetime register if that were young.
        base=8_000_000 if registers is Registers.STOP_OF_SESSION else random.choice(BASES),
    )


def _of_session(random: Random) -> Series:
    return random.choice([Series.SESSION, Series.INTERVAL, Series.LIFETIME_BESIDE, Series.TOTAL, Series.NONE])


def _mostly(random: Random, usual: T, others: type[T]) -> T:
    return usual if random.random() < 0.7 else random.choice(list(others))  # type: ignore[call-overload]
