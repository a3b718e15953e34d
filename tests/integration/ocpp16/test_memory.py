"""What messages used is free once they are answered: nothing waits for the garbage collector, which seldom runs."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from websockets.frames import Opcode

from mcpp.csms.calls import CallContext
from mcpp.csms.services import Services
from mcpp.csms.version import SpokenVersion
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.errors import CommandError
from mcpp.ocppj.flow import Flow, Peer
from mcpp.ocppj.frames import Call, CallError, CallResult
from mcpp.server.events import Events
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp.transport.admission import Admitted, ConnectRequest
from mcpp.transport.charge_point import LiveChargePoint
from mcpp.transport.connection import Connection
from mcpp.transport.listener import OcppListener
from mcpp.transport.registry import Registry
from mcpp_generated.db.sqlite.queries import SqliteQueries
from mcpp_generated.ocpp16.actions import CHANGE_AVAILABILITY
from mcpp_generated.ocpp16.models import AvailabilityType, ChangeAvailabilityRequest
from tests.garbage import uncollected
from tests.integration.transport.support import HOST, OpenDoor, RawSocket, Recorder, soon

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": "2026-04-01T09:00:00Z"}
METER_VALUES = {
    "connectorId": 1,
    "transactionId": 1,
    "meterValue": [{"timestamp": "2026-04-01T09:05:00Z", "sampledValue": [{"value": "1200"}]}],
}
DAY = [
    ("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}),
    ("Authorize", {"idTag": "TAG"}),
    ("StartTransaction", START),
    ("MeterValues", METER_VALUES),
    ("Heartbeat", {}),
    ("DataTransfer", {"vendorId": "com.example"}),
    ("StopTransaction", {"transactionId": 1, "meterStop": 2000, "timestamp": "2026-04-01T10:00:00Z"}),
    # Repaired, and refused.
    ("StatusNotification", {"connectorId": "1", "errorCode": "NoError", "status": "available"}),
    ("Authorize", {}),
    ("MakeCoffee", {}),
]


async def test_nothing_is_left_of_a_charge_points_day(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "mcpp.db")
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    events: list[Event] = []
    services = Services(
        writer, events.extend, Events().wanted, AuthorizationPolicy(), heartbeat_interval=300, memory=memory
    )
    connected = await writer.submit(charge_points.connect, "CP1", "1.6", datetime.now(UTC), register_unknown=True)
    assert isinstance(connected, charge_points.Connected)
    door, recorder = OpenDoor(), Recorder()
    registry = Registry(on_connected=lambda _: None, on_disconnected=lambda _: None)

    async def admit(_: ConnectRequest) -> Admitted:
        return Admitted(Peer(connected.key, "CP1"), connected.epoch, "1.6")

    door.verdict = admit
    listener = OcppListener(
        HOST,
        0,
        "/ocpp",
        dialects=[SpokenVersion(OCPP16, services)],
        admission=door,
        observer=recorder,
        registry=registry,
    )
    port = await listener.start()
    with uncollected(Connection, LiveChargePoint, Flow, CallContext, Call, CallResult, CallError) as newcomers:
        raw = RawSocket(*await asyncio.open_connection(HOST, port))
        await raw.request("/ocpp/CP1")
        await speak(raw)
        await obey(raw, registry)
        await raw.close()

        await newcomers.until_gone(recorder.flows.clear)
    assert len(events) > len(DAY) / 2
    await listener.stop()
    await writer.close()


async def speak(raw: RawSocket) -> None:
    for number, (action, payload) in enumerate(DAY):
        raw.send_frame(Opcode.TEXT, json.dumps([2, str(number), action, payload]).encode())
        answer = json.loads((await raw.frame())[1])
        assert answer[:2] == [4 if number >= len(DAY) - 2 else 3, str(number)]


async def obey(raw: RawSocket, registry: Registry) -> None:
    """Answer commands whose answers are learned from, as it should be and otherwise."""
    request = ChangeAvailabilityRequest(connector_id=1, type=AvailabilityType.OPERATIVE)
    for answer in ('[3,"{}",{{"status":"Accepted"}}]', '[3,"{}",{{}}]', '[4,"{}","InternalError","",{{}}]'):

        async def command() -> None:
            with suppress(CommandError):
                await registry.call("CP1", CHANGE_AVAILABILITY, request)

        commanded = asyncio.create_task(command())
        _, data = await raw.frame()
        raw.send_frame(Opcode.TEXT, answer.format(json.loads(data)[1]).encode())
        await soon(commanded)
