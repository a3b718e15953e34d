"""Sampled values as chargers send them, from what a meter truly shows."""

from __future__ import annotations

from typing import NamedTuple

from tests.walks.habits import Series

SENTINELS = (2**32 - 1, 2**31 - 1, 65535)

Sampled = dict[str, str]

_REGISTER = "Energy.Active.Import.Register"


class Reading(NamedTuple):
    """What there is to be told at one moment."""

    wh: int
    """The connector's lifetime register."""
    session_wh: int | None
    """Since the session began; None where none runs."""
    interval_wh: int
    """Since the sample before."""
    inlet_wh: int
    """The charge point's own meter, of all that it takes."""
    power: float
    """W."""


def sampled(series: Series, reading: Reading) -> list[Sampled]:
    """The values of a moment; the first that tells energy may be spoilt by `spoil`."""
    wh = reading.wh
    power = {"measurand": "Power.Active.Import", "unit": "W", "value": f"{reading.power:.1f}"}
    match series:
        case Series.TOTAL:
            return [{"value": str(wh)}]
        case Series.KILOWATT_HOURS:
            return [power, {"measurand": _REGISTER, "unit": "kWh", "value": f"{wh / 1000:.3f}"}]
        case Series.ONE_PHASE:
            return [{"measurand": _REGISTER, "phase": "L1", "unit": "Wh", "value": str(wh)}]
        case Series.PHASES:
            return _phases(wh)
        case Series.PHASES_AND_TOTAL:
            return [*_phases(wh), {"measurand": _REGISTER, "unit": "Wh", "value": str(wh)}, power]
        case Series.SESSION | Series.LIFETIME_BESIDE:
            return [] if reading.session_wh is None else [power, _register(reading.session_wh)]
        case Series.INTERVAL:
            value = str(reading.interval_wh)
            return [{"measurand": "Energy.Active.Import.Interval", "unit": "Wh", "value": value}]
        case Series.INLET_BESIDE:
            return [{**_register(reading.inlet_wh), "location": "Inlet"}, {**_register(wh), "location": "Outlet"}]
        case Series.NONE:
            return [power]


def at_quarter_hour(reading: Reading) -> list[Sampled]:
    """The connector's lifetime register on the clock (OCPP 1.6 §9.1.7), whatever charges."""
    return [{**_register(reading.wh), "context": "Sample.Clock"}]


def spoil(values: list[Sampled], wh: int) -> list[Sampled]:
    """The same with another value in each place of a register."""
    return [
        {**value, "value": f"{wh / 1000:.3f}" if value.get("unit") == "kWh" else str(wh)}
        if value.get("measurand", _REGISTER) == _REGISTER and value.get("location") != "Inlet"
        else value
        for value in values
    ]


def _register(wh: int) -> Sampled:
    return {"measurand": _REGISTER, "unit": "Wh", "value": str(wh)}


def _phases(wh: int) -> list[Sampled]:
    third = wh // 3
    parts = (("L1", third), ("L2", third), ("L3", wh - 2 * third))
    return [{**_register(part), "phase": phase} for phase, part in parts]
