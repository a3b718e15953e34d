"""Everything a 1.6 charge point can send, as JSON in and JSON out over a real database file."""

from __future__ import annotations

import inspect
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mcpp.csms.services import Services
from mcpp.csms.version import SpokenVersion
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.actions import Sender
from mcpp.ocppj.errors import CallFault, ErrorCode, Unanswerable
from mcpp.ocppj.flow import Direction, Flow, Peer, new_correlation_id
from mcpp.ocppj.frames import Call
from mcpp.server.events import Events
from mcpp.storage.sqlite.database import open_writer
from mcpp.storage.sqlite.migrations import migrate
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.sqlite.queries import SqliteQueries
from mcpp_generated.ocpp16.actions import ACTIONS

NOW = datetime(2026, 4, 1, 9, 30, 0, 123_456, tzinfo=UTC)
NOW_SPELLED = "2026-04-01T09:30:00.123Z"
TIME = "2026-04-01T09:00:00Z"
METER_VALUE = {
    "timestamp": TIME,
    "sampledValue": [{"value": "1200"}, {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"}],
}


class Central:
    """A dialect over a database, spoken to as the transport would."""

    def __init__(
        self, writer: Writer[Queries], memory: Memory, writing: sqlite3.Connection, connection: sqlite3.Connection
    ) -> None:
        self.writer = writer
        self.writing = writing
        self.connection = connection
        self.events: list[Event] = []
        self.flow: Flow | None = None
        policy = AuthorizationPolicy()
        services = Services(writer, self._publish, Events().wanted, policy, 300, memory, now=lambda: NOW)
        self.dialect = SpokenVersion(OCPP16, services)
        self.stamps = services.stamps
        self.key = 0

    def _publish(self, events: Iterable[Event]) -> None:
        self.events.extend(events)

    async def say(self, action: str, payload: object) -> Any:
        """One CALL of the charge point; gives the response's JSON."""
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        peer = Peer(self.key, "CP-1")
        self.flow = flow = Flow(peer, Direction.IN, action, "1", new_correlation_id(), 0.0)
        answer = self.dialect.handle(flow, Call("1", action, text))
        response = answer if isinstance(answer, bytes) else await answer
        if flow.after_answer is not None:
            flow.after_answer()
        return json.loads(response)

    def row(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.connection.execute(sql).fetchone()
        return found


@pytest.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    path = tmp_path / "mcpp.db"
    connection = open_writer(path)
    migrate(connection)
    memory = Memory()
    writer = Writer(connection, SqliteQueries(connection), memory=memory)
    reader = sqlite3.connect(path)
    central = Central(writer, memory, connection, reader)
    connected = await writer.submit(charge_points.connect, "CP-1", "1.6", NOW, register_unknown=True)
    assert isinstance(connected, charge_points.Connected)
    central.key = connected.key
    yield central
    reader.close()
    await writer.close()


ANSWERS = [
    ("Authorize", {"idTag": "TAG"}, {"idTagInfo": {"status": "Accepted"}}),
    (
        "BootNotification",
        {"chargePointVendor": "Acme", "chargePointModel": "One"},
        {"status": "Accepted", "currentTime": NOW_SPELLED, "interval": 300},
    ),
    ("DataTransfer", {"vendorId": "com.example", "messageId": "x", "data": "y"}, {"status": "UnknownVendorId"}),
    ("DiagnosticsStatusNotification", {"status": "Uploading"}, {}),
    ("FirmwareStatusNotification", {"status": "Installing"}, {}),
    ("Heartbeat", {}, {"currentTime": NOW_SPELLED}),
    ("LogStatusNotification", {"status": "Uploading", "requestId": 7}, {}),
    ("MeterValues", {"connectorId": 1, "meterValue": [METER_VALUE]}, {}),
    ("SecurityEventNotification", {"type": "ResetOrReboot", "timestamp": TIME}, {}),
    ("SignCertificate", {"csr": "-----BEGIN CERTIFICATE REQUEST-----"}, {"status": "Rejected"}),
    ("SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 8}, {}),
    (
        "StartTransaction",
        {"connectorId": 1, "idTag": "TAG", "meterStart": 1000, "timestamp": TIME},
        {"transactionId": 1, "idTagInfo": {"status": "Accepted"}},
    ),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}, {}),
    (
        "StopTransaction",
        {"transactionId": 99, "meterStop": 2000, "timestamp": TIME, "idTag": "TAG"},
        {"idTagInfo": {"status": "Accepted"}},
    ),
]


@pytest.mark.parametrize(("action", "payload", "expected"), ANSWERS, ids=[action for action, _, _ in ANSWERS])
async def test_the_answer(central: Central, action: str, payload: object, expected: object) -> None:
    assert await central.say(action, payload) == expected
    assert central.flow is not None
    assert central.flow.deviations == []


def test_the_table_above_holds_every_action_that_a_charge_point_sends() -> None:
    sent = {action.name for action in ACTIONS.values() if action.sender is not Sender.CENTRAL_SYSTEM}

    assert {action for action, _, _ in ANSWERS} == sent


@pytest.mark.parametrize(
    ("action", "payload", "sql", "expected"),
    [
        (
            "BootNotification",
            {"chargePointVendor": "Acme", "chargePointModel": "One", "chargePointSerialNumber": "S" * 30},
            "SELECT vendor, model, serial_number, boot_accepted_at IS NOT NULL FROM charge_points",
            ("Acme", "One", "S" * 30, 1),
        ),
        (
            "DiagnosticsStatusNotification",
            {"status": "Uploaded"},
            "SELECT kind, status FROM charge_point_reports",
            ("diagnostics", "Uploaded"),
        ),
        (
            "FirmwareStatusNotification",
            {"status": "Installed"},
            "SELECT kind, status FROM charge_point_reports",
            ("firmware", "Installed"),
        ),
        (
            "LogStatusNotification",
            {"status": "Uploaded", "requestId": 7},
            "SELECT kind, status, request_id FROM charge_point_reports",
            ("log", "Uploaded", 7),
        ),
        (
            "SignedFirmwareStatusNotification",
            {"status": "Installed", "requestId": 8},
            "SELECT kind, status, request_id FROM charge_point_reports",
            ("signed_firmware", "Installed", 8),
        ),
        (
            "SecurityEventNotification",
            {"type": "TamperDetectionActivated", "timestamp": TIME, "techInfo": "lid"},
            "SELECT type, tech_info FROM security_events",
            ("TamperDetectionActivated", "lid"),
        ),
        (
            "StatusNotification",
            {
                "connectorId": 2,
                "errorCode": "GroundFailure",
                "status": "Faulted",
                "info": "i",
                "vendorId": "v",
                "vendorErrorCode": "e",
                "timestamp": TIME,
            },
            "SELECT connector_id, status, error_code, info, vendor_id, vendor_error_code, status_at FROM connectors",
            (2, "Faulted", "GroundFailure", "i", "v", "e", 1_775_034_000_000),
        ),
        (
            "MeterValues",
            {"connectorId": 1, "meterValue": [METER_VALUE]},
            (
                "SELECT group_concat(measurand || '=' || value || unit, ' ') FROM connector_samples"
                " JOIN sample_kinds ON sample_kinds.id = kind_id ORDER BY position"
            ),
            ("Energy.Active.Import.Register=1200Wh Power.Active.Import=7.4kW",),
        ),
        (
            "StopTransaction",
            {"transactionId": 99, "meterStop": 2000, "timestamp": TIME},
            "SELECT kind, claimed_transaction_id, payload FROM unmatched",
            ("stop", 99, '{"meterStop":2000,"timestamp":"2026-04-01T09:00:00.000Z","transactionId":99}'),
        ),
    ],
)
async def test_what_is_answered_is_stored(
    central: Central, action: str, payload: object, sql: str, expected: object
) -> None:
    await central.say(action, payload)
    await central.say(action, payload)

    assert central.row(sql) == expected


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("MakeCoffee", {}, ErrorCode.NOT_IMPLEMENTED),
        ("Reset", {"type": "Soft"}, ErrorCode.NOT_SUPPORTED),
        ("Authorize", b"{", ErrorCode.FORMAT_VIOLATION),
        ("Authorize", {}, ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION),
        ("Authorize", {"idTag": ["TAG"]}, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("StopTransaction", [], ErrorCode.FORMAT_VIOLATION),
        ("StopTransaction", None, ErrorCode.FORMAT_VIOLATION),
        ("StopTransaction", "text", ErrorCode.FORMAT_VIOLATION),
    ],
)
async def test_what_cannot_be_understood_is_a_fault(
    central: Central, action: str, payload: object, code: ErrorCode
) -> None:
    with pytest.raises(CallFault) as raised:
        await central.say(action, payload)

    assert raised.value.code is code


async def test_a_deviation_is_repaired_stored_and_reported(central: Central) -> None:
    start = {"connectorId": "1", "idTag": "TAG", "meterStart": 1000, "timestamp": "2026-04-01T09:00:00", "x": None}

    assert (await central.say("StartTransaction", start))["transactionId"] == 1
    assert central.flow is not None
    assert sorted(d.rule for d in central.flow.deviations) == [
        "text_for_number",
        "timestamp_without_zone",
        "unknown_field",
    ]


async def start_until_full(central: Central) -> int:
    """How many starts were answered before the disk was full."""
    for number in count():
        start = {"connectorId": 1, "idTag": "TAG", "meterStart": number, "timestamp": TIME}
        try:
            await central.say("StartTransaction", start)
        except Unanswerable as error:
            assert "full" in str(error)
            return number
    raise AssertionError("unreachable")


async def test_what_could_not_be_stored_is_not_answered(central: Central) -> None:
    def limit(pages: int) -> object:
        return central.writing.execute(f"PRAGMA max_page_count = {pages}").fetchone()

    await central.writer.submit(lambda _: limit(1))
    answered = await start_until_full(central)
    stored = central.row("SELECT count(*) FROM transactions")
    await central.writer.submit(lambda _: limit(100_000))
    again = await central.say("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"})

    assert stored == (answered,)
    assert again["status"] == "Accepted"


async def test_a_heartbeat_waits_for_nothing(central: Central) -> None:
    flow = Flow(Peer(central.key, "CP-1"), Direction.IN, "Heartbeat", "1", new_correlation_id(), 0.0)

    assert not inspect.isawaitable(central.dialect.handle(flow, Call("1", "Heartbeat", b"{}")))
    assert central.stamps.waiting(central.key).heartbeat_at == NOW
