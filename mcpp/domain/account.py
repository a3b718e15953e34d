"""What the energy values of a transaction say, as they come in. `mcpp.domain.evidence` decides which of them counts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from mcpp.domain.evidence import TOTAL, Claim, Frame, Key, Origin, Series
from mcpp.domain.plausibility import deliverable_wh, elapsed_seconds, is_register, is_sentinel
from mcpp.domain.registers import LEAST_TO_SEE_KWH, PEAKS, Reading, RegisterSeries, read_number
from mcpp.domain.samples import EnergyMeaning
from mcpp_generated.db.enums import Implausible

_LARGEST_WH: Final = 10**15
"""A million GWh is no reading of a charger's meter."""
_WH_DIGITS: Final = 3
"""Digits behind the point with which a kWh says a Wh."""
_MOST_INTERVALS: Final = 20_000
"""Two weeks of one a minute."""


class EnergyAccount:
    """What the energy values of one transaction say, taken in one by one; in which order they come doesn't matter."""

    __slots__ = (
        "_claim",
        "_is_settled",
        "_plain",
        "_received_at",
        "_series",
        "_started_at",
        "refused",
        "start",
    )

    def __init__(
        self, meter_start: int, started_at: datetime, start_received_at: datetime, rated_watts: int | None
    ) -> None:
        self.start: Final = meter_start if is_register(meter_start) else None
        """The register at the start, in Wh; None where it told none that can be one."""
        self.refused: Implausible | None = None
        """Why readings were left out, None where none was."""
        self._started_at = started_at
        self._received_at = start_received_at
        self._series = Series(self.start, rated_watts)
        self._claim: Claim | None = None
        self._is_settled = True
        self._plain: _Plain | None = None

    def could_deliver_wh(self, at: datetime, received_at: datetime) -> int:
        """The most that the connector can have delivered by a time."""
        seconds = elapsed_seconds(self._started_at, self._received_at, at, received_at)
        return deliverable_wh(seconds, self._series.rated_watts)

    def take(self, meaning: EnergyMeaning, text: str, at: datetime, received_at: datetime, origin: Origin) -> None:
        """Take in a value, as sent."""
        number = read_number(text)
        if number is None:
            return
        wh = in_wh(number, meaning.factor)
        if wh is None:
            self.refused = Implausible.SENTINEL
            return
        if meaning.factor != 1:
            resolution_wh = meaning.factor // 10 ** min(len(text.partition(".")[2]), _WH_DIGITS)
            self._series.resolution_wh = max(self._series.resolution_wh, resolution_wh)
        plain = self._plain
        if plain is not None:
            if plain.is_of(meaning, origin) and plain.goes_on(at, wh, received_at):
                return
            self._settle_plain()
        self._is_settled = False
        could_wh = self.could_deliver_wh(at, received_at)
        key = origin is Origin.ELSEWHERE, meaning.rank, meaning.is_interval, origin, meaning.moment
        if meaning.is_interval:
            is_taken = self._take_interval(key, meaning.phase, at, wh, could_wh)
        else:
            phases = self._series.registers.setdefault(key, {})
            register = phases.get(meaning.phase)
            if register is None:
                register = phases[meaning.phase] = RegisterSeries()
            start = self.start
            kilo_wh = None
            if start is not None and wh < start and start >= LEAST_TO_SEE_KWH and meaning.factor == 1:
                kilo_wh = in_wh(number, 1000)
            is_taken = register.take(at, wh, could_wh, start, kilo_wh)
        if not is_taken and self.refused is None:
            self.refused = Implausible.MORE_THAN_POSSIBLE

    def claim(self) -> Claim | None:
        """What the best series says; None where there is none that can be believed."""
        if self._plain is not None and self._plain.recent:
            self._settle_plain()
        if not self._is_settled:
            self._claim, self._is_settled = self._series.best(), True
            self._plain = self._as_plain()
        return self._claim

    @property
    def is_puzzling(self) -> bool:
        """Whether there are readings, but none that can be read."""
        return self.claim() is None and any(
            register.first is not None for phases in self._series.registers.values() for register in phases.values()
        )

    @property
    def energy_wh(self) -> int | None:
        """What was taken by all that is known, in Wh; None where nothing is."""
        if self._plain is not None:
            return self._plain.energy_wh
        claim = self.claim()
        return None if claim is None else claim.energy_wh

    def _as_plain(self) -> _Plain | None:
        """Where one register of the meter's life is all there is, as nearly everywhere."""
        claim, start = self._claim, self.start
        if claim is None or not start or self._series.intervals or len(self._series.registers) != 1:
            return None
        ((key, phases),) = self._series.registers.items()
        register = phases.get(TOTAL)
        if register is None or len(phases) != 1 or claim.frame is not Frame.LIFETIME or claim.fell_to_wh is not None:
            return None
        first, newest = register.first, register.newest
        if first is None or newest is None or not start <= first.wh <= start + first.could_wh:
            return None
        if newest.wh - start != claim.energy_wh:
            return None
        return _Plain(key, start, newest)

    def _settle_plain(self) -> None:
        """Give the register what a plain account has taken in since."""
        plain, self._plain, self._is_settled = self._plain, None, False
        assert plain is not None
        ((_, phases),) = self._series.registers.items()
        for at, wh, received_at in plain.recent:
            phases[TOTAL].take(at, wh, self.could_deliver_wh(at, received_at), self.start, None)

    def _take_interval(self, key: Key, phase: str, at: datetime, wh: int, could_wh: int) -> bool:
        self._series.most_wh = max(self._series.most_wh, could_wh)
        if wh > could_wh:
            return False
        values = self._series.intervals.setdefault(key, {}).setdefault(phase, {})
        if at in values or len(values) < _MOST_INTERVALS:
            values[at] = max(wh, values.get(at, 0))
        return True


class _Plain:
    """An account with one register that rises from its start: its next reading needs no weighing."""

    __slots__ = ("_could_wh", "_meaning", "_origin", "_start", "newest_at", "recent", "wh")

    def __init__(self, key: Key, start: int, newest: Reading) -> None:
        _, rank, is_interval, self._origin, moment = key
        self._meaning = is_interval, TOTAL, rank, moment
        self.newest_at = newest.at
        self.wh = newest.wh
        self.recent: list[tuple[datetime, int, datetime]] = []
        """The last readings, which the register doesn't have yet: when, Wh, received."""
        self._start = start
        self._could_wh = newest.could_wh

    @property
    def energy_wh(self) -> int:
        return self.wh - self._start

    def is_of(self, meaning: EnergyMeaning, origin: Origin) -> bool:
        """Whether a value is of this register, in whatever unit."""
        is_interval, phase, _, rank, moment = meaning
        return origin is self._origin and (is_interval, phase, rank, moment) == self._meaning

    def goes_on(self, at: datetime, wh: int, received_at: datetime) -> bool:
        """Take in a newer reading that is no lower; False where it has to be weighed."""
        if at <= self.newest_at or wh < self.wh or wh > self._start + self._could_wh:
            return False
        self.newest_at, self.wh = at, wh
        self.recent.append((at, wh, received_at))
        if len(self.recent) > PEAKS:
            del self.recent[0]
        return True


def in_wh(number: Decimal | int, factor: int) -> int | None:
    """A register or an interval; None where the number stands for none."""
    if number < 0 or is_sentinel(number):
        return None
    wh = number * factor
    if isinstance(wh, Decimal):
        wh = int(wh.to_integral_value())
    return None if is_sentinel(wh) or wh > _LARGEST_WH else wh
