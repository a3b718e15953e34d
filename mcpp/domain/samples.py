"""Samples as the domain knows them, and what each kind of them means: a quantity, its phase, the factor to its unit.

What their values say is `mcpp.domain.measurements`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from threading import Lock
from typing import Final, NamedTuple, TypeAlias

ENERGY_REGISTER: Final = "Energy.Active.Import.Register"
ENERGY_INTERVAL: Final = "Energy.Active.Import.Interval"
POWER: Final = "Power.Active.Import"
VOLTAGE: Final = "Voltage"
CURRENT: Final = "Current.Import"
SOC: Final = "SoC"
"""State of charge of the car."""

MOST_SHARED: Final = 4096
"""Kinds that are kept at most: a charger may make up more than there are (OCPP 1.6's lists allow 600,000)."""

_RAW: Final = "Raw"
_SIGNED: Final = "SignedData"

# To W, V, A and percent; without a unit they are that already. Chargers label active power as VA, too.
_FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    POWER: {"": 1, "W": 1, "kW": 1000, "VA": 1, "kVA": 1000},
    VOLTAGE: {"": 1, "V": 1},
    CURRENT: {"": 1, "A": 1},
    SOC: {"": 1, "Percent": 1, "%": 1},
}

# Beyond these it's no reading of a charger: 10 MW, 10 kV, 10 kA, a full battery.
_LARGEST: Final[Mapping[str, float]] = {POWER: 1e7, VOLTAGE: 1e4, CURRENT: 1e4, SOC: 100}

# The inlet may feed several connectors: the outlet comes first.
_LOCATIONS: Final = ("Outlet", "Cable", "EV", "Inlet", "Body")

_WH_PER_UNIT: Final[Mapping[str, int]] = {"": 1, "Wh": 1, "kWh": 1000}

BEGIN: Final = "Transaction.Begin"
END: Final = "Transaction.End"

_CLOCK: Final = frozenset({"Sample.Clock"})
_ENDS: Final = frozenset({BEGIN, END})

_ENERGY: Final = "Energy."
_LONGEST_PLAIN: Final = 40
"""Digits of a number that is spelled without an exponent."""

_Texts: TypeAlias = tuple[str, str, str, str, str, str]


class ValueMeaning(NamedTuple):
    """How the value of a sample of power, voltage, current or state of charge is read."""

    quantity: str
    """POWER, VOLTAGE, CURRENT or SOC."""
    phase: str
    """`L1`, `L2`, `L3`, `N`, `L1-L2`, `L2-L3`, `L3-L1`; empty for the whole. `L1-N` is `L1`."""
    factor: float
    """To W, V, A or percent."""
    largest: float
    """In W, V, A or percent; what is greater, negative or not, is no reading."""
    rank: int
    """Of its location, the best is 0; a state of charge is the car's wherever it was read, so always 0."""


class Moment(IntEnum):
    """On what occasion energy was read (OCPP 1.6 §7.34 ReadingContext), the most telling first."""

    SAMPLED = 0
    """Within the session: periodic, on a trigger, at an interruption, or of a made-up context."""
    END = 1
    """At the begin or the end of the session."""
    CLOCK = 2
    """By the clock: chargers read the connector's own meter then, session or not."""


class EnergyMeaning(NamedTuple):
    """How the value of a sample of imported energy is read. What it's evidence of is `mcpp.domain.evidence`."""

    is_interval: bool
    """Energy since the value before, rather than a register (OCPP 1.6 §7.31)."""
    phase: str
    """As in ValueMeaning."""
    factor: int
    """To Wh."""
    rank: int
    """Of its location, the best is 0."""
    moment: Moment


@dataclass(frozen=True, slots=True, eq=False, init=False)
class SampleKind:
    """What a sampled value says of itself; an empty text where there is neither a value nor a default.

    There is one object for each kind, so it is compared and hashed by identity, and what it means is worked out once.
    `dataclasses.replace` makes another kind of it.
    """

    measurand: str
    phase: str
    unit: str
    context: str
    location: str
    format: str
    meaning: ValueMeaning | None = field(init=False, repr=False)
    """None where it isn't power, voltage, current or state of charge, or can't be read."""
    energy: EnergyMeaning | None = field(init=False, repr=False)
    """None where it isn't imported energy, or can't be read."""

    def __new__(
        cls,
        measurand: str,
        phase: str,
        unit: str,
        context: str,
        location: str,
        format: str,  # noqa: A002  the field's name
    ) -> SampleKind:
        """The kind with these texts."""
        texts = (measurand, phase, unit, context, location, format)
        return _shared.get(texts) or _meet(texts)

    def __reduce__(self) -> tuple[type[SampleKind], _Texts]:
        """A copy is the same kind."""
        return SampleKind, self._texts()

    def as_dict(self) -> dict[str, str]:
        """Its texts by their names."""
        return {
            "measurand": self.measurand,
            "phase": self.phase,
            "unit": self.unit,
            "context": self.context,
            "location": self.location,
            "format": self.format,
        }

    def _texts(self) -> _Texts:
        return self.measurand, self.phase, self.unit, self.context, self.location, self.format


