"""Energy to the Wh, prices and amounts, as documents have them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from markupsafe import Markup

from mcpp.web.charts import Words
from mcpp.web.spelling import NOTHING, Spelling

_CENTS: Final = 2
_MOST_DIGITS: Final = 6


class Amounts:
    """Spells them for one viewer; its methods are what templates of documents call."""

    def __init__(self, spelling: Spelling, words: Words) -> None:
        self._spelling = spelling
        self._words = words

    def kwh(self, wh: int) -> Markup:
        """Wh as kWh to the Wh, without the unit."""
        return Markup('<data value="{}">{}</data>').format(wh, self._words.number(wh / 1000, 3))

    def register(self, wh: int) -> Markup:
        """A meter's register with its unit."""
        return self.kwh(wh) + Markup("&nbsp;kWh")

    def amount(self, value: Decimal | None, currency: str | None) -> Markup:
        """An amount of money, with its currency where it is given."""
        if value is None:
            return NOTHING
        if currency is not None:
            return self._spelling.money(value, currency)
        return Markup('<data value="{}">{}</data>').format(value, self._words.number(float(value), _CENTS))

    def price(self, per_kwh: Decimal | None, currency: str | None) -> Markup:
        """A price per kWh, with all its decimals."""
        if per_kwh is None:
            return NOTHING
        exponent = per_kwh.normalize().as_tuple().exponent
        digits = -exponent if isinstance(exponent, int) else _CENTS
        text = self._words.number(float(per_kwh), max(_CENTS, min(_MOST_DIGITS, digits)))
        if currency is None:
            return Markup('<data value="{}">{}</data>').format(per_kwh, text)
        spelled = Markup('<data value="{}" data-as="price" data-currency="{}">{}&nbsp;{}</data>')
        return spelled.format(per_kwh, currency, text, currency)
