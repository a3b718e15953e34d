"""A virtual charging station with all that it answers."""

from __future__ import annotations

from mcpp.simulator.ocpp2.charging_commands import ChargingCommands
from mcpp.simulator.ocpp2.device_commands import DeviceCommands
from mcpp.simulator.ocpp2.profile_commands import ProfileCommands
from mcpp.simulator.ocpp2.station import Station
from mcpp.simulator.ocpp2.upkeep_commands import UpkeepCommands


def equip(station: Station) -> Station:
    """Have a station do what central systems ask of it; `desk.add` has an action answered in another way."""
    DeviceCommands(station)
    ChargingCommands(station)
    ProfileCommands(station)
    UpkeepCommands(station)
    return station