class _UnsharedKind(SampleKind):
    """A kind for which the table has no room: there may be several objects of it, equal by their texts."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _UnsharedKind) and self._texts() == other._texts()

    def __hash__(self) -> int:
        return hash(self._texts())


_shared: Final[dict[_Texts, SampleKind]] = {}
_meeting: Final = Lock()


def _meet(texts: _Texts) -> SampleKind:
    """Make a kind known, unless another thread has done so meanwhile."""
    with _meeting:
        if (known := _shared.get(texts)) is not None:
            return known
        is_shared = len(_shared) < MOST_SHARED
        kind = object.__new__(SampleKind if is_shared else _UnsharedKind)
        for name, text in zip(("measurand", "phase", "unit", "context", "location", "format"), texts, strict=True):
            object.__setattr__(kind, name, text)
        object.__setattr__(kind, "meaning", _meaning(kind))
        object.__setattr__(kind, "energy", _energy_meaning(kind))
        if is_shared:
            _shared[texts] = kind
        return kind


def _meaning(kind: SampleKind) -> ValueMeaning | None:
    factor = _FACTORS.get(kind.measurand, {}).get(kind.unit)
    if factor is None or kind.format != _RAW:
        return None
    rank = 0 if kind.measurand == SOC else _rank(kind)
    return ValueMeaning(kind.measurand, _phase(kind), factor, _LARGEST[kind.measurand], rank)


def _energy_meaning(kind: SampleKind) -> EnergyMeaning | None:
    factor = _WH_PER_UNIT.get(kind.unit)
    # Whatever else its place, phase or context is called, it may be the only register there is.
    if factor is None or kind.format == _SIGNED or kind.measurand not in {ENERGY_REGISTER, ENERGY_INTERVAL}:
        return None
    context = kind.context
    moment = Moment.CLOCK if context in _CLOCK else Moment.END if context in _ENDS else Moment.SAMPLED
    return EnergyMeaning(kind.measurand == ENERGY_INTERVAL, _phase(kind), factor, _rank(kind), moment)


def _phase(kind: SampleKind) -> str:
    return kind.phase.removesuffix("-N")


def _rank(kind: SampleKind) -> int:
    return _LOCATIONS.index(kind.location) if kind.location in _LOCATIONS else len(_LOCATIONS)


def told_kind(
    *, measurand: str | None, phase: str | None, unit: str | None, context: str | None, location: str | None
) -> SampleKind:
    """The kind of a number that is told with a multiplier; None where the charger left something out.

    The defaults are those of OCPP 2.0.1 §2 (SampledValueType, UnitOfMeasureType): a register of imported energy, in Wh,
    at the outlet, sampled periodically.
    """
    named = measurand or ENERGY_REGISTER
    default_unit = "Wh" if named.startswith(_ENERGY) else ""
    of_unit = unit or default_unit
    return SampleKind(named, phase or "", of_unit, context or "Sample.Periodic", location or "Outlet", _RAW)


def scaled(value: Decimal, multiplier: int = 0) -> str:
    """The text of value * 10^multiplier, exactly: no digit of a bill is rounded away."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return str(value)  # NaN and the infinities
    exponent += multiplier
    # Nobody's number: a text of so many digits would fill the memory.
    if not -_LONGEST_PLAIN <= exponent <= _LONGEST_PLAIN or len(digits) > _LONGEST_PLAIN:
        plain = "".join(map(str, digits[:_LONGEST_PLAIN]))
        return f"{'-' if sign else ''}{plain}E{exponent + max(len(digits) - _LONGEST_PLAIN, 0):+d}"
    return f"{Decimal((sign, digits, exponent)):f}"


def signed_kind(kind: SampleKind) -> SampleKind:
    """The kind of the signed value that stands beside a plain one: a row of its own."""
    return SampleKind(kind.measurand, kind.phase, kind.unit, kind.context, kind.location, _SIGNED)


class SignedValue(NamedTuple):
    """A value as the meter signed it, so that anybody can prove it later."""

    data: str
    """As sent, in `encoding`."""
    method: str | None
    """How it was signed, such as `ECDSA-secp256k1-SHA256`."""
    encoding: str | None
    """The format of the data, such as `OCMF`."""
    public_key: str | None

    def as_text(self) -> str:
        """As the value of a sample: JSON."""
        told = {"data": self.data, "method": self.method, "encoding": self.encoding, "public_key": self.public_key}
        return json.dumps({name: text for name, text in told.items() if text is not None}, ensure_ascii=False)


class Sample(NamedTuple):
    """One measurement; the value is the charger's text, since signed data is no number."""

    measured_at: datetime
    kind: SampleKind
    value: str
    position: int
    """Place in the charger's list of sampled values."""
