"""Which register is the bill: what the energy values of a session are evidence of, ranked in one table.

A session's values come as several series: by place, by moment (ReadingContext), by whether they name the transaction
and come from its connector, as register or as intervals, in total or by phase. At most one of them is the bill.
Everybody asks here: live energy, recovery, the operator's close, a stop whose own register can't be true, metrics,
MQTT, trace.

How one series is read, the first that fits its earliest reading which isn't 0 (continuity with the start):

| reading | energy | where |
| --- | --- | --- |
| lifetime | value - meterStart | it continues the start's register (OCPP 1.6 §7.31: the meter's register) |
| kilowatt_hours | 1000 * value - meterStart | it would continue a start of 100 kWh or more, were it not labelled Wh |
| session | value | it doesn't: it counts from the session's start |
| within | value - first value | the start told no register, or 0, and the series is of the meter's life |
| intervals | sum of values | Energy.Active.Import.Interval |

A reading counts where it lies within what could have been delivered by then (`mcpp.domain.plausibility`), and a series
begins within what is likely by then. Of a series the highest reading counts: a register that falls, for a moment or for
good, takes nothing back. Only a single reading that jumps far above what follows it, while that goes on from before the
jump, is misread. The total of a connector comes before the sum of its phases, that before a single phase; but an only
series is the register, whatever it is called.

Which series is the bill, each line deciding where those before it don't:

| rank | better | worse | why |
| --- | --- | --- | --- |
| connector | its own | another's that names the transaction | it's another meter, or the charge point's (§3.8) |
| place | Outlet, Cable, EV | Inlet, Body, made-up ones | the inlet may feed several connectors (§7.38) |
| movement | it moved | it rests at 0 | cheap meters fill in what they don't measure |
| measurand | register | intervals | a lost interval is missing, a register catches up |
| name | names the transaction | names none | the charger's own word |
| moment | sampled | at the ends, by the clock | clock-aligned values run on between sessions |

A register of the same connector and place that is worse by name or moment only, and continues the best one, extends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, TypeAlias, TypeVar

from mcpp.domain.plausibility import LIKELY_WATTS, MOST_WATTS, deliverable_wh
from mcpp.domain.registers import Reading, RegisterSeries
from mcpp.domain.samples import Moment

_AT_CONNECTOR: Final = 1
"""The greatest rank of a place that gives energy to one connector only: its outlet, its cable."""

_NEUTRAL: Final = "N"
TOTAL: Final = ""

_UNSHOWN_WATTS: Final = 50_000
"""As for stops that are matched by a guess (`mcpp.domain.stop_matching`)."""


class Origin(IntEnum):
    """How the message that brought a value speaks of its transaction; stored beside it."""

    NAMED = 0
    """It names the transaction, and comes from its connector."""
    UNNAMED = 1
    """It comes from its connector, in its time, but names none that is known."""
    ELSEWHERE = 2
    """It names the transaction, but comes from another connector."""


class Frame(StrEnum):
    """How the values of a series are read, see the table."""

    LIFETIME = "lifetime"
    KILOWATT_HOURS = "kilowatt_hours"
    SESSION = "session"
    WITHIN = "within"
    INTERVALS = "intervals"


class Form(StrEnum):
    """Of what phases a series is."""

    TOTAL = "total"
    SUM = "sum_of_phases"
    PHASE = "one_phase"


class Claim(NamedTuple):
    """What a series says that its session took."""

    energy_wh: int
    frame: Frame
    form: Form
    first_at: datetime
    """Of its earliest reading that isn't 0."""
    first_wh: int
    """The energy that was taken by then."""
    newest_at: datetime
    """Of its newest reading."""
    fell_to_wh: int | None = None
    """The newest reading, where a higher one counts."""
    resolution_wh: int = 1
    """The least that its values tell apart."""
    below_jump_wh: int | None = None
    """The energy, were the highest reading misread, where it lies far above the next one."""
    is_at_connector: bool = False
    """Measured where its own connector gives energy, rather than at an inlet that may feed others."""


