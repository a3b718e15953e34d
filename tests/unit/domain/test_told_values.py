"""Values that are told as a number and a power of ten: exactly that number, whatever is put before it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcpp.domain.registers import read_number
from mcpp.domain.samples import ENERGY_REGISTER, SignedValue, scaled, signed_kind, told_kind


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None), st.integers(-20, 20))
@example(Decimal("12345678901234567890123456789012345"), 3)
def test_nothing_is_rounded(value: Decimal, multiplier: int) -> None:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)

    text = scaled(value, multiplier)
    if len(digits) <= 40:
        assert Decimal(text) == Decimal((sign, digits, exponent + multiplier))


@pytest.mark.parametrize(
    ("value", "multiplier", "text"),
    [
        ("1.5", 3, "1500"),
        ("1500", 0, "1500"),
        ("-2.50", 0, "-2.50"),
        ("7", -3, "0.007"),
        ("0", 0, "0"),
        ("NaN", 2, "NaN"),
    ],
)
def test_it_is_spelled_as_people_do(value: str, multiplier: int, text: str) -> None:
    assert scaled(Decimal(value), multiplier) == text


@pytest.mark.parametrize("multiplier", [2**31 - 1, -(2**31)])
def test_an_enormous_power_takes_no_memory_and_is_no_reading(multiplier: int) -> None:
    text = scaled(Decimal("1.5"), multiplier)

    assert len(text) < 50
    assert multiplier < 0 or read_number(text) is None


def test_what_is_left_out_is_a_register_of_energy_in_wh() -> None:
    kind = told_kind(measurand=None, phase=None, unit=None, context=None, location=None)
    power = told_kind(measurand="Power.Active.Import", phase="L1", unit="kW", context=None, location=None)

    assert (kind.measurand, kind.unit, kind.context, kind.location) == (
        ENERGY_REGISTER,
        "Wh",
        "Sample.Periodic",
        "Outlet",
    )
    assert kind.energy is not None
    assert power.meaning is not None
    assert (power.meaning.factor, power.meaning.phase) == (1000, "L1")


def test_a_signed_value_bills_nothing_and_keeps_what_proves_it() -> None:
    kind = signed_kind(told_kind(measurand=None, phase=None, unit=None, context=None, location=None))
    kept = json.loads(SignedValue("T0NNRg==", "ECDSA-secp256k1-SHA256", "OCMF", "oca:base16:asn1:30").as_text())

    assert kind.energy is None
    assert kept == {
        "data": "T0NNRg==",
        "method": "ECDSA-secp256k1-SHA256",
        "encoding": "OCMF",
        "public_key": "oca:base16:asn1:30",
    }
