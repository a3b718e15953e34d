"""What a message's samples are together, whatever their values: worked out once for each list of kinds.

Most chargers send the same list of kinds all day. Where that says where a message's power stands, only that needs to be
read when the message comes; all else is read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from mcpp.domain.phases import NEUTRAL, WHOLE
from mcpp.domain.samples import POWER, Sample, SampleKind

_BEST_RANK: Final = 0

# A charger may make up more lists than there are, and long ones.
_MOST_SHAPES: Final = 1024
_MOST_SAMPLES: Final = 64

_kinds_of: Final = itemgetter(1)


class PowerReading(NamedTuple):
    """Where a part of a connector's power stands in a message, and how it is read."""

    place: int
    """Among the message's samples."""
    factor: float
    """To W."""
    largest: float
    """In W; what is greater, negative or not, is no reading."""


Shape: TypeAlias = tuple[PowerReading, ...]
"""The samples whose sum is the power of the whole connector. Empty where the kinds alone don't say it: no power,
several samples of one phase, or values of places that others come before."""

_shapes: Final[dict[tuple[SampleKind, ...], Shape]] = {}


def shape_of(samples: Sequence[Sample]) -> Shape:
    """The shape of a message of one moment; there is one object for each list of kinds that has one."""
    if len(samples) > _MOST_SAMPLES:
        return ()
    kinds = tuple(map(_kinds_of, samples))
    known = _shapes.get(kinds)
    if known is not None:
        return known
    if len(_shapes) >= _MOST_SHAPES:
        return ()
    found = _shapes[kinds] = _find_shape(kinds)
    return found


def power_of_shape(shape: Shape, samples: Sequence[Sample]) -> float | None:
    """The power in W of a message of that shape; None where one of its values can't be read."""
    watts = 0.0
    for place, factor, largest in shape:
        try:
            value = float(samples[place].value) * factor
        except ValueError:
            return None
        if not -largest <= value <= largest:  # NaN, too
            return None
        watts += value
    return watts


def _find_shape(kinds: Sequence[SampleKind]) -> Shape:
    power: dict[str, PowerReading] = {}
    seen: set[tuple[str, str]] = set()
    for place, kind in enumerate(kinds):
        meaning = kind.meaning
        if meaning is None:
            continue
        quantity, phase, factor, largest, rank = meaning
        if rank != _BEST_RANK or (quantity, phase) in seen:
            return ()
        seen.add((quantity, phase))
        if quantity == POWER:
            power[phase] = PowerReading(place, factor, largest)
    if WHOLE in power:
        return (power[WHOLE],)
    return tuple(reading for phase, reading in power.items() if phase != NEUTRAL)