Key: TypeAlias = tuple[bool, int, bool, Origin, Moment]
"""Another connector's, rank of the place, intervals, origin, moment: in the table's order, but for movement."""


class Series:
    """The energy values of one transaction, gathered by series; which of them is the bill is decided here."""

    __slots__ = ("intervals", "most_wh", "rated_watts", "registers", "resolution_wh", "start")

    def __init__(self, start: int | None, rated_watts: int | None) -> None:
        self.start: Final = start
        """The register at the start, in Wh; None where it told none that can be one."""
        self.rated_watts: Final = rated_watts
        self.registers: dict[Key, dict[str, RegisterSeries]] = {}
        """By phase."""
        self.intervals: dict[Key, dict[str, dict[datetime, int]]] = {}
        """Wh by phase and time."""
        self.resolution_wh = 1
        """The least that the values tell apart."""
        self.most_wh = 0
        """What could have been delivered by the last interval."""

    def best(self) -> Claim | None:
        """What the best series says; None where there is none that can be believed."""
        claims = {key: claim for key, phases in self.registers.items() if (claim := self._claim_of(key, phases))}
        claims |= {key: claim for key, phases in self.intervals.items() if (claim := self._sum_of(key, phases))}
        if len(claims) < 2:
            return next(iter(claims.values()), None)
        best = min(claims, key=lambda key: (key[0], key[1], not claims[key].energy_wh, *key[2:]))
        claim = claims[best]
        for key in sorted(claims):
            other = claims[key]
            is_same_register = key[:3] == best[:3] and not key[2]
            if is_same_register and other.energy_wh > claim.energy_wh and _continues(claim, other):
                claim = other
        return claim

    def _claim_of(self, key: Key, phases: dict[str, RegisterSeries]) -> Claim | None:
        if (total := phases.get(TOTAL)) is not None:
            claim = self._read(key, [total], Form.TOTAL)
            if claim is not None or len(phases) == 1:
                return claim
        parts = _parts(phases)
        claim = self._read(key, list(parts.values()), Form.SUM if len(parts) > 1 else Form.PHASE)
        if claim is None and len(parts) > 1:
            # Some repeat the total as each phase.
            alone = (self._read(key, [parts[phase]], Form.PHASE) for phase in sorted(parts))
            claim = next((one for one in alone if one is not None and one.frame is Frame.LIFETIME), None)
        return claim

    def _read(self, key: Key, registers: list[RegisterSeries], form: Form) -> Claim | None:
        """The registers of a series as one, by the first table."""
        newest = [register.newest for register in registers if register.newest is not None]
        if not newest:
            return None
        newest_at, newest_wh = max(reading.at for reading in newest), sum(reading.wh for reading in newest)
        told = _Told(newest_at, self.resolution_wh, is_at_connector=not key[0] and key[1] <= _AT_CONNECTOR)
        firsts = [register.first for register in registers if register.first is not None]
        if not firsts:
            # At 0 all the time: it rests.
            return told.claim(0, Frame.SESSION, form, newest_at, 0)
        first_at, first_wh = min(reading.at for reading in firsts), sum(reading.wh for reading in firsts)
        most_wh = max(reading.could_wh for reading in newest)
        could_wh = max(self._likely_wh(reading, newest_at, newest_wh - first_wh) for reading in firsts)
        start, begin, scale = self.start, 0, 1
        peaks = [register.life for register in registers]
        life = [register.life.top(register.least) or 0 for register in registers]
        # Above all that a session can take, a reading can only be of the meter's life, whatever came before it.
        if start and (start <= first_wh <= start + could_wh or start > most_wh >= sum(life) - start >= 0):
            frame, begin, tops = Frame.LIFETIME, start, life
        elif start and all(register.is_in_kwh for register in registers):
            frame, begin = Frame.KILOWATT_HOURS, start
            peaks = [register.kilo for register in registers]
            tops = [register.kilo.top(start) or 0 for register in registers]
            first_wh, scale = start, 1000
        elif first_wh <= could_wh:
            frame = Frame.LIFETIME if start == 0 else Frame.SESSION
            peaks = [register.session for register in registers]
            tops = [register.session.top(0) or 0 for register in registers]
        elif first_at < newest_at and (start is None or (start == 0 and not key[0] and key[1] == 0)):
            frame, begin, tops = Frame.WITHIN, first_wh, life
        else:
            return None
        energy = sum(tops) - begin
        if not 0 <= energy <= most_wh:
            return None
        fell_to_wh = newest_wh if (newest_wh + 1) * scale - begin <= energy else None
        leasts = [register.least if frame in {Frame.LIFETIME, Frame.WITHIN} else 0 for register in registers]
        below = sum(peak.below_jump(least) or 0 for peak, least in zip(peaks, leasts, strict=True)) - begin
        below_jump_wh = below if 0 <= below < energy else None
        return told.claim(energy, frame, form, first_at, max(first_wh - begin, 0), fell_to_wh, below_jump_wh)

    def _likely_wh(self, first: Reading, newest_at: datetime, rise_wh: int) -> int:
        """What a series that begins at the session's start has reached by its first reading.

        A meter's life may be small enough to be a session's, but not at once: at a start of 0, which tells nothing, it
        isn't likely that more came before the first reading than at 50 kW, or twice the power since.
        """
        if self.rated_watts is not None:
            return first.could_wh
        passed = (newest_at - first.at) / timedelta(hours=1)
        if self.start or passed <= 0:
            return first.could_wh * LIKELY_WATTS // MOST_WATTS
        watts = min(max(2 * rise_wh / passed, _UNSHOWN_WATTS), LIKELY_WATTS)
        return int(first.could_wh * watts / MOST_WATTS)

    def _sum_of(self, key: Key, phases: dict[str, dict[datetime, int]]) -> Claim | None:
        """The intervals of a series added up."""
        parts = {TOTAL: phases[TOTAL]} if TOTAL in phases else _parts(phases)
        form = Form.TOTAL if TOTAL in phases else Form.SUM if len(parts) > 1 else Form.PHASE
        energy = sum(sum(values.values()) for values in parts.values())
        if energy > self.most_wh:
            return None
        first_at = min(min(values) for values in parts.values())
        newest_at = max(max(values) for values in parts.values())
        told = _Told(newest_at, 1, is_at_connector=not key[0] and key[1] <= _AT_CONNECTOR)
        return told.claim(
            energy, Frame.INTERVALS, form, first_at, sum(values.get(first_at, 0) for values in parts.values())
        )


