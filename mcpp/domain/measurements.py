"""What the samples of a connector say together of its power, voltage, current and state of charge, whoever asks.

Values are taken by quantity and time of measurement: a newer time replaces all phases of the quantity, an older one,
delivered late, changes nothing. The outlet counts before other places, since the inlet may feed several connectors.

Values that were cleared are over, and so is what was measured before them.

A value that nothing follows is stale after three times the gap between the last two, at least after five minutes. Its
age is by the time of receipt, as a charger's clock may be an hour off and still be even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from mcpp.domain.phases import WHOLE, ByPhase, power_of, whole_of, with_sum
from mcpp.domain.samples import CURRENT, POWER, SOC, VOLTAGE, Sample
from mcpp.domain.shapes import Shape, power_of_shape, shape_of

_LEAST_LIFE: Final = 300.0
"""Seconds."""
_LIFE_IN_GAPS: Final = 3

# A longer gap is a pause, and says nothing of how often the charger samples.
_LONGEST_GAP: Final = 3600.0
"""Seconds."""

# Readings of different quantities belong together where they are no further apart.
_TOGETHER: Final = timedelta(minutes=1)

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)

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
    """Not changed once it is here: a scrape may hold it. Empty where it was cleared."""

    def is_fresh(self, now: float) -> bool:
        return now - self.received <= self.life

    def holds(self, now: float) -> bool:
        """Whether it has values, and they are fresh."""
        return bool(self.phases) and self.is_fresh(now)


class Readings:
    """Power, voltage, current and state of charge of a connector, as far as they aren't stale, and its peak power."""

    __slots__ = ("_held", "_life", "_newest", "_received", "_shape", "_shapeless", "_unread", "peak_power_watts")

    def __init__(self) -> None:
        self.peak_power_watts: float | None = None
        """The most that was ever reported, or follows from voltage and current, stale or cleared or not."""
        self._held: dict[str, _Held] = {}
        self._newest: datetime | None = _BEFORE_ALL
        """All that is held or unread was measured by then; None where that must be looked up."""
        self._shapeless = 0
        """How many samples the last message had that was without a shape: the next of as many isn't tried."""
        self._unread: Sequence[Sample] | None = None
        """The newest message, while only its power was looked at: most are replaced before anybody asks."""
        self._shape: Shape = ()
        """The unread message's, as what follows."""
        self._received = 0.0
        self._life: float | None = None
        """As the messages say that it has replaced, which nobody has read either; None where it has replaced none."""

    def take(self, samples: Sequence[Sample], received_at: datetime) -> float | None:
        """Take in the samples of a message.

        Returns the whole connector's power in W at the newest of their times, as reported or from voltage and current;
        None where they don't say it.
        """
        if len(samples) != self._shapeless and (power := self._put_aside(samples, received_at)) is not None:
            return power
        moments = _moments_of(samples)
        if not moments:
            return None
        if self._unread is not None:
            self._read()
        received = received_at.timestamp()
        power = None
        for measured_at in moments if len(moments) == 1 else sorted(moments):
            power = self._take_moment(moments[measured_at], measured_at, received)
            # The next message may come before the next scrape: the peak is looked for in each.
            if power is not None and (self.peak_power_watts is None or power > self.peak_power_watts):
                self.peak_power_watts = power
        self._newest = None
        return power

    def clear(self) -> None:
        """What was measured so far holds no more, nor does what was measured before it and comes late."""
        self._read()
        for held in self._held.values():
            held.phases = {}

    def power_watts(self, now: datetime) -> ByPhase:
        """As reported; else from voltage and current."""
        self._read()
        seconds = now.timestamp()
        if derived := self._derived_power(seconds):
            return with_sum(derived)
        reported = self._fresh(POWER, seconds)
        return with_sum(reported.phases) if reported else {}

    def voltage_volts(self, now: datetime) -> ByPhase:
        """As reported: voltages have no sum."""
        self._read()
        held = self._fresh(VOLTAGE, now.timestamp())
        return held.phases if held else {}

    def current_amperes(self, now: datetime) -> ByPhase:
        """As reported, with the sum of the phases where the charger sends none."""
        self._read()
        held = self._fresh(CURRENT, now.timestamp())
        return with_sum(held.phases) if held else {}

    @property
    def had_current(self) -> bool:
        """Whether a current was ever reported."""
        self._read()
        return CURRENT in self._held

    def soc_percent(self, now: datetime) -> float | None:
        """The car's state of charge, from 0 to 100."""
        self._read()
        held = self._fresh(SOC, now.timestamp())
        percent = -1.0 if held is None else held.phases.get(WHOLE, -1.0)
        return percent if percent >= 0 else None

    def measured_at(self, now: datetime) -> datetime | None:
        """When the newest of these values were measured, by the charger's clock; None where all are stale."""
        self._read()
        seconds = now.timestamp()
        return max((held.measured_at for held in self._held.values() if held.holds(seconds)), default=None)

    def _put_aside(self, samples: Sequence[Sample], received_at: datetime) -> float | None:
        """Keep a message unread where it is the newest of all, and its shape says where its power stands.

        Returns its power. One of the same shape that is still unread is dropped for it: it holds the same quantities.
        """
        shape = shape_of(samples)
        if not shape:
            self._shapeless = len(samples)
            return None
        measured_at, newest = samples[0].measured_at, self._newest
        if newest is None:
            newest = self._newest = max([held.measured_at for held in self._held.values()], default=_BEFORE_ALL)
        if measured_at is not samples[-1].measured_at or measured_at <= newest:
            return None
        power = power_of_shape(shape, samples)
        if power is None:
            return None
        received, life = received_at.timestamp(), None
        if self._unread is not None:
            gap = received - self._received
            if self._shape is shape and gap <= _LONGEST_GAP:
                life = max(_LEAST_LIFE, gap * _LIFE_IN_GAPS)
            else:
                self._read()
        self._unread, self._shape, self._received, self._life = samples, shape, received, life
        self._newest = measured_at
        if self.peak_power_watts is None or power > self.peak_power_watts:
            self.peak_power_watts = power
        return power

    def _read(self) -> None:
        """Read what is still unread."""
        unread = self._unread
        if unread is None:
            return
        self._unread = None
        for measured_at, moment in _moments_of(unread).items():
            if self._life is None:
                self._take_moment(moment, measured_at, self._received)
                continue
            for quantity, (rank, phases) in moment.items():
                self._held[quantity] = _Held(measured_at, self._received, self._life, rank, phases)

    def _take_moment(self, moment: _Moment, measured_at: datetime, received: float) -> float | None:
        """The power of that moment; None where it has none."""
        power: dict[str, float] | None = None
        may_derive = False
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
            elif quantity != SOC:
                may_derive = True
        if power is None and may_derive:
            power = self._derived_power(received)
        return None if power is None else whole_of(power)

    def _fresh(self, quantity: str, now: float) -> _Held | None:
        held = self._held.get(quantity)
        return held if held is not None and held.holds(now) else None

    def _derived_power(self, now: float) -> dict[str, float]:
        """From voltage and current, where no power is reported, or one that is older than the current."""
        power, current = self._fresh(POWER, now), self._fresh(CURRENT, now)
        if current is None or (power is not None and current.measured_at - power.measured_at <= _TOGETHER):
            return {}
        voltage = self._fresh(VOLTAGE, now)
        if voltage is None or abs(current.measured_at - voltage.measured_at) > _TOGETHER:
            return {}
        return power_of(current.phases, voltage.phases)


def _renew(
    held: _Held, rank: int, phases: dict[str, float], measured_at: datetime, received: float
) -> dict[str, float]:
    """Put values in the place of those that are held, unless these are newer; returns all phases of that moment."""
    if not held.phases and measured_at <= held.measured_at and held.is_fresh(received):
        return phases
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
