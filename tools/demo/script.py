"""What happens, whatever version the charger speaks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

ID_TAG: Final = "DEMO-CARD"
METER_START: Final = 1_204_300
"""Wh."""
POWER: Final = 11_040
"""W."""
TICKS: Final = 8
TICK: Final = timedelta(minutes=5)

COMES_UP: Final = "The charger comes up"
PLUGGED_IN: Final = "A car is plugged in, a card is shown"
CHARGES: Final = f"It charges (each line is {TICK // timedelta(minutes=1)} minutes of the charger's clock)"
LEAVES: Final = "The car is full and leaves"


def progress(register: float) -> str:
    """What a register tells, with a bar."""
    bar = "█" * round((register - METER_START) / 500)
    return f"{(register - METER_START) / 1000:5.2f} kWh at {POWER / 1000:.1f} kW {bar}"