class _Told(NamedTuple):
    """What every claim of a series has."""

    newest_at: datetime
    resolution_wh: int
    is_at_connector: bool

    def claim(
        self,
        wh: int,
        frame: Frame,
        form: Form,
        first_at: datetime,
        first_wh: int,
        fell_to_wh: int | None = None,
        below_jump_wh: int | None = None,
    ) -> Claim:
        return Claim(
            energy_wh=wh,
            frame=frame,
            form=form,
            first_at=first_at,
            first_wh=first_wh,
            newest_at=self.newest_at,
            fell_to_wh=fell_to_wh,
            resolution_wh=self.resolution_wh,
            below_jump_wh=below_jump_wh,
            is_at_connector=self.is_at_connector,
        )


_Part = TypeVar("_Part")


def _parts(phases: Mapping[str, _Part]) -> dict[str, _Part]:
    """The phases that make up a connector; the neutral is one only where there is no other."""
    parts = {phase: part for phase, part in phases.items() if phase not in {TOTAL, _NEUTRAL}}
    return parts or {phase: part for phase, part in phases.items() if phase == _NEUTRAL}


def _continues(best: Claim, other: Claim) -> bool:
    """Whether a series goes on where the best one ends, without being above it before."""
    if other.newest_at <= best.newest_at:
        return False
    if other.first_at <= best.newest_at:
        return other.first_wh <= best.energy_wh
    gap = (other.first_at - best.newest_at) / timedelta(seconds=1)
    return other.first_wh - best.energy_wh <= deliverable_wh(gap, None)
