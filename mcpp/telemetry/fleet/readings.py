"""What a connector draws now, from meter values in whatever unit and phase form its charger uses.

Values are taken by quantity and time of measurement: a newer time replaces all phases of the quantity, an older one,
delivered late, changes nothing. The outlet counts before other places, since the inlet may feed several connectors.

A value that nothing follows is stale after three times the gap between the last two, at least after five minutes. Its
age is by the time of receipt, as a charger's clock may be an hour off and still be even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from mcpp.domain.samples import Sample, SampleKind

WHOLE: Final = ""
"""The phase of what holds for the connector as a whole."""

ByPhase: TypeAlias = Mapping[str, float]
"""Values by phase: WHOLE, `L1`, `L2`, `L3`, `N`, `L1-L2`, `L2-L3`, `L3-L1`."""

_POWER: Final = "Power.Active.Import"
_VOLTAGE: Final = "Voltage"
_CURRENT: Final = "Current.Import"

# To W, V and A; without a unit they are that already.
_FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    _POWER: {"": 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000},
    _VOLTAGE: {"": 1, "V": 1},
    _CURRENT: {"": 1, "A": 1},
}

# Beyond these it's no reading of a charger: 10 MW, 10 kV, 10 kA.
_LARGEST: Final[Mapping[str, float]] = {_POWER: 1e7, _VOLTAGE: 1e4, _CURRENT: 1e4}

_LOCATIONS: Final = ("Outlet", "Cable", "EV", "Inlet", "Body")
_NEUTRAL: Final = "N"
_PHASES: Final = ("L1", "L2", "L3")
_LINE_OF_PHASE: Final = {"L1": "L1-L2", "L2": "L2-L3", "L3": "L3-L1"}

# No mains has more than this between a phase and neutral; many have it between phases.
_MOST_PHASE_VOLTS: Final = 300.0

_LEAST_LIFE: Final = timedelta(minutes=5)
_LIFE_IN_GAPS: Final = 3

# A longer gap is a pause, and says nothing of how often the charger samples.
_LONGEST_GAP: Final = timedelta(hours=1)

# Readings of different quantities belong together where they are no further apart.
_TOGETHER: Final = timedelta(minutes=1)


class _Meaning(NamedTuple):
    """What a kind of sample is read as."""

    quantity: str
    phase: str
    factor: float
    largest: float
    rank: int
    """Of its location, the best is 0."""


class _Values(NamedTuple):
    """A quantity's values of one time and one location."""

    rank: int
    phases: dict[str, float]


_Moment: TypeAlias = dict[str, _Values]
"""What was measured at one time, by quantity."""


class _Held(NamedTuple):
    """The newest values of a quantity."""

    measured_at: datetime
    received_at: datetime
    life: timedelta
    rank: int
    phases: dict[str, float]

    def is_fresh(self, now: datetime) -> bool:
        return now - self.received_at <= self.life


class Readings:
    """Power, voltage and current of a connector, as far as they aren't stale, and its peak power."""

    __slots__ = ("_held", "peak_power_watts")

    def __init__(self) -> None:
        self.peak_power_watts: float | None = None
        """The most that was ever told, or follows from voltage and current, stale or not."""
        self._held: dict[str, _Held] = {}

    def take(self, samples: Sequence[Sample], received_at: datetime) -> None:
        """Heed the samples of a message."""
        moments = _moments_of(samples)
        for measured_at in moments if len(moments) == 1 else sorted(moments):
            moment = moments[measured_at]
            for quantity in [quantity for quantity in moment if self._is_outranked(quantity, moment, received_at)]:
                del moment[quantity]
            for quantity, values in moment.items():
                self._hold(quantity, values, measured_at, received_at)
            self._raise_peak(moment, received_at)

    def power_watts(self, now: datetime) -> ByPhase:
        """As the charger says; else from voltage and current."""
        power, current = self._fresh(_POWER, now), self._fresh(_CURRENT, now)
        if power and not (current and current.measured_at - power.measured_at > _TOGETHER):
            return _with_sum(power.phases)
        voltage = self._fresh(_VOLTAGE, now)
        if current and voltage and abs(current.measured_at - voltage.measured_at) <= _TOGETHER:
            derived = _power_of(current.phases, voltage.phases)
            if derived:
                return _with_sum(derived)
        return _with_sum(power.phases) if power else {}

    def voltage_volts(self, now: datetime) -> ByPhase:
        """As the charger says: voltages have no sum."""
        held = self._fresh(_VOLTAGE, now)
        return held.phases if held else {}

    def current_amperes(self, now: datetime) -> ByPhase:
        """As the charger says, with the sum of the phases where it sends none."""
        held = self._fresh(_CURRENT, now)
        return _with_sum(held.phases) if held else {}

    def _fresh(self, quantity: str, now: datetime) -> _Held | None:
        held = self._held.get(quantity)
        return held if held is not None and held.is_fresh(now) else None

    def _is_outranked(self, quantity: str, moment: _Moment, received_at: datetime) -> bool:
        held = self._held.get(quantity)
        return held is not None and held.rank < moment[quantity].rank and held.is_fresh(received_at)

    def _hold(self, quantity: str, new: _Values, measured_at: datetime, received_at: datetime) -> None:
        held = self._held.get(quantity)
        phases, life = new.phases, _LEAST_LIFE
        if held is not None:
            # What is stale gives way to anything: a clock may have been set back.
            if measured_at < held.measured_at and held.is_fresh(received_at):
                return
            life = held.life
            if measured_at == held.measured_at:
                phases = held.phases | phases if new.rank == held.rank else phases
            elif (gap := received_at - held.received_at) <= _LONGEST_GAP:
                life = max(_LEAST_LIFE, gap * _LIFE_IN_GAPS)
        self._held[quantity] = _Held(measured_at, received_at, life, new.rank, phases)

    def _raise_peak(self, moment: _Moment, received_at: datetime) -> None:
        """Look at the power of each message, since the next may come before the next scrape."""
        if _POWER in moment:
            power = _with_sum(moment[_POWER].phases).get(WHOLE)
        elif _CURRENT in moment:
            power = self.power_watts(received_at).get(WHOLE)
        else:
            return
        if power is not None and (self.peak_power_watts is None or power > self.peak_power_watts):
            self.peak_power_watts = power


