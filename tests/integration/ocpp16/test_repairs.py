"""What breaks the contract, over a real socket: understood, answered and stored."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.frames import Opcode

from mcpp.csms.services import Services
from mcpp.csms.version import SpokenVersion
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.memory import Memory
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.errors import CallRefused
from mcpp.ocppj.flow import Peer
from mcpp.server.events import Events
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp.transport.admission import Admitted, ConnectRequest
from mcpp.transport.listener import OcppListener
from mcpp.transport.registry import Registry
from mcpp_generated.db.sqlite.queries import SqliteQueries
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    DataTransferRequest,
    GetCompositeScheduleRequest,
    GetConfigurationRequest,
)
from tests.integration.transport.support import HOST, OpenDoor, RawSocket, Recorder, soon

NOW = datetime(2026, 4, 1, 9, 30, 0, 123_456, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
AT = "2026-04-01T09:00:00Z"
AT_MS = NOW_MS - 1_800_123


@dataclass
class Site:
    """A charge point at its socket, and the books behind the server."""

    raw: RawSocket
    registry: Registry
    books: sqlite3.Connection
    said: int = 0

    async def say(self, action: str, payload: str) -> Any:
        """A CALL, its payload as JSON text; gives the answer's elements."""
        self.said += 1
        self.raw.send_frame(Opcode.TEXT, f'[2,"{self.said}","{action}",{payload}]'.encode())
        return json.loads((await self.raw.frame())[1])

    async def understood(self, action: str, payload: object) -> Any:
        """The response to a CALL that must be understood."""
        answer = await self.say(action, payload if isinstance(payload, str) else json.dumps(payload))
        assert answer[0] == 3, answer
        return answer[2]

    async def ask(self, action: Action[Req, Res], request: Req, answer: str) -> Res:
        """What is learned from the answer to a command: the frame's text after the message id."""
        asked = asyncio.create_task(self.registry.call("CP1", action, request))
        message_id = json.loads((await self.raw.frame())[1])[1]
        self.raw.send_frame(Opcode.TEXT, answer.replace("ID", message_id).encode())
        return await soon(asked)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.books.execute(sql).fetchall()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    path = tmp_path / "mcpp.db"
    connection = open_writer(path)
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    services = Services(writer, lambda _: None, Events().wanted, AuthorizationPolicy(), 300, memory, now=lambda: NOW)
    connected = await writer.submit(charge_points.connect, "CP1", "1.6", NOW, register_unknown=True)
    assert isinstance(connected, charge_points.Connected)
    door = OpenDoor()

    async def admit(_: ConnectRequest) -> Admitted:
        return Admitted(Peer(connected.key, "CP1"), connected.epoch, "1.6")

    door.verdict = admit
    registry = Registry(on_connected=lambda _: None, on_disconnected=lambda _: None)
    listener = OcppListener(
        HOST,
        0,
        "/ocpp",
        dialects=[SpokenVersion(OCPP16, services)],
        admission=door,
        observer=Recorder(),
        registry=registry,
    )
    port = await listener.start()
    raw = RawSocket(*await asyncio.open_connection(HOST, port))
    await raw.request("/ocpp/CP1")
    books = sqlite3.connect(path)
    yield Site(raw, registry, books)
    books.close()
    await raw.close()
    await listener.stop()
    await writer.close()


