"""What the samples of a connector say together of its power, voltage and current, whoever asks.

Values are taken by quantity and time of measurement: a newer time replaces all phases of the quantity, an older one,
delivered late, changes nothing. The outlet counts before other places, since the inlet may feed several connectors.

A value that nothing follows is stale after three times the gap between the last two, at least after five minutes. Its
age is by the time of receipt, as a charger's clock may be an hour off and still be even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from mcpp.domain.samples import CURRENT, POWER, VOLTAGE, Sample

WHOLE: Final = ""
"""The phase of what holds for the connector as a whole."""

ByPhase: TypeAlias = Mapping[str, float]
"""Values by phase: WHOLE, `L1`, `L2`, `L3`, `N`, `L1-L2`, `L2-L3`, `L3-L1`."""

_NEUTRAL: Final = "N"
_PHASES: Final = ("L1", "L2", "L3")
_LINE_OF_PHASE: Final = {"L1": "L1-L2", "L2": "L2-L3", "L3": "L3-L1"}

# No mains has more than this between a phase and neutral; many have it between phases.
_MOST_PHASE_VOLTS: Final = 300.0

_LEAST_LIFE: Final = 300.0
"""Seconds."""
_LIFE_IN_GAPS: Final = 3

# A longer gap is a pause, and says nothing of how often the charger samples.
_LONGEST_GAP: Final = 3600.0
"""Seconds."""

# Readings of different quantities belong together where they are no further apart.
_TOGETHER: Final = timedelta(minutes=1)

_Moment: TypeAlias = dict[str, tuple[int, dict[str, float]]]
"""What was measured at one time, by quantity: the rank of the location, and the values by phase."""


@dataclass(slots=True)
class _Held:
    """The newest values of a quantity."""

    measured_at: datetime
    received: float
    """Unix time in seconds, as `life` is."""
    life: float
    rank: int
    phases: dict[str, float]
    """Not changed once it is here: a scrape may hold it."""

    def is_fresh(self, now: float) -> bool:
        return now - self.received <= self.life


class Readings:
    """Power, voltage and current of a connector, as far as they aren't stale, and its peak power."""

    __slots__ = ("_held", "peak_power_watts")

    def __init__(self) -> None:
        self.peak_power_watts: float | None = None
        """The most that was ever reported, or follows from voltage and current, stale or not."""
        self._held: dict[str, _Held] = {}

    def take(self, samples: Sequence[Sample], received_at: datetime) -> float | None:
        """Take in the samples of a message.

        Returns the whole connector's power in W at the newest of their times, as reported or from voltage and current;
        None where they don't say it.
        """
        moments = _moments_of(samples)
        received = received_at.timestamp()
        power: float | None = None
        for measured_at in moments if len(moments) <= 1 else sorted(moments):
            power = self._take_moment(moments[measured_at], measured_at, received)
            # The next message may come before the next scrape: the peak is looked for in each.
            if power is not None and (self.peak_power_watts is None or power > self.peak_power_watts):
                self.peak_power_watts = power
        return power

    def power_watts(self, now: datetime) -> ByPhase:
        """As reported; else from voltage and current."""
        seconds = now.timestamp()
        if derived := self._derived_power(seconds):
            return _with_sum(derived)
        reported = self._fresh(POWER, seconds)
        return _with_sum(reported.phases) if reported else {}

    def voltage_volts(self, now: datetime) -> ByPhase:
        """As reported: voltages have no sum."""
        held = self._fresh(VOLTAGE, now.timestamp())
        return held.phases if held else {}

    def current_amperes(self, now: datetime) -> ByPhase:
        """As reported, with the sum of the phases where the charger sends none."""
        held = self._fresh(CURRENT, now.timestamp())
        return _with_sum(held.phases) if held else {}

    def _take_moment(self, moment: _Moment, measured_at: datetime, received: float) -> float | None:
        """The power of that moment; None where it has none."""
        power: dict[str, float] | None = None
        has_others = False
        for quantity, (rank, new) in moment.items():
            held = self._held.get(quantity)
            if held is None:
                phases = new
                self._held[quantity] = _Held(measured_at, received, _LEAST_LIFE, rank, phases)
            elif held.rank < rank and held.is_fresh(received):
                continue
            else:
                phases = _renew(held, rank, new, measured_at, received)
            if quantity == POWER:
                power = phases
            else:
                has_others = True
        if power is None and has_others:
            power = self._derived_power(received)
        return None if power is None else _whole_of(power)

    def _fresh(self, quantity: str, now: float) -> _Held | None:
        held = self._held.get(quantity)
        return held if held is not None and held.is_fresh(now) else None

    def _derived_power(self, now: float) -> dict[str, float]:
        """From voltage and current, where no power is reported, or one that is older than the current."""
        power, current = self._fresh(POWER, now), self._fresh(CURRENT, now)
        if current is None or (power is not None and current.measured_at - power.measured_at <= _TOGETHER):
            return {}
        voltage = self._fresh(VOLTAGE, now)
        if voltage is None or abs(current.measured_at - voltage.measured_at) > _TOGETHER:
            return {}
        return _power_of(current.phases, voltage.phases)


def _renew(
    held: _Held, rank: int, phases: dict[str, float], measured_at: datetime, received: float
) -> dict[str, float]:
    """Put values in the place of those that are held, unless these are newer; returns all phases of that moment."""
    if measured_at == held.measured_at:
        if rank == held.rank:
            phases = held.phases | phases
    # What is stale yields to anything: a clock may have been set back.
    elif measured_at < held.measured_at and held.is_fresh(received):
        return phases
    elif (gap := received - held.received) <= _LONGEST_GAP:
        held.life = max(_LEAST_LIFE, gap * _LIFE_IN_GAPS)
    held.measured_at, held.received, held.rank, held.phases = measured_at, received, rank, phases
    return phases


def _moments_of(samples: Sequence[Sample]) -> dict[datetime, _Moment]:
    """What can be read of some samples, of the best location for each quantity and time."""
    moments: dict[datetime, _Moment] = {}
    last: datetime | None = None
    moment: _Moment = {}
    for measured_at, kind, text, _ in samples:
        meaning = kind.meaning
        if meaning is None:
            continue
        quantity, phase, factor, largest, rank = meaning
        try:
            value = float(text) * factor
        except ValueError:
            continue
        if not -largest <= value <= largest:  # NaN, too
            continue
        if measured_at is not last:
            last, moment = measured_at, moments.setdefault(measured_at, {})
        values = moment.get(quantity)
        if values is None or rank < values[0]:
            moment[quantity] = rank, {phase: value}
        elif rank == values[0]:
            values[1][phase] = value
    return moments


def _whole_of(phases: ByPhase) -> float | None:
    """The value of the whole connector: as the charger sends it, else the sum of its phases."""
    if WHOLE in phases:
        return phases[WHOLE]
    parts = [value for phase, value in phases.items() if phase != _NEUTRAL]
    return sum(parts) if parts else None


def _with_sum(phases: dict[str, float]) -> ByPhase:
    """Values with that of the whole connector."""
    if WHOLE in phases or (whole := _whole_of(phases)) is None:
        return phases
    return {WHOLE: whole, **phases}


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
