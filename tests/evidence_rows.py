"""The table of evidence, row by row: what a charger sends in a session, and what it is billed for.

Each row is asked of everybody who says what a session took, see `tests/integration/test_evidence_everywhere.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mcpp.domain.samples import ENERGY_INTERVAL, ENERGY_REGISTER, SampleKind
from mcpp_generated.db.enums import Implausible

Sampled = dict[str, str]

LIFE: Final = 5_000_000
"""What a meter that has seen some years shows, in Wh."""


def energy(number: object, unit: str = "Wh", phase: str = "", **more: str) -> Sampled:
    """A value of imported energy."""
    texts = {"value": str(number), "measurand": ENERGY_REGISTER, "unit": unit, "phase": phase, **more}
    return {name: text for name, text in texts.items() if text or name == "value"}


def kind_of(sampled: Sampled) -> SampleKind:
    """With the defaults of OCPP 1.6 §7.43, whether the contract knows its texts or not."""
    return SampleKind(
        sampled["measurand"],
        sampled.get("phase", ""),
        sampled.get("unit", "Wh"),
        sampled.get("context", "Sample.Periodic"),
        sampled.get("location", "Outlet"),
        sampled.get("format", "Raw"),
    )


def phases(*numbers: object, unit: str = "Wh", suffix: str = "", **more: str) -> tuple[Sampled, ...]:
    """The same of L1, L2, L3."""
    return tuple(energy(number, unit, f"L{phase}{suffix}", **more) for phase, number in enumerate(numbers, 1))


@dataclass(frozen=True)
class Message:
    """A MeterValues with one entry, sent when it was measured."""

    minute: float
    samples: Sequence[Sampled]
    names_it: bool = True
    from_elsewhere: bool = False
    """From another connector."""


def at(minute: float, *samples: Sampled, names_it: bool = True, from_elsewhere: bool = False) -> Message:
    return Message(minute, samples, names_it, from_elsewhere)


def readings(*numbers: object, unit: str = "Wh", phase: str = "", **more: str) -> tuple[Message, ...]:
    """One each ten minutes."""
    return tuple(at(10 * count, energy(number, unit, phase, **more)) for count, number in enumerate(numbers, 1))


@dataclass(frozen=True)
class Row:
    says: str
    start: int
    """meterStart."""
    messages: Sequence[Message]
    wh: int | None
    """What it took by its values; None where they say nothing."""
    stop: int | None = None
    """meterStop, after an hour."""
    bill: int | None = None
    """By values and stop."""
    reason: Implausible | None = None
    """Of the bill where there is a stop, else of its recovery."""
    facts: dict[str, str | int] = field(default_factory=dict)
    """What the evidence says of how the values were read, after a recovery."""


def row(says: str, start: int, messages: Sequence[Message], wh: int | None, **more: str | int) -> Row:
    return Row(says, start, messages, wh, facts=more)


def stopped(
    says: str,
    start: int,
    messages: Sequence[Message],
    stop: int,
    bill: int,
    reason: Implausible | None = None,
    *,
    wh: int | None = None,
) -> Row:
    return Row(says, start, messages, wh, stop, bill, reason)


_SUM = {"form": "sum_of_phases"}
_ONE = {"form": "one_phase"}
_SESSION = {"register": "session"}
_INTERVAL = {"measurand": ENERGY_INTERVAL}
_INLET = {"location": "Inlet"}
_CLOCK = {"context": "Sample.Clock"}
_END = {"context": "Transaction.End"}

ROWS: Final = (
    # The register, in each unit and form.
    row("the meter's register", LIFE, readings(LIFE + 100, LIFE + 300), 300),
    row("in kWh", LIFE, readings("5000.1", "5000.345", unit="kWh"), 345),
    row("without a unit it's in Wh", LIFE, readings(LIFE + 300, unit=""), 300),
    row("a register that began at 0", 0, readings(0, 200, 500), 500),
    row("a register that doesn't move", LIFE, readings(LIFE, LIFE), 0),
    row("tenths of a Wh", LIFE, readings("5000100.4"), 100),
    row("exponents", LIFE, readings("5.0001E+6"), 100),
    row("blanks around it", LIFE, readings(" 5000100 "), 100),
    row("an unknown context", LIFE, readings(LIFE + 100, context="Sample.Whatever"), 100),
    row("an unknown place", LIFE, readings(LIFE + 100, location="Sky"), 100),
    row("an unknown format", LIFE, readings(LIFE + 100, format="Cooked"), 100),
    # Phases.
    row("three phases without a total", LIFE,
        [at(10, *phases(2_000_100, 1_500_100, 1_500_100)), at(20, *phases(2_000_200, 1_500_200, 1_500_200))],
        600, **_SUM),
    row("three phases to neutral, in kWh", LIFE, [at(10, *phases(2000.1, 1500.1, 1500.1, unit="kWh", suffix="-N"))],
        300, **_SUM),
    row("three phases in messages of their own", LIFE,
        [at(10, sample) for sample in phases(2_000_100, 1_500_100, 1_500_100)], 300, **_SUM),
    row("three phases in messages of their own, the last first", LIFE,
        [at(10, sample) for sample in reversed(phases(2_000_100, 1_500_100, 1_500_100))], 300, **_SUM),
    row("phases that count from the start", LIFE, [at(10, *phases(100, 100, 50)), at(20, *phases(200, 200, 100))], 500,
        **_SUM, **_SESSION),
    row("a total beside its phases", LIFE, [at(10, *phases(100, 100, 100), energy(LIFE + 301))], 301),
    row("a total before its phases", LIFE, [at(10, energy(LIFE + 301), *phases(100, 100, 100))], 301),
    row("the only register is L1's", LIFE, readings(LIFE + 700, phase="L1"), 700, **_ONE),
    row("the only register is N's", LIFE, readings(LIFE + 700, phase="N"), 700, **_ONE),
    row("the only register is L1-N's", LIFE, readings(LIFE + 700, phase="L1-N"), 700, **_ONE),
    row("the neutral is no part of a sum", 0, [at(10, *phases(100, 100, 100), energy(9, phase="N"))], 300, **_SUM),
    row("each phase repeats the total", LIFE, [at(10, *phases(LIFE + 300, LIFE + 300, LIFE + 300))], 300, **_ONE),
    # Place.
    row("the outlet before the inlet", LIFE, [at(10, energy(LIFE + 900, **_INLET), energy(LIFE + 300))], 300),
    row("the inlet after the outlet", LIFE, [at(10, energy(LIFE + 300)), at(20, energy(LIFE + 900, **_INLET))], 300),
    row("the cable before the inlet", LIFE,
        [at(10, energy(LIFE + 900, **_INLET), energy(LIFE + 300, location="Cable"))], 300),
    row("nothing but the inlet", LIFE, readings(LIFE + 900, **_INLET), 900),
    row("nothing but the car's", LIFE, readings(900, location="EV"), 900, **_SESSION),
    Row("the building's meter is nobody's bill", LIFE, readings(80_000_000, 80_010_000, **_INLET), None,
        reason=Implausible.MORE_THAN_POSSIBLE),
    row("an outlet that counts the session, an inlet its life", LIFE,
        [at(10, energy(LIFE + 320, **_INLET), energy(300))], 300, **_SESSION),
    # Of the session, of the meter's life, mislabelled.
    row("values of the session", LIFE, readings(0, 120, 480), 480, **_SESSION),
    row("values of the session in kWh", LIFE, readings("0.0", "0.12", "0.48", unit="kWh"), 480, **_SESSION),
    row("kWh labelled Wh", 1_234_500, readings("1234.6", "1235.1"), 600, register="kilowatt_hours"),
    row("a session's Wh that look like the start's kWh", 150_000, readings(160, 900, 2500), 2500, **_SESSION),
    row("no register at the start, a meter's life since", -1, readings(LIFE, LIFE + 400), 400, register="within"),
    row("0 at the start, a meter's life since", 0, readings(LIFE, LIFE + 400), 400, register="within"),
    row("no register at the start, values of the session", -1, readings(0, 400), 400, **_SESSION),
    # Intervals.
    row("intervals alone", LIFE, readings(100, 150, 50, **_INTERVAL), 300, register="intervals"),
    row("intervals in kWh", LIFE, readings("0.1", "0.25", unit="kWh", **_INTERVAL), 350, register="intervals"),
    row("intervals by phase", LIFE,
        [at(10, *phases(30, 30, 40, **_INTERVAL)), at(20, *phases(10, 10, 10, **_INTERVAL))], 130,
        **_SUM, register="intervals"),
    row("an interval that comes twice", LIFE,
        [at(10, energy(100, **_INTERVAL)), at(10, energy(100, **_INTERVAL))], 100, register="intervals"),
    row("intervals out of order", LIFE,
        [at(20, energy(70, **_INTERVAL)), at(10, energy(100, **_INTERVAL))], 170, register="intervals"),
    row("a register before intervals", LIFE, [at(10, energy(99, **_INTERVAL), energy(LIFE + 300))], 300),
    row("intervals where the register rests", LIFE, [at(10, energy(99, **_INTERVAL), energy(LIFE))], 99,
        register="intervals"),
    # What falls.
    row("a moment at 0", LIFE, readings(LIFE + 100, 0, LIFE + 300), 300),
    row("a moment at something lower", LIFE, readings(LIFE + 300, LIFE + 120, LIFE + 310), 310),
    row("0 at the end", LIFE, readings(LIFE + 100, LIFE + 300, 0, 0), 300, fell_to_wh=0),
    row("something lower at the end", LIFE, readings(LIFE + 100, LIFE + 300, LIFE + 120), 300, fell_to_wh=LIFE + 120),
    row("a register that begins anew", LIFE, readings(LIFE + 100, LIFE + 300, 20, 60), 300, fell_to_wh=60),
    row("of the session, back to 0", LIFE, readings(100, 300, 0), 300, **_SESSION, fell_to_wh=0),
    row("0 before all else", LIFE, readings(0, LIFE + 100, LIFE + 300), 300),
    row("something lower before all else", LIFE, readings(700, LIFE + 100, LIFE + 300), 300),
    row("one misread value far above", LIFE, readings(LIFE + 100, LIFE + 150_000, LIFE + 200, LIFE + 300), 300),
    # What stands for nothing, or can't be.
    row("a sentinel among readings", LIFE, readings(LIFE + 100, 2**32 - 1, LIFE + 300), 300),
    row("a sentinel in kWh", LIFE, (*readings(2**31 - 1, unit="kWh"), at(20, energy(LIFE + 300))), 300),
    row("a sentinel before all else", LIFE, readings(2**32 - 1, LIFE + 300), 300),
    row("65535 that can be true", 65_000, readings(65_100, 65_535), 535),
    row("65535 kWh", LIFE, (*readings(65_535, unit="kWh"), at(20, energy(LIFE + 300))), 300),
    row("negative values", LIFE, readings(-1, LIFE + 300), 300),
    row("no numbers", LIFE, readings("NaN", "n/a", "", "1E+400000", "-Infinity"), None),
    row("signed data is no number", LIFE, readings(LIFE + 300, format="SignedData"), None),
    row("energy that is sent back", LIFE,
        [at(10, {"value": str(LIFE + 300), "measurand": "Energy.Active.Export.Register", "unit": "Wh"})], None),
    Row("nothing but sentinels", LIFE, readings(2**32 - 1, 2**31 - 1), None, reason=Implausible.SENTINEL),
    Row("more than could be delivered", LIFE, readings(LIFE + 90_000_000), None, reason=Implausible.MORE_THAN_POSSIBLE),
    Row("a sentinel at the start and nothing else", 2**32 - 1, (), None, reason=Implausible.SENTINEL),
    # Names, connectors, order.
    row("no value names it", LIFE, [at(10, energy(LIFE + 300), names_it=False)], 300),
    row("the first values name nothing yet", LIFE,
        [at(1, energy(LIFE + 10), names_it=False), at(10, energy(LIFE + 300))], 300),
    row("the last values name nothing any more", LIFE,
        [at(10, energy(LIFE + 300)), at(20, energy(LIFE + 500), names_it=False)], 500),
    row("a session's values, and the meter's by the clock that name nothing", LIFE,
        [at(10, energy(300)), at(12, energy(LIFE + 340, **_CLOCK), names_it=False)], 340),
    row("another meter that names nothing", LIFE,
        [at(9, energy(LIFE + 4000, **_CLOCK), names_it=False), at(10, energy(LIFE + 300))], 300),
    row("another connector's value that names it", LIFE,
        [at(10, energy(LIFE + 300)), at(20, energy(LIFE + 9000), from_elsewhere=True)], 300),
    row("nothing but another connector's value", LIFE, [at(20, energy(LIFE + 700), from_elsewhere=True)], 700),
    row("readings out of order", LIFE, [at(30, energy(LIFE + 300)), at(10, energy(LIFE + 100))], 300),
    row("a reading that comes twice", LIFE, [at(10, energy(LIFE + 300)), at(10, energy(LIFE + 300))], 300),
    row("a last register of its own context", LIFE,
        [at(10, energy(LIFE + 300)), at(20, energy(LIFE + 400, **_END))], 400),
    row("a session's values with the meter's at the end", LIFE,
        [at(10, energy(300)), at(20, energy(LIFE + 400, **_END))], 400),
    # With a stop.
    stopped("a stop's register is the bill", LIFE, readings(LIFE + 100, LIFE + 300), LIFE + 350, 350, wh=300),
    stopped("without values", LIFE, (), LIFE + 350, 350),
    stopped("life at both ends, the session's between", LIFE, readings(0, 300), LIFE + 350, 350, wh=300),
    stopped("the stop tells the session's", LIFE, readings(0, 300), 350, 300, wh=300),
    stopped("0 at both ends, the session's between", 0, readings(0, 300), 0, 300, wh=300),
    stopped("the stop repeats the start", LIFE, readings(LIFE + 100, LIFE + 300), LIFE, 300, wh=300),
    stopped("the stop repeats the start, and nothing moved", LIFE, readings(LIFE, LIFE), LIFE, 0, wh=0),
    stopped("0 at the stop", LIFE, readings(LIFE + 100, LIFE + 300), 0, 300, wh=300),
    stopped("something lower at the stop", LIFE, readings(LIFE + 100, LIFE + 300), LIFE + 120, 300, wh=300),
    stopped("a stop just below values in tenths of kWh", LIFE, readings("5000.4", unit="kWh"), LIFE + 350, 350, wh=400),
    stopped("-1 at the stop", LIFE, readings(LIFE + 300), -1, 300, wh=300),
    stopped("a sentinel at the stop", LIFE, readings(LIFE + 300), 2**32 - 1, 300, wh=300),
    stopped("a sentinel at the start", 2**32 - 1, readings(LIFE, LIFE + 300), LIFE + 400, 300, wh=300),
    stopped("intervals, and 0 at both ends", 0, readings(100, 200, **_INTERVAL), 0, 300, wh=300),
    stopped("the inlet says more than the stop", LIFE, readings(LIFE + 900, **_INLET), LIFE + 350, 350, wh=900),
    stopped("another's reading after the stop", LIFE, [at(90, energy(LIFE + 9000))], LIFE + 350, 350, wh=9000),
    stopped("it fell, and no value knows better", LIFE, (), 1000, 0, Implausible.NEGATIVE_ENERGY),
    stopped("-1, and no value knows better", LIFE, (), -1, 0, Implausible.NO_READING),
    stopped("2^32-1, and no value knows better", LIFE, (), 2**32 - 1, 0, Implausible.SENTINEL),
    stopped("2^31-1, and no value knows better", LIFE, (), 2**31 - 1, 0, Implausible.SENTINEL),
    stopped("a hundredfold, and no value knows better", LIFE, (), LIFE + 9_000_000, 0, Implausible.MORE_THAN_POSSIBLE),
    stopped("0 at the start, the meter's life at the stop", 0, (), LIFE, 0, Implausible.MORE_THAN_POSSIBLE),
    stopped("no register at the start", -1, (), LIFE, 0, Implausible.NO_READING),
    stopped("65535 after 0", 0, (), 65_535, 65_535),
)  # fmt: skip
