"""Who may draw how much: a pure function, in A per phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final, NamedTuple

STEP: Final = Decimal("0.1")
"""Limits are multiples of this (OCPP 1.6 §7.13)."""

NOTHING: Final = Decimal("0.0")


class Connector(NamedTuple):
    """A connector, by its charge point's identity and its number."""

    charge_point_id: str
    connector_id: int


@dataclass(frozen=True, slots=True)
class Demand:
    """A connector that wants current."""

    connector: Connector
    most: Decimal
    """What it can use, at least the minimum."""


def share(available: Decimal, minimum: Decimal, demands: Sequence[Demand]) -> dict[Connector, Decimal]:
    """Divide what is available: the minimum to as many as it lasts for, in order; what is left, evenly.

    Nobody gets less than the minimum but nothing at all, since a car can't charge with less.
    """
    served = sorted(demands[: int(max(available, NOTHING) / minimum)], key=lambda demand: demand.most)
    shares = {demand.connector: NOTHING for demand in demands}
    left = available
    for count, demand in zip(range(len(served), 0, -1), served, strict=True):
        even = (left / count).quantize(STEP, ROUND_DOWN)
        shares[demand.connector] = min(even, demand.most)
        left -= shares[demand.connector]
    return shares
