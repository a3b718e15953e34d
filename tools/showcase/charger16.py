"""The site's chargers that speak OCPP 1.6."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from mcpp.ocpp16.errors import SPELLING
from mcpp.ocppj.frames import Call
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    MeterValue,
    MeterValuesRequest,
    Reason,
    SampledValue,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
)
from tools.showcase.charger import Charger, Model

_NO_ERROR: Final = ChargePointErrorCode.NO_ERROR


class Charger16(Charger):
    """One of them."""

    def __init__(self, model: Model, point: VirtualChargePoint) -> None:
        super().__init__(model)
        self._point = point
        self._running: dict[int, int] = {}
        """Transaction by place."""

    async def come(self) -> None:
        boot = BootNotificationRequest(
            charge_point_vendor=self.model.vendor,
            charge_point_model=self.model.model,
            firmware_version=self.model.firmware,
            charge_point_serial_number=self.model.serial_number,
        )
        await self._point.call(actions.BOOT_NOTIFICATION, boot)
        for place in range(1, self.model.places + 1):
            if self.model.is_broken:
                await self.show_fault(place)
            else:
                await self._status(ChargePointStatus.AVAILABLE, place)

    async def begin(self, card: str, at: datetime, place: int) -> None:
        meter = self.register(place)
        request = StartTransactionRequest(connector_id=place, id_tag=card, meter_start=meter, timestamp=at)
        self._running[place] = (await self._point.call(actions.START_TRANSACTION, request)).transaction_id

    async def measure(self, at: datetime, watts: float, place: int) -> None:
        values = [
            SampledValue(value=str(round(watts)), measurand="Power.Active.Import", unit="W"),
            SampledValue(value=str(self.register(place)), measurand="Energy.Active.Import.Register", unit="Wh"),
        ]
        sample = MeterValue(timestamp=at, sampled_value=values)
        request = MeterValuesRequest(connector_id=place, transaction_id=self._running[place], meter_value=[sample])
        await self._point.call(actions.METER_VALUES, request)

    async def end(self, at: datetime, place: int) -> None:
        request = StopTransactionRequest(
            transaction_id=self._running.pop(place),
            meter_stop=self.register(place),
            timestamp=at,
            reason=Reason.EV_DISCONNECTED,
        )
        await self._point.call(actions.STOP_TRANSACTION, request)

    async def show_charging(self, place: int) -> None:
        await self._status(ChargePointStatus.CHARGING, place)

    async def show_full(self, place: int) -> None:
        await self._status(ChargePointStatus.SUSPENDED_EV, place)

    async def show_fault(self, place: int) -> None:
        await self._status(ChargePointStatus.FAULTED, place, ChargePointErrorCode.GROUND_FAILURE)

    async def _status(self, status: ChargePointStatus, place: int, error: ChargePointErrorCode = _NO_ERROR) -> None:
        request = StatusNotificationRequest(connector_id=place, error_code=error, status=status)
        await self._point.call(actions.STATUS_NOTIFICATION, request)


def _accept(call: Call) -> bytes:
    del call
    return b'{"status":"Accepted"}'


@asynccontextmanager
async def connected(url: str, model: Model) -> AsyncIterator[Charger]:
    """One that is connected while the block runs."""
    subprotocol, spell = f"ocpp{model.version}", SPELLING.__getitem__
    point = VirtualChargePoint(url, model.identity, subprotocol, spell=spell, answer=_accept, call_timeout=30)
    async with point:
        yield Charger16(model, point)
