"""The session of a charging station that speaks OCPP 2.0.1 or 2.1."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from pydantic import BaseModel

from mcpp.csms.version import KnownVersion
from mcpp.simulator.ocpp2.charging_station import equip
from mcpp.simulator.ocpp2.station import Station, card
from mcpp_generated.ocpp21.models import (
    AuthorizeRequest,
    BootNotificationRequest,
    NotifyReportRequest,
    StatusNotificationRequest,
    TransactionEventEnumType,
    TransactionEventRequest,
    TriggerReasonEnumType,
)
from tools.demo.screen import IDENTITY, Screen, short
from tools.demo.script import CHARGES, COMES_UP, ID_TAG, LEAVES, METER_START, PLUGGED_IN, TICK, TICKS, progress


class Session:
    """One charging session, on EVSE 1 of a station with two."""

    def __init__(self, url: str, version: KnownVersion, screen: Screen, pace: float) -> None:
        """`pace` is the time between two messages, in seconds."""
        self._screen = screen
        self._pace = pace
        self._clock = datetime.now(UTC) - TICK * TICKS
        self.station = equip(
            Station(
                url,
                IDENTITY,
                version,
                connectors=(1, 1),
                now=lambda: self._clock,
                seen=self._show,
                items_per_message=50,
                call_timeout=10,
            )
        )

    async def run(self) -> None:
        """From boot to the pulled plug."""
        station, screen = self.station, self._screen
        screen.title(COMES_UP)
        await station.boot()
        screen.title(PLUGGED_IN)
        await station.plug_in(1)
        await station.present(1, card(ID_TAG))
        screen.title(CHARGES)
        for _ in range(TICKS):
            self._clock += TICK
            station.evses[1].flow(TICK)
            await station.sample(1)
        await station.heartbeat()
        screen.title(LEAVES)
        await station.unplug(1)

    async def _show(self, action: str, request: BaseModel, response: BaseModel) -> None:
        self._screen.message(action, _told(request), short(response))
        await asyncio.sleep(self._pace)


def _told(request: BaseModel) -> str:
    match request:
        case BootNotificationRequest(charging_station=station):
            return f"{station.vendor_name} {station.model}, firmware {station.firmware_version}"
        case StatusNotificationRequest():
            return f"EVSE {request.evse_id}, connector {request.connector_id} is {request.connector_status.value}"
        case AuthorizeRequest():
            return f"card {request.id_token.id_token}"
        case NotifyReportRequest():
            return f"{len(request.report_data or ())} variables"
        case TransactionEventRequest():
            return _told_event(request)
        case _:
            return ""


def _told_event(request: TransactionEventRequest) -> str:
    register = next((value.sampled_value[0].value for value in request.meter_value or ()), None)
    if register is not None and request.event_type is TransactionEventEnumType.UPDATED:
        return progress(float(register))
    told = f"{request.event_type.value}, {request.trigger_reason.value}"
    if request.trigger_reason is TriggerReasonEnumType.CHARGING_STATE_CHANGED:
        state = request.transaction_info.charging_state
        told = f"{request.event_type.value}, {'' if state is None else state.value}"
    return told if register is None else f"{told}, {register / 1000:.1f} kWh"


async def charge(url: str, version: KnownVersion, screen: Screen, pace: float) -> None:
    """A whole session at the central system of this URL."""
    session = Session(url, version, screen, pace)
    session.station.evses[1].register = METER_START
    async with session.station:
        await session.run()
