"""What a session costs, as far as its charger may be told: by the price of the person whose card began it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from mcpp.domain.prices import Prices, amount_of
from mcpp_generated.db.queries import Queries


class Cost(NamedTuple):
    """What an energy costs a person."""

    energy_wh: int
    price_per_kwh: Decimal
    amount: Decimal
    """Rounded once, half to even, to two decimals, as in the person's statement."""
    currency: str | None
    """None where none is set."""


def holder_of(q: Queries, id_tag: str, at: datetime) -> str | None:
    """The person who held a card at a time."""
    holders = [row for row in q.list_holders_of_card(id_tag=id_tag) if row.since_at <= at] if id_tag else []
    return holders[-1].person_id if holders else None


def cost_of(q: Queries, person_id: str, ends_at: datetime, energy_wh: int) -> Cost | None:
    """What a person's session costs; None without a price.

    As in statements, the price is that of the day on which it ends, in the machine's time zone.
    """
    prices = Prices(q.list_prices_of_person(person_id=person_id), q.list_default_prices())
    try:
        day = ends_at.astimezone().date()
    except (OverflowError, ValueError, OSError):  # a clock at the ends of time
        day = ends_at.date()
    price = prices.on(day)
    if price is None:
        return None
    return Cost(energy_wh, price, amount_of(energy_wh, price), prices.currency_on(day))
