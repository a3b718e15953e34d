"""Values of a connector by phase, and what they say of the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, TypeAlias

WHOLE: Final = ""
"""The phase of what holds for the connector as a whole."""

NEUTRAL: Final = "N"

ByPhase: TypeAlias = Mapping[str, float]
"""Values by phase: WHOLE, `L1`, `L2`, `L3`, `N`, `L1-L2`, `L2-L3`, `L3-L1`."""

_PHASES: Final = ("L1", "L2", "L3")
_LINE_OF_PHASE: Final = {"L1": "L1-L2", "L2": "L2-L3", "L3": "L3-L1"}

# No mains has more than this between a phase and neutral; many have it between phases.
_MOST_PHASE_VOLTS: Final = 300.0


def whole_of(phases: ByPhase) -> float | None:
    """The value of the whole connector: as the charger sends it, else the sum of its phases."""
    if WHOLE in phases:
        return phases[WHOLE]
    parts = [value for phase, value in phases.items() if phase != NEUTRAL]
    return sum(parts) if parts else None


def with_sum(phases: ByPhase) -> ByPhase:
    """Values with that of the whole connector."""
    if WHOLE in phases or (whole := whole_of(phases)) is None:
        return phases
    return {WHOLE: whole, **phases}


def power_of(amperes: ByPhase, volts: ByPhase) -> dict[str, float]:
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
