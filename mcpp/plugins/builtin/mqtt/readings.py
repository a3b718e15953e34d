"""What a connector's topic shows of its meter values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mcpp.domain.measurements import LatestRegister, Readings
from mcpp.domain.phases import WHOLE
from mcpp.domain.samples import Sample


class ConnectorReadings:
    """Power and meter register of a connector, as its meter values say."""

    __slots__ = ("_readings", "_register", "_resting_watts")

    def __init__(self) -> None:
        self._readings = Readings()
        self._register = LatestRegister()
        self._resting_watts: float | None = None

    def take(self, samples: Sequence[Sample], received_at: datetime) -> bool:
        """Take in the samples of a message; whether they say anything of power or register."""
        has_power = self._readings.take(samples, received_at) is not None
        if has_power:
            self._resting_watts = None
        return self._register.take(samples, received_at) or has_power

    def end(self) -> None:
        """Take note that a transaction has ended: many chargers measure no more from here on."""
        self._readings = Readings()
        self._resting_watts = 0.0

    def facts(self, now: datetime) -> dict[str, float | int | None]:
        """`power_w`, None where it isn't known or stale, and `energy_wh`, None before the first."""
        watts = self._readings.power_watts(now).get(WHOLE, self._resting_watts)
        return {"power_w": None if watts is None else round(watts, 1), "energy_wh": self._register.wh}
