"""What a session costs: the one rule, for statements, reports and the page of a session alike."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import NamedTuple

from mcpp.domain.prices import Prices, amount_of
from mcpp.reads.times import in_zone


class Priced(NamedTuple):
    """A session's price and what it comes to."""

    price_per_kwh: Decimal | None
    """None where there is none on that day."""
    amount: Decimal | None
    """Rounded once, half to even, to two decimals; None where there is no price or no energy."""


def priced(energy_wh: int | None, stopped_at: datetime, prices: Prices, zone: tzinfo | None) -> Priced:
    """By the price of the day on which it ended in a time zone, None being the machine's; `energy_wh` as it counts."""
    price = prices.on(in_zone(stopped_at, zone).date())
    return Priced(price, None if price is None or energy_wh is None else amount_of(energy_wh, price))
