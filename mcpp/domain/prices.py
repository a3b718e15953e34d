"""What a kWh costs, and what an energy costs by that: decimals, never floats."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from mcpp.domain.errors import DomainError

DECIMALS: Final = 4
"""That a price per kWh may have."""

HIGHEST: Final = Decimal(1_000_000)
"""No price per kWh is higher, in any currency."""

_CENT: Final = Decimal("0.01")


class PriceRefused(DomainError):
    """A text that is no price."""


def read_price(text: str) -> Decimal:
    """A price per kWh, such as `0.295`. Raises PriceRefused, which says what is wrong."""
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        comma = " with a point for the comma" if "," in text else ""
        raise PriceRefused(f"{text[:40]!r} is no price: it should be a number such as 0.295{comma}") from None
    if not price.is_finite() or not 0 <= price <= HIGHEST:
        raise PriceRefused(f"{text[:40]} is no price: it should be from 0 to {HIGHEST}")
    exponent = price.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMALS:
        raise PriceRefused(f"{text[:40]} has more than {DECIMALS} decimals")
    return price + 0  # no negative zero


def spell_decimal(value: Decimal) -> str:
    """A price or an amount as text, without an exponent."""
    return f"{value:f}"


def amount_of(energy_wh: int, price_per_kwh: Decimal) -> Decimal:
    """What an energy costs, rounded once, half to even, to two decimals."""
    return (energy_wh * price_per_kwh).scaleb(-3).quantize(_CENT, ROUND_HALF_EVEN)
