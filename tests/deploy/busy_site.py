"""A small site where everything happens that a metric tells of, over and over."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
from ocpp.v16 import call
from ocpp.v16.datatypes import MeterValue, SampledValue
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Measurand, Phase, Reason, UnitOfMeasure
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import Server

CHARGERS: Final = ("CP-1", "CP-2", "CP-3", "CP-4", "CP-5")

FLAGS: Final = (
    *("--call-timeout", "1"),
    *("--recovery-grace", "1"),
    *("--per-charger-metrics-limit", str(len(CHARGERS) - 1)),
    *("--plugins", "built-ins,clumsy:plugin"),
)

CLUMSY: Final = """
from mcpp.plugins import hookimpl

class plugin:
    @hookimpl
    def charge_point_booted(self, event, site):
        raise RuntimeError("on purpose")
"""

_LOCKED_SECONDS: Final = 6.0
"""Longer than the server waits for another program's lock on the database."""


class BusySite:
    """Chargers of the `ocpp` package and raw ones, until told to stop."""

    def __init__(self, server: Server, database: Path) -> None:
        self._server = server
        self._database = database

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Going on during the block; a failure in it ends the block with that failure."""
        async with _raw(self._server, CHARGERS[3]) as breaker, asyncio.TaskGroup() as work:
            tasks = [work.create_task(_break_rules(breaker))]
            # Before the others come: they would wait for the answers to what couldn't be stored.
            await self._lock_the_database()
            others = (self._charge(), self._forget(), self._come_and_go(), self._be_deaf())
            tasks += [work.create_task(other) for other in others]
            yield
            for task in tasks:
                task.cancel()

    async def _lock_the_database(self) -> None:
        """As a careless program would, while a charger has something to store."""
        locking = sqlite3.connect(self._database, isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        try:
            await asyncio.sleep(_LOCKED_SECONDS)
        finally:
            locking.close()

    async def _charge(self) -> None:
        """A charger that does everything right, session by session, and has faults between them."""
        async with connected_charger(self._server.ocpp_url, CHARGERS[0]) as charger:
            for session in count():
                await charger.ask(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
                for status in (ChargePointStatus.preparing, ChargePointStatus.charging):
                    await _tell(charger, status)
                await _session(charger, register=1000 * session)
                await _tell(charger, ChargePointStatus.faulted, ChargePointErrorCode.ground_failure)
                await charger.ask(call.Heartbeat())
                await asyncio.sleep(1)

    async def _forget(self) -> None:
        """A charger that never says when a transaction is over."""
        async with connected_charger(self._server.ocpp_url, CHARGERS[1]) as charger:
            for meter in count():
                await _start(charger, meter)
                await _tell(charger, ChargePointStatus.available)
                await asyncio.sleep(2.5)

    async def _come_and_go(self) -> None:
        while True:
            async with connected_charger(self._server.ocpp_url, CHARGERS[2]) as charger:
                await charger.ask(call.Heartbeat())
                await asyncio.sleep(1.5)
                await charger.cut()
            await asyncio.sleep(1.5)

    async def _be_deaf(self) -> None:
        """A charger that is sent commands and answers none, beside one that answers with errors."""
        async with _raw(self._server, CHARGERS[4]), httpx.AsyncClient(base_url=self._server.http_url) as operator:
            while True:
                commands = [_reset(operator, CHARGERS[4]) for _ in range(4)]
                await asyncio.gather(*commands, _reset(operator, CHARGERS[1]))


async def _break_rules(socket: ClientConnection) -> None:
    """Say what OCPP doesn't know, and go on where nothing can be stored."""
    boot = {"chargePointModel": "M", "chargePointVendor": "V", "colour": "red"}
    for number in count():
        await socket.send(json.dumps([2, f"b{number}", "BootNotification", boot]))
        await socket.send(json.dumps([2, f"f{number}", "Fly", {}]))
        for message in range(50):
            await socket.send(json.dumps([2, f"h{number}-{message}", "Heartbeat", {}]))
        await asyncio.sleep(0.5)


async def _session(charger: Charger, register: int) -> None:
    transaction = await _start(charger, register)
    begin = datetime.now(UTC)
    for reading in range(6):
        at = begin + timedelta(minutes=reading)
        load = 1 + reading % 3
        phases = (Phase.l1, Phase.l2, Phase.l3)
        values = [SampledValue(value=str(register + 150 * reading))]
        values += [_sample(2300 * load, Measurand.power_active_import, UnitOfMeasure.w, phase) for phase in phases]
        values += [_sample(230 + load, Measurand.voltage, UnitOfMeasure.v, phase) for phase in phases]
        values += [_sample(10 * load, Measurand.current_import, UnitOfMeasure.a, phase) for phase in phases]
        await charger.ask(
            call.MeterValues(
                connector_id=1,
                transaction_id=transaction,
                meter_value=[MeterValue(timestamp=_spelled(at), sampled_value=values)],
            )
        )
        await asyncio.sleep(0.7)
    await charger.ask(
        call.StopTransaction(
            meter_stop=register + 900,
            timestamp=_spelled(begin + timedelta(minutes=6)),
            transaction_id=transaction,
            reason=Reason.ev_disconnected,
        )
    )


def _sample(value: int, measurand: Measurand, unit: UnitOfMeasure, phase: Phase) -> SampledValue:
    return SampledValue(value=str(value), measurand=measurand, unit=unit, phase=phase)


async def _start(charger: Charger, meter: int) -> int:
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag="TAG", meter_start=meter, timestamp=_spelled(datetime.now(UTC)))
    )
    transaction_id: int = started.transaction_id
    return transaction_id


async def _tell(
    charger: Charger, status: ChargePointStatus, error: ChargePointErrorCode = ChargePointErrorCode.no_error
) -> None:
    await charger.ask(call.StatusNotification(connector_id=1, error_code=error, status=status))


async def _reset(operator: httpx.AsyncClient, charge_point: str) -> Any:
    path = f"/api/v1/charge-points/{charge_point}/commands/Reset"
    return await operator.post(path, json={"type": "Soft"}, timeout=30)


@asynccontextmanager
async def _raw(server: Server, identity: str) -> AsyncIterator[ClientConnection]:
    """A connection that sends what it is told to, and takes no notice of what comes."""
    async with connect(f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")]) as socket:
        reading = asyncio.create_task(_ignore(socket))
        try:
            yield socket
        finally:
            reading.cancel()


async def _ignore(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


def _spelled(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