@lru_cache(maxsize=4096)
def _meaning(kind: SampleKind) -> _Meaning | None:
    """None where a sample of that kind is nothing that is shown."""
    factor = _FACTORS.get(kind.measurand, {}).get(kind.unit)
    if factor is None or kind.format != "Raw":
        return None
    rank = _LOCATIONS.index(kind.location) if kind.location in _LOCATIONS else len(_LOCATIONS)
    return _Meaning(kind.measurand, kind.phase.removesuffix("-N"), factor, _LARGEST[kind.measurand], rank)


def _moments_of(samples: Sequence[Sample]) -> dict[datetime, _Moment]:
    """What can be read of some samples, of the best location for each quantity and time."""
    moments: dict[datetime, _Moment] = {}
    last: datetime | None = None
    moment: _Moment = {}
    for measured_at, kind, text, _ in samples:
        meaning = _meaning(kind)
        if meaning is None:
            continue
        quantity, phase, factor, largest, rank = meaning
        try:
            value = float(text) * factor
        except ValueError:
            continue
        if not abs(value) <= largest:  # NaN, too
            continue
        if measured_at is not last:
            last, moment = measured_at, moments.setdefault(measured_at, {})
        values = moment.get(quantity)
        if values is None or rank < values.rank:
            moment[quantity] = _Values(rank, {phase: value})
        elif rank == values.rank:
            values.phases[phase] = value
    return moments


def _with_sum(phases: dict[str, float]) -> ByPhase:
    """Values with that of the whole connector, the sum of its phases where the charger sends none."""
    if WHOLE in phases:
        return phases
    parts = [value for phase, value in phases.items() if phase != _NEUTRAL]
    return {WHOLE: sum(parts), **phases} if parts else phases


def _power_of(amperes: ByPhase, volts: ByPhase) -> dict[str, float]:
    """Power in W from current and voltage, of each phase where there are phases; a power factor of 1 is assumed."""
    phases = [phase for phase in _PHASES if phase in amperes]
    if not phases:
        between = _volts_of_whole(volts)
        return {WHOLE: amperes[WHOLE] * between} if WHOLE in amperes and between is not None else {}
    by_phase = {phase: _volts_of_phase(phase, volts, len(phases)) for phase in phases}
    return {phase: amperes[phase] * between for phase, between in by_phase.items() if between is not None}


def _volts_of_whole(volts: ByPhase) -> float | None:
    """The voltage that goes with a current of the whole connector: the sum of its phases, where it has some."""
    if WHOLE in volts:
        return volts[WHOLE]
    to_neutral = [volts[phase] for phase in _PHASES if phase in volts]
    if to_neutral:
        return sum(to_neutral) / len(to_neutral)
    lines = [volts[line] for line in _LINE_OF_PHASE.values() if line in volts]
    if not lines:
        return None
    # One alone is between the two wires that are used, as in networks without a neutral.
    return lines[0] if len(lines) == 1 else sum(lines) / len(lines) / math.sqrt(3)


def _volts_of_phase(phase: str, volts: ByPhase, used: int) -> float | None:
    """The voltage that goes with one phase's current, of so many that are used; the others' where it has none."""
    if phase in volts:
        return volts[phase]
    to_neutral = [volts[other] for other in _PHASES if other in volts]
    if to_neutral:
        return sum(to_neutral) / len(to_neutral)
    lines = {line: volts[line] for line in _LINE_OF_PHASE.values() if line in volts}
    if lines:
        line = lines.get(_LINE_OF_PHASE[phase], sum(lines.values()) / len(lines))
        # Two wires of a split phase, or of a network without a neutral, share one voltage.
        return line / (used if len(lines) == 1 and used < len(_PHASES) else math.sqrt(3))
    whole = volts.get(WHOLE)
    if whole is not None and used == len(_PHASES) and whole > _MOST_PHASE_VOLTS:
        return whole / math.sqrt(3)
    return whole
