"""The session of a charger that speaks OCPP 1.6."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mcpp.ocpp16.errors import SPELLING
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizeRequest,
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    HeartbeatRequest,
    MeterValue,
    MeterValuesRequest,
    Reason,
    SampledValue,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
)
from tools.demo.screen import IDENTITY, Screen, short
from tools.demo.script import CHARGES, COMES_UP, ID_TAG, LEAVES, METER_START, PLUGGED_IN, POWER, TICK, TICKS, progress


@dataclass
class Session:
    """One charging session of the virtual charge point."""

    charger: VirtualChargePoint
    screen: Screen
    pace: float
    """Seconds between two messages."""

    async def send(self, action: Action[Req, Res], request: Req, sent: str) -> Res:
        """Send a CALL and show it with its answer."""
        response = await self.charger.call(action, request)
        self.screen.message(action.name, sent, short(response))
        await asyncio.sleep(self.pace)
        return response

    async def status(self, status: ChargePointStatus) -> None:
        request = StatusNotificationRequest(connector_id=1, error_code=ChargePointErrorCode.NO_ERROR, status=status)
        await self.send(actions.STATUS_NOTIFICATION, request, f"connector 1 is {status.value}")

    async def run(self) -> None:
        """From boot to the pulled plug."""
        self.screen.title(COMES_UP)
        boot = BootNotificationRequest(
            charge_point_vendor="MCPP",
            charge_point_model="Demo",
            firmware_version="1.0",
            charge_point_serial_number="1",
        )
        await self.send(actions.BOOT_NOTIFICATION, boot, "MCPP Demo, firmware 1.0")
        await self.status(ChargePointStatus.AVAILABLE)
        self.screen.title(PLUGGED_IN)
        await self.status(ChargePointStatus.PREPARING)
        await self.send(actions.AUTHORIZE, AuthorizeRequest(id_tag=ID_TAG), f"card {ID_TAG}")
        clock = datetime.now(UTC) - TICK * TICKS
        start = StartTransactionRequest(connector_id=1, id_tag=ID_TAG, meter_start=METER_START, timestamp=clock)
        started = await self.send(actions.START_TRANSACTION, start, f"register {METER_START / 1000:.1f} kWh")
        await self.status(ChargePointStatus.CHARGING)
        self.screen.title(CHARGES)
        register = METER_START
        for _ in range(TICKS):
            clock += TICK
            register += POWER * TICK // timedelta(hours=1)
            await self._meter_values(started.transaction_id, register, clock)
        await self.send(actions.HEARTBEAT, HeartbeatRequest(), "")
        self.screen.title(LEAVES)
        stop = StopTransactionRequest(
            id_tag=ID_TAG,
            meter_stop=register,
            timestamp=clock,
            transaction_id=started.transaction_id,
            reason=Reason.EV_DISCONNECTED,
        )
        await self.send(actions.STOP_TRANSACTION, stop, f"register {register / 1000:.1f} kWh")
        await self.status(ChargePointStatus.AVAILABLE)

    async def _meter_values(self, transaction_id: int, register: int, clock: datetime) -> None:
        samples = [
            SampledValue(value=str(register), measurand="Energy.Active.Import.Register", unit="Wh"),
            SampledValue(value=str(POWER), measurand="Power.Active.Import", unit="W"),
            SampledValue(value="230.1", measurand="Voltage", phase="L1", unit="V"),
        ]
        request = MeterValuesRequest(
            connector_id=1,
            transaction_id=transaction_id,
            meter_value=[MeterValue(timestamp=clock, sampled_value=samples)],
        )
        await self.send(actions.METER_VALUES, request, progress(register))


async def charge(url: str, screen: Screen, pace: float) -> None:
    """A whole session at the central system of this URL."""
    charger = VirtualChargePoint(url, IDENTITY, "ocpp1.6", spell=SPELLING.__getitem__, call_timeout=10)
    async with charger:
        await Session(charger, screen, pace).run()
