"""What a connector's topic shows of its meter values."""

from __future__ import annotations

from datetime import datetime

from mcpp.domain.events import MeterValuesReceived, TransactionStopped
from mcpp.domain.measurements import WHOLE, Readings


class ConnectorReadings:
    """Power of a connector, and energy of its running or last session, as events say."""

    __slots__ = ("_energy_wh", "_readings", "_resting_watts")

    def __init__(self) -> None:
        self._readings = Readings()
        self._energy_wh: int | None = None
        self._resting_watts: float | None = None

    def take(self, event: MeterValuesReceived) -> bool:
        """Take in the samples of a message; whether they say anything of power or energy."""
        has_power = self._readings.take(event.samples, event.at) is not None
        if has_power:
            self._resting_watts = None
        if event.energy_wh is not None:
            self._energy_wh = event.energy_wh
        return event.energy_wh is not None or has_power

    def end(self, event: TransactionStopped) -> None:
        """Take note that a transaction has ended: many chargers measure no more from here on."""
        self._energy_wh = event.energy_wh
        self._readings = Readings()
        self._resting_watts = 0.0

    def facts(self, now: datetime) -> dict[str, float | int | None]:
        """`power_w`, None where it isn't known or stale, and `energy_wh`, None before the first."""
        watts = self._readings.power_watts(now).get(WHOLE, self._resting_watts)
        return {"power_w": None if watts is None else round(watts, 1), "energy_wh": self._energy_wh}
