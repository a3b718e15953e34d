"""What a charger of the site does, whatever version it speaks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Model:
    """What a charger says of itself."""

    identity: str
    name: str
    vendor: str
    model: str
    firmware: str
    kilowatts: float
    places: int = 1
    """Where a car can charge: connectors in 1.6, EVSEs of one connector in 2.x."""
    version: str = "1.6"
    """Of OCPP."""
    is_broken: bool = False
    """Since some hours."""

    @property
    def serial_number(self) -> str:
        return f"{sum(map(ord, self.identity)) * 7919 % 10**8:08}"


class Charger(ABC):
    """One of them, connected; it charges one car at each place."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._registers: dict[int, int] = {}
        """Wh by place."""

    def register(self, place: int) -> int:
        """Wh, of its life."""
        return self._registers.setdefault(place, 1_200_000 + 310_000 * len(self.model.identity))

    async def charge(self, since: datetime, until: datetime, every: timedelta, place: int, *, fills: bool) -> None:
        """Power and energy from one time to another: full power, and less and less where the battery fills."""
        length = (until - since).total_seconds()
        at = since
        while at <= until:
            done = (at - since).total_seconds() / length
            is_full_power = done < 0.7 or not fills
            watts = 970 * self.model.kilowatts * (1 if is_full_power else math.exp(-5 * (done - 0.7)))
            watts *= 1 + 0.015 * math.sin(40 * done)
            self._registers[place] = self.register(place) + round(watts * every.total_seconds() / 3600)
            await self.measure(at, watts, place)
            at += every

    @abstractmethod
    async def come(self) -> None:
        """It boots, and says how its places stand: free, or broken."""

    @abstractmethod
    async def begin(self, card: str, at: datetime, place: int) -> None:
        """A session begins."""

    @abstractmethod
    async def measure(self, at: datetime, watts: float, place: int) -> None:
        """What flows, and the register."""

    @abstractmethod
    async def end(self, at: datetime, place: int) -> None:
        """The session ends."""

    @abstractmethod
    async def show_charging(self, place: int) -> None:
        """Tell now that a car charges."""

    @abstractmethod
    async def show_full(self, place: int) -> None:
        """Tell now that a car takes nothing any more."""

    @abstractmethod
    async def show_fault(self, place: int) -> None:
        """Something is wrong."""
