"""Power, voltage and current of a connector, in whatever form its charger tells them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcpp.domain.measurements import Readings
from mcpp.domain.samples import Sample, SampleKind

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

_MEASURANDS = {"P": ("Power.Active.Import", "W"), "U": ("Voltage", "V"), "I": ("Current.Import", "A")}


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


def sample(
    what: str,
    value: object,
    at: datetime = NOON,
    *,
    unit: str | None = None,
    location: str = "Outlet",
    value_format: str = "Raw",
) -> Sample:
    """`P`, `U` or `I`, perhaps with a phase behind a space, as in `I L1`; any other measurand by its name."""
    measurand, _, phase = what.partition(" ")
    measurand, usual_unit = _MEASURANDS.get(measurand, (measurand, ""))
    kind = SampleKind(measurand, phase, usual_unit if unit is None else unit, "Sample.Periodic", location, value_format)
    return Sample(at, kind, str(value), 0)


def readings(told: Mapping[str, object], at: datetime = NOON) -> Readings:
    """Of one message, received when it was measured."""
    taken = Readings()
    taken.take([sample(what, value, at) for what, value in told.items()], at)
    return taken


@pytest.mark.parametrize(
    ("told", "power"),
    [
        ({"P": 7200}, {"": 7200}),
        ({"P L1": 1000, "P L2": 2000, "P L3": 3000}, {"": 6000, "L1": 1000, "L2": 2000, "L3": 3000}),
        ({"P": 6010, "P L1": 1000, "P L2": 2000, "P L3": 3000}, {"": 6010, "L1": 1000, "L2": 2000, "L3": 3000}),
        ({"P L1-N": 1000, "P L2-N": 2000}, {"": 3000, "L1": 1000, "L2": 2000}),
        ({"P L1": 1000, "P N": 5}, {"": 1000, "L1": 1000, "N": 5}),
        ({"P": 7200, "U": 230, "I": 10}, {"": 7200}),
        ({"P": 0, "U": 230, "I": 10}, {"": 0}),
        ({"P": -4000}, {"": -4000}),
    ],
)
def test_power_is_as_told_and_its_sum_that_of_the_phases(told: dict[str, object], power: dict[str, float]) -> None:
    assert readings(told).power_watts(NOON) == power


@pytest.mark.parametrize(
    ("told", "power"),
    [
        pytest.param({"U": 230, "I": 10}, {"": 2300}, id="one phase, not named"),
        pytest.param({"U": 400, "I": 100}, {"": 40_000}, id="direct current"),
        pytest.param({"U L1-N": 230, "I L1": 10}, {"": 2300, "L1": 2300}, id="one phase, named"),
        pytest.param(
            {"U L1": 230, "U L2": 231, "U L3": 232, "I L1": 1, "I L2": 2, "I L3": 3, "I N": 1},
            {"": 230 + 462 + 696, "L1": 230, "L2": 462, "L3": 696},
            id="three phases",
        ),
        pytest.param(
            {"U": 230, "I L1": 1, "I L2": 2, "I L3": 3},
            {"": 1380, "L1": 230, "L2": 460, "L3": 690},
            id="one voltage for three currents",
        ),
        pytest.param(
            {"U L1-N": 230, "I L1": 1, "I L2": 2, "I L3": 3},
            {"": 1380, "L1": 230, "L2": 460, "L3": 690},
            id="one phase's voltage for three currents",
        ),
        pytest.param(
            {"U L1": 228, "U L2": 230, "U L3": 232, "I": 30}, {"": 6900}, id="the phases' voltages for one current"
        ),
        pytest.param(
            {"U L1-L2": 390, "U L2-L3": 400, "U L3-L1": 410, "I L1": 10, "I L2": 10, "I L3": 10},
            {
                "": 12_000 / math.sqrt(3),
                "L1": 3900 / math.sqrt(3),
                "L2": 4000 / math.sqrt(3),
                "L3": 4100 / math.sqrt(3),
            },
            id="voltages between phases",
        ),
        pytest.param(
            {"U L1-L2": 400, "I L1": 10, "I L2": 10, "I L3": 10},
            {
                "": 12_000 / math.sqrt(3),
                "L1": 4000 / math.sqrt(3),
                "L2": 4000 / math.sqrt(3),
                "L3": 4000 / math.sqrt(3),
            },
            id="one voltage between phases",
        ),
        pytest.param(
            {"U L1-L2": 390, "U L2-L3": 400, "U L3-L1": 410, "I": 30},
            {"": 12_000 / math.sqrt(3)},
            id="voltages between phases, one current",
        ),
        pytest.param(
            {"U": 400, "I L1": 10, "I L2": 10, "I L3": 10},
            {
                "": 12_000 / math.sqrt(3),
                "L1": 4000 / math.sqrt(3),
                "L2": 4000 / math.sqrt(3),
                "L3": 4000 / math.sqrt(3),
            },
            id="one voltage that can only be between phases",
        ),
        pytest.param({"U L1-L2": 240, "I": 30}, {"": 7200}, id="two wires, current not named"),
        pytest.param({"U L1-L2": 240, "I L1": 30}, {"": 7200, "L1": 7200}, id="two wires, one current"),
        pytest.param(
            {"U L1-L2": 240, "I L1": 30, "I L2": 30}, {"": 7200, "L1": 3600, "L2": 3600}, id="two wires, both currents"
        ),
        pytest.param({"U L1": 230, "I N": 1}, {}, id="nothing but the neutral"),
        pytest.param({"I L1": 10}, {}, id="no voltage"),
        pytest.param({"U L1": 230}, {}, id="no current"),
    ],
)
def test_power_that_is_not_told_follows_from_voltage_and_current(
    told: dict[str, object], power: dict[str, float]
) -> None:
    taken = readings(told)

    assert taken.power_watts(NOON) == pytest.approx(power)
    assert taken.peak_power_watts == pytest.approx(power.get(""))


def test_voltages_have_no_sum_and_currents_have_one() -> None:
    told = {"U L1-N": 230, "U L1-L2": 400, "I L1": 6, "I L2": 7, "I L3": 8, "I N": 1}
    taken = readings(told)

    assert taken.voltage_volts(NOON) == {"L1": 230, "L1-L2": 400}
    assert taken.current_amperes(NOON) == {"": 21, "L1": 6, "L2": 7, "L3": 8, "N": 1}
    assert readings({"U": 230, "I": 6}).voltage_volts(NOON) == {"": 230}


@pytest.mark.parametrize(("unit", "watts"), [("W", 7.2), ("kW", 7200), ("", 7.2), ("kVA", 7200)])
def test_units_are_made_one(unit: str, watts: float) -> None:
    taken = Readings()
    taken.take([sample("P", "7.2", unit=unit)], NOON)

    assert taken.power_watts(NOON) == {"": pytest.approx(watts)}


@pytest.mark.parametrize(
    "nonsense",
    [
        sample("P", "abc"),
        sample("P", ""),
        sample("P", "NaN"),
        sample("P", "Infinity"),
        sample("P", "-inf"),
        sample("P", "1e400"),
        sample("P", "65535000", unit="kW"),
        sample("P", "7.2", unit="Wh"),
        sample("P", "4F434D46", value_format="SignedData"),
        sample("U", "4294967295"),
        sample("Power.Offered", "11000", unit="W"),
        sample("Power.Factor", "1"),
        sample("Energy.Active.Import.Register", "1000", unit="Wh"),
        sample("SoC", "55", unit="Percent"),
    ],
    ids=lambda nonsense: f"{nonsense.kind.measurand} {nonsense.value} {nonsense.kind.unit}",
)
def test_what_is_no_reading_is_passed_over(nonsense: Sample) -> None:
    alone, beside = Readings(), Readings()
    alone.take([nonsense], NOON)
    beside.take([sample("P L1", 100), nonsense._replace(kind=replace(nonsense.kind, phase="L1"))], NOON)

    assert (alone.power_watts(NOON), alone.voltage_volts(NOON), alone.current_amperes(NOON)) == ({}, {}, {})
    assert alone.peak_power_watts is None
    assert beside.power_watts(NOON) == {"": 100, "L1": 100}


def test_the_outlet_counts_before_the_inlet_whatever_comes_first() -> None:
    outlet = [sample("P L1", 100), sample("P L2", 100)]
    inlet = [sample("P", 9000, location="Inlet"), sample("P L1", 9000, location="Inlet")]
    forwards, backwards, in_two, only_inlet = Readings(), Readings(), Readings(), Readings()
    forwards.take([*outlet, *inlet], NOON)
    backwards.take([*inlet, *outlet], NOON)
    in_two.take(inlet, NOON)
    in_two.take(outlet, NOON)
    in_two.take([sample("P", 9500, seconds(10), location="Inlet")], seconds(10))
    only_inlet.take(inlet, NOON)

    expected = {"": 200, "L1": 100, "L2": 100}
    assert [taken.power_watts(NOON) for taken in (forwards, backwards, in_two)] == [expected] * 3
    assert only_inlet.power_watts(NOON) == {"": 9000, "L1": 9000}
    assert forwards.peak_power_watts == backwards.peak_power_watts == 200


def test_a_newer_time_replaces_all_phases_and_the_same_time_adds_to_them() -> None:
    taken = readings({"I L1": 6})
    taken.take([sample("I L2", 7)], NOON)
    assert taken.current_amperes(NOON) == {"": 13, "L1": 6, "L2": 7}

    taken.take([sample("I L1", 5, seconds(10))], seconds(10))
    assert taken.current_amperes(seconds(10)) == {"": 5, "L1": 5}


def test_of_a_message_with_several_times_the_newest_counts_in_whatever_order() -> None:
    taken = Readings()
    taken.take([sample("P", 2, seconds(20)), sample("P", 1, seconds(10)), sample("P", 0, NOON)], seconds(21))

    assert taken.power_watts(seconds(21)) == {"": 2}


def test_what_is_delivered_late_changes_nothing_but_the_peak() -> None:
    taken = readings({"P": 3000, "U": 230}, seconds(100))
    taken.take([sample("P", 11_000, seconds(50)), sample("U", 100, seconds(50))], seconds(101))

    assert taken.power_watts(seconds(101)) == {"": 3000}
    assert taken.voltage_volts(seconds(101)) == {"": 230}
    assert taken.peak_power_watts == 11_000


def test_a_clock_that_was_set_back_is_believed_once_the_old_values_are_stale() -> None:
    taken = readings({"P": 3000})
    an_hour_back = timedelta(hours=-1)
    taken.take([sample("P", 1000, seconds(60) + an_hour_back)], seconds(60))
    assert taken.power_watts(seconds(60)) == {"": 3000}

    taken.take([sample("P", 1000, seconds(301) + an_hour_back)], seconds(301))
    assert taken.power_watts(seconds(301)) == {"": 1000}


def test_a_value_that_nothing_follows_is_dropped_after_five_minutes() -> None:
    taken = readings({"P": 3000, "U": 230, "I": 13})

    assert taken.power_watts(seconds(300)) == {"": 3000}
    assert taken.power_watts(seconds(301)) == {}
    assert taken.voltage_volts(seconds(301)) == {}
    assert taken.current_amperes(seconds(301)) == {}
    assert taken.peak_power_watts == 3000


def test_a_charger_that_samples_seldom_is_given_three_times_its_interval() -> None:
    taken = readings({"P": 3000})
    taken.take([sample("P", 3100, seconds(900))], seconds(900))

    assert taken.power_watts(seconds(900 + 2700)) == {"": 3100}
    assert taken.power_watts(seconds(900 + 2701)) == {}


def test_a_pause_is_not_taken_for_an_interval() -> None:
    taken = readings({"P": 3000})
    after = seconds(8 * 3600)
    taken.take([sample("P", 3100, after)], after)

    assert taken.power_watts(after + timedelta(seconds=300)) == {"": 3100}
    assert taken.power_watts(after + timedelta(seconds=301)) == {}


def test_age_is_by_receipt_since_a_clock_may_be_wrong_and_even() -> None:
    behind = timedelta(hours=-2)
    taken = Readings()
    taken.take([sample("P", 3000, NOON + behind)], NOON)
    taken.take([sample("P", 3100, seconds(60) + behind)], seconds(60))

    assert taken.power_watts(seconds(61)) == {"": 3100}


def test_power_falls_when_the_charger_says_so() -> None:
    taken = readings({"P": 3000})
    taken.take([sample("P", 0, seconds(10))], seconds(10))

    assert taken.power_watts(seconds(10)) == {"": 0}
    assert taken.peak_power_watts == 3000


def test_the_peak_of_each_message_counts_told_or_derived() -> None:
    taken = Readings()
    for second, (told, value) in enumerate([("P L1", 2000), ("P L1", 9000), ("P L1", 1000)]):
        taken.take([sample(told, value, seconds(second))], seconds(second))
    assert taken.peak_power_watts == 9000

    derived = Readings()
    for second, amperes in enumerate([6, 32, 6]):
        derived.take([sample("U", 230, seconds(second)), sample("I", amperes, seconds(second))], seconds(second))
    assert derived.peak_power_watts == 230 * 32


def test_voltage_and_current_of_different_messages_go_together_within_a_minute() -> None:
    taken = readings({"U": 230})
    taken.take([sample("I", 10, seconds(60))], seconds(60))
    assert taken.power_watts(seconds(60)) == {"": 2300}

    taken.take([sample("I", 10, seconds(61))], seconds(61))
    assert taken.power_watts(seconds(61)) == {}


def test_power_that_is_told_seldom_gives_way_to_a_current_more_than_a_minute_newer() -> None:
    taken = readings({"P": 3000})
    taken.take([sample("U", 230, seconds(60)), sample("I", 5, seconds(60))], seconds(60))
    assert taken.power_watts(seconds(60)) == {"": 3000}

    taken.take([sample("U", 230, seconds(120)), sample("I", 5, seconds(120))], seconds(120))
    assert taken.power_watts(seconds(120)) == {"": 1150}


def test_power_of_a_message_is_that_of_its_newest_time() -> None:
    taken = Readings()

    assert taken.take([sample("P", 2, seconds(20)), sample("P", 1, seconds(10))], NOON) == 2
    assert taken.take([sample("P L1", 3, seconds(30)), sample("P L2", 4, seconds(30))], seconds(30)) == 7
    assert taken.take([sample("SoC", 50, seconds(40))], seconds(40)) is None
    assert taken.take([sample("U", 230, seconds(50)), sample("I", 9, seconds(50))], seconds(50)) is None, "P is fresh"
    assert taken.take([sample("I", 10, seconds(110))], seconds(110)) == 2300
    assert taken.take([], seconds(110)) is None


def test_the_peak_counts_phases_that_come_apart_and_a_voltage_that_follows_its_current() -> None:
    phases, voltage = Readings(), Readings()
    phases.take([sample("P L1", 2300)], NOON)
    phases.take([sample("P L2", 2300)], NOON)
    voltage.take([sample("I", 10)], NOON)
    voltage.take([sample("U", 230, seconds(10))], seconds(10))

    assert phases.peak_power_watts == phases.power_watts(NOON)[""] == 4600
    assert voltage.peak_power_watts == voltage.power_watts(seconds(10))[""] == 2300