START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": AT}
_STARTED = "SELECT connector_id, id_tag, meter_start, started_at FROM transactions"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timestamp": None}, (1, "TAG", 1000, NOW_MS)),
        ({"timestamp": ""}, (1, "TAG", 1000, NOW_MS)),
        ({"timestamp": "0000-00-00T00:00:00Z"}, (1, "TAG", 1000, NOW_MS)),
        ({"timestamp": "2026/04/01 9:00:00 UTC"}, (1, "TAG", 1000, AT_MS)),
        ({"timestamp": AT_MS}, (1, "TAG", 1000, AT_MS)),
        ({"timestamp": str(AT_MS // 1000)}, (1, "TAG", 1000, AT_MS)),
        ({"meterStart": None}, (1, "TAG", -1, AT_MS)),
        ({"meterStart": "1000.4"}, (1, "TAG", 1000, AT_MS)),
        ({"idTag": None}, (1, "", 1000, AT_MS)),
        ({"connectorId": "1"}, (1, "TAG", 1000, AT_MS)),
    ],
)
async def test_a_start_that_can_be_understood(site: Site, change: dict[str, object], expected: tuple[object]) -> None:
    answer = await site.understood("StartTransaction", START | change)

    assert answer["transactionId"] == 1
    assert site.rows(_STARTED) == [expected]


async def test_a_text_with_a_line_break_in_it(site: Site) -> None:
    started = await site.understood("StartTransaction", json.dumps(START).replace("TAG", "T\nAG\x01"))
    stop = {"transactionId": started["transactionId"], "meterStop": 2000, "timestamp": AT, "idTag": "T\tAG"}
    await site.understood("StopTransaction", json.dumps(stop).replace("\\t", "\t"))

    assert site.rows(_STARTED) == [(1, "T\nAG\x01", 1000, AT_MS)]
    assert site.rows("SELECT meter_stop FROM transactions") == [(2000,)]


@pytest.mark.parametrize("missing", [*START])
async def test_a_start_without_a_field(site: Site, missing: str) -> None:
    await site.understood("StartTransaction", {name: START[name] for name in START if name != missing})


@pytest.mark.parametrize(
    "stop",
    [
        "{}",
        '{"transactionId":1}',
        '{"transactionId":"1","meterStop":null,"timestamp":""}',
        '{"transactionId":1E+400000,"meterStop":1E+400000,"timestamp":1E+400000}',
        f'{{"transactionId":{"9" * 5_000},"meterStop":{"8" * 5_000}}}',
        '{"transactionId":18446744073709551616,"meterStop":18446744073709551615}',
        '{"transactionId":1,"meterStop":2000,"timestamp":"2026-04-01T09:10:00Z","transactionData":[[],{},null,7]}',
        '{"transactionId":1,"meterStop":2000,"timestamp":"2026-04-01T09:10:00Z","reason":"Cable","idTag":[]}',
        '{"transactionId":1,"meterStop":2000,"timestamp":"2026-04-01T09:10:00Z",}',
    ],
)
async def test_a_stop_is_always_answered(site: Site, stop: str) -> None:
    await site.understood("StartTransaction", START)

    await site.understood("StopTransaction", stop)


async def test_a_stop_whose_fields_are_of_other_types(site: Site) -> None:
    await site.understood("StartTransaction", START)
    data = {"timestamp": "", "sampledValue": {"value": 1.5, "unit": "kWh", "context": "Transaction.End"}}
    stop = {"transactionId": "1", "meterStop": "2000", "timestamp": "2026-04-01 09:10:00", "transactionData": data}

    await site.understood("StopTransaction", stop)

    assert site.rows("SELECT meter_stop, stopped_at, stop_reason FROM transactions") == [
        (2000, AT_MS + 600_000, "Local")
    ]
    assert site.rows("SELECT value, measured_at FROM transaction_samples") == [("1.5", AT_MS + 600_000)]


@pytest.mark.parametrize("payload", ["[]", "null", '"text"', "7"])
async def test_what_is_no_object_is_refused(site: Site, payload: str) -> None:
    for action in ("StartTransaction", "StopTransaction", "MeterValues"):
        assert (await site.say(action, payload))[0] == 4


async def test_meter_values_are_stored_entry_by_entry(site: Site) -> None:
    sampled: list[object] = [
        {"value": "1", "measurand": "Voltage"},
        {"measurand": "Voltage"},
        {"value": "50.01", "measurand": "Frequency", "unit": "Hz"},
        {"value": "32", "measurand": "CurrentMax", "format": "CurrentMax", "location": "Wall", "phase": ""},
        None,
    ]
    values = [{"timestamp": AT, "sampledValue": sampled}, {"sampledValue": {"value": "2", "measurand": "Voltage"}}, 5]

    await site.understood("MeterValues", {"connectorId": 1, "transactionId": 2**64, "meterValue": values})

    kinds = "SELECT value, measurand, unit, format, location, measured_at FROM connector_samples"
    assert sorted(site.rows(f"{kinds} JOIN sample_kinds ON sample_kinds.id = kind_id")) == [
        ("1", "Voltage", "", "Raw", "Outlet", AT_MS),
        ("2", "Voltage", "", "Raw", "Outlet", AT_MS),
        ("32", "CurrentMax", "", "CurrentMax", "Wall", AT_MS),
        ("50.01", "Frequency", "Hz", "Raw", "Outlet", AT_MS),
    ]


async def test_a_status_with_an_error_of_its_own(site: Site) -> None:
    await site.understood("StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "faulted"})

    assert site.rows("SELECT status, error_code, vendor_error_code FROM connectors WHERE connector_id = 1") == [
        ("Faulted", "OtherError", "Error")
    ]


async def test_a_boot_without_model(site: Site) -> None:
    assert (await site.understood("BootNotification", {"chargePointVendor": "Acme"}))["status"] == "Accepted"

    assert site.rows("SELECT vendor, model FROM charge_points") == [("Acme", "")]


async def test_one_odd_key_teaches_the_others(site: Site) -> None:
    keys = [
        {"key": "A", "readonly": False, "value": "1"},
        {"key": "B", "readonly": 1, "value": 2},
        {"key": "C", "readonly": "true"},
        {"key": "D", "value": "4"},
        {"key": "E", "readonly": False, "value": None},
        {"readonly": False},
    ]

    response = await site.ask(
        actions.GET_CONFIGURATION, GetConfigurationRequest(), f'[3,"ID",{{"configurationKey":{json.dumps(keys)}}}]'
    )

    assert response.configuration_key is not None
    assert len(response.configuration_key) == 5
    assert site.rows("SELECT key, value, readonly FROM configuration_keys ORDER BY key") == [
        ("A", "1", 0),
        ("B", "2", 1),
        ("C", None, 1),
        ("D", "4", 0),
        ("E", None, 0),
    ]


async def test_answers_with_junk_beside_what_matters(site: Site) -> None:
    junk = '[3,"ID",{"status":"Rejected","scheduleStart":"","chargingSchedule":{},"connectorId":"x"}]'
    schedule = GetCompositeScheduleRequest(connector_id=1, duration=60)
    assert (await site.ask(actions.GET_COMPOSITE_SCHEDULE, schedule, junk)).status == "Rejected"

    data = '[3,"ID",{"status":"Accepted","data":{"a": [1.50]}}]'
    transfer = DataTransferRequest(vendor_id="v")
    assert (await site.ask(actions.DATA_TRANSFER, transfer, data)).data == '{"a": [1.50]}'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('[4,"ID","NotSupported",null,"text"]', ("NotSupported", "", {"details": "text"})),
        ('[4,"ID","NotSupported",null,null]', ("NotSupported", "", {})),
        ('[4,"ID","NotSupported"]', ("NotSupported", "", {})),
    ],
)
async def test_a_call_error_with_faults(site: Site, answer: str, expected: tuple[object, ...]) -> None:
    with pytest.raises(CallRefused) as raised:
        await site.ask(actions.DATA_TRANSFER, DataTransferRequest(vendor_id="v"), answer)

    assert (raised.value.code, raised.value.description, raised.value.details) == expected


async def test_a_crowded_message_is_answered_and_the_rest_of_it_stored(site: Site) -> None:
    await site.understood("StartTransaction", START)
    data = ",".join(["{}"] * 40_000)  # as much as a frame may have by default

    await site.understood("StopTransaction", f'{{"transactionData":[{data}],"transactionId":1,"meterStop":2000}}')

    assert site.rows("SELECT meter_stop, stopped_at FROM transactions") == [(2000, NOW_MS)]
