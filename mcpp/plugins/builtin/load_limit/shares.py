"""Who may draw how much: a pure function, in A per phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final, NamedTuple

from mcpp.domain.memory import NO_EVSE

STEP: Final = Decimal("0.1")
"""Limits are multiples of this (OCPP 1.6 §7.13)."""

NOTHING: Final = Decimal("0.0")


class Connector(NamedTuple):
    """A connector, by its charge point's identity and its numbers."""

    charge_point_id: str
    connector_id: int
    """0 for all of an EVSE's, which is limited as a whole."""
    evse_id: int = NO_EVSE

    @property
    def facts(self) -> dict[str, str | int]:
        """What log lines say of it."""
        facts: dict[str, str | int] = {"charge_point_id": self.charge_point_id, "connector_id": self.connector_id}
        return facts if self.evse_id == NO_EVSE else {**facts, "evse_id": self.evse_id}

    @property
    def key(self) -> str:
        """By which it's remembered: the number, before that the EVSE's where there are EVSEs, and the identity."""
        number = str(self.connector_id) if self.evse_id == NO_EVSE else f"{self.evse_id}/{self.connector_id}"
        return f"{number} {self.charge_point_id}"

    @classmethod
    def of_key(cls, key: str) -> Connector:
        """The one that is remembered by that key."""
        numbers, _, charge_point_id = key.partition(" ")
        evse_id, _, connector_id = numbers.rpartition("/")
        return cls(charge_point_id, int(connector_id), int(evse_id or NO_EVSE))


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
