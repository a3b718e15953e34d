"""Virtual chargers for journeys through the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

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


class Charger:
    """A charger that accepts every command unless it's told otherwise, and keeps what it was asked."""

    def __init__(self, point: VirtualChargePoint, asked: list[Call]) -> None:
        self._point = point
        self.asked = asked
        self.verdict = "Accepted"
        """What it answers to commands."""

    async def status(
        self, status: ChargePointStatus, error: ChargePointErrorCode = ChargePointErrorCode.NO_ERROR, connector: int = 1
    ) -> None:
        request = StatusNotificationRequest(connector_id=connector, error_code=error, status=status)
        await self._point.call(actions.STATUS_NOTIFICATION, request)

    async def begin(self, id_tag: str, connector: int = 1, *, ago: timedelta = timedelta()) -> int:
        """A session, of which the charging begins; gives the transaction's id."""
        request = StartTransactionRequest(
            connector_id=connector, id_tag=id_tag, meter_start=0, timestamp=datetime.now(UTC) - ago
        )
        answer = await self._point.call(actions.START_TRANSACTION, request)
        await self.status(ChargePointStatus.CHARGING, connector=connector)
        return answer.transaction_id

    async def measure(self, transaction_id: int, *, power_w: int, energy_wh: int, connector: int = 1) -> None:
        """What flows now."""
        values = [
            SampledValue(value=str(power_w), measurand="Power.Active.Import", unit="W"),
            SampledValue(value=str(energy_wh), measurand="Energy.Active.Import.Register", unit="Wh"),
        ]
        sample = MeterValue(timestamp=datetime.now(UTC), sampled_value=values)
        await self._point.call(
            actions.METER_VALUES,
            MeterValuesRequest(connector_id=connector, transaction_id=transaction_id, meter_value=[sample]),
        )

    async def end(self, transaction_id: int, *, energy_wh: int, connector: int = 1) -> None:
        """The session ends, and the car leaves."""
        request = StopTransactionRequest(
            transaction_id=transaction_id, meter_stop=energy_wh, timestamp=datetime.now(UTC), reason=Reason.LOCAL
        )
        await self._point.call(actions.STOP_TRANSACTION, request)
        await self.status(ChargePointStatus.AVAILABLE, connector=connector)


@asynccontextmanager
async def charger(
    url: str, identity: str, *, vendor: str = "Alfen", model: str = "Eve Single"
) -> AsyncIterator[Charger]:
    """One that has booted, with a free connector."""
    asked: list[Call] = []

    def answer(call: Call) -> bytes:
        asked.append(call)
        return f'{{"status":"{virtual.verdict}"}}'.encode()

    async with VirtualChargePoint(url, identity, "ocpp1.6", spell=SPELLING.__getitem__, answer=answer) as point:
        virtual = Charger(point, asked)
        boot = BootNotificationRequest(charge_point_vendor=vendor, charge_point_model=model, firmware_version="6.1")
        await point.call(actions.BOOT_NOTIFICATION, boot)
        await virtual.status(ChargePointStatus.AVAILABLE)
        yield virtual
