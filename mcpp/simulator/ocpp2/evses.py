"""What a virtual charging station has of EVSEs and transactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from mcpp_generated.ocpp21.models import (
    ChargingStateEnumType,
    ConnectorStatusEnumType,
    EVSEType,
    IdTokenType,
    OperationalStatusEnumType,
)

_HOUR: Final = timedelta(hours=1)


@dataclass
class Transaction:
    """One that runs."""

    id: str
    evse: EVSEType
    register_at_start: int
    """Wh."""
    seq_no: int = 0
    """Of its next event."""
    state: ChargingStateEnumType = ChargingStateEnumType.IDLE
    token: IdTokenType | None = None


@dataclass
class Evse:
    """One with its connectors."""

    id: int
    statuses: dict[int, ConnectorStatusEnumType]
    """By connector."""
    register: float
    """Wh, of its life."""
    power: float = 11_040.0
    """W, that a car draws while it charges."""
    plugged: int | None = None
    """The connector that a car is at."""
    transaction: Transaction | None = None
    availability: dict[int, OperationalStatusEnumType] = field(default_factory=dict)
    """By connector, where one was asked for; it's kept until then where a transaction runs."""

    @property
    def power_now(self) -> float:
        """W."""
        running = self.transaction
        return self.power if running is not None and running.state is ChargingStateEnumType.CHARGING else 0.0

    def flow(self, time: timedelta) -> None:
        """So much time passes."""
        self.register += self.power_now * (time / _HOUR)


def evses_of(connectors: Iterable[int]) -> dict[int, Evse]:
    """EVSEs with so many connectors each, numbered from 1."""
    return {
        number: Evse(
            number,
            dict.fromkeys(range(1, count + 1), ConnectorStatusEnumType.AVAILABLE),
            1_204_300.0 + 310_000 * (number - 1),
        )
        for number, count in enumerate(connectors, 1)
    }
