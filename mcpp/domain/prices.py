"""What a kWh costs whom on which day, and what an energy costs by that: decimals, never floats."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final, Protocol, TypeVar

from mcpp.domain.errors import DomainError
from mcpp.phrases import Phrase
from mcpp_generated.db.models import DefaultPrice, PersonPrice

DECIMALS: Final = 4
"""That a price per kWh may have."""

HIGHEST: Final = Decimal(1_000_000)
"""No price per kWh is higher, in any currency."""

_CENT: Final = Decimal("0.01")


class PriceRefused(DomainError):
    """A text that is no price."""

    def __init__(self, why: Phrase) -> None:
        super().__init__(why)
        self.why: Final = why


def read_price(text: str) -> Decimal:
    """A price per kWh, such as `0.295`. Raises PriceRefused, which says what is wrong."""
    try:
        price = Decimal(text.strip())
    except InvalidOperation:
        if "," in text:
            why = Phrase(
                "{text!r} is no price: it should be a number such as 0.295 with a point for the comma", text=text[:40]
            )
        else:
            why = Phrase("{text!r} is no price: it should be a number such as 0.295", text=text[:40])
        raise PriceRefused(why) from None
    if not price.is_finite() or not 0 <= price <= HIGHEST:
        raise PriceRefused(
            Phrase("{text} is no price: it should be from 0 to {most}", text=text[:40], most=int(HIGHEST))
        )
    exponent = price.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMALS:
        raise PriceRefused(Phrase("{text} has more than {most} decimals", text=text[:40], most=DECIMALS))
    return price + 0  # no negative zero


def spell_decimal(value: Decimal) -> str:
    """A price or an amount as text, without an exponent."""
    return f"{value:f}"


def amount_of(energy_wh: int, price_per_kwh: Decimal) -> Decimal:
    """What an energy costs, rounded once, half to even, to two decimals."""
    return (energy_wh * price_per_kwh).scaleb(-3).quantize(_CENT, ROUND_HALF_EVEN)


class Prices:
    """What a kWh costs one person on which day: their own price, else the default."""

    def __init__(self, own: Sequence[PersonPrice], defaults: Sequence[DefaultPrice]) -> None:
        """Both in the order of their days."""
        self._own = own
        self._defaults = defaults

    def on(self, day: date) -> Decimal | None:
        """The price of that day; None where there is none."""
        own = _newest(self._own, day)
        if own is not None and own.price_per_kwh is not None:
            return own.price_per_kwh
        default = _newest(self._defaults, day)
        return None if default is None else default.price_per_kwh

    def currency_on(self, day: date) -> str | None:
        """The currency of that day; None where none is set."""
        default = _newest(self._defaults, day)
        return None if default is None else default.currency


class _Dated(Protocol):
    @property
    def since(self) -> str: ...


_DatedT = TypeVar("_DatedT", bound=_Dated)


def _newest(prices: Sequence[_DatedT], day: date) -> _DatedT | None:
    position = bisect_right(prices, day.isoformat(), key=lambda price: price.since)
    return prices[position - 1] if position else None
