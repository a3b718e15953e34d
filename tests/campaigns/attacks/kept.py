"""Attacks on what is kept, and on the database itself."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
from pydantic import JsonValue

from tests.campaigns.attacks.front import (
    PAUSE,
    TIME,
    Front,
    attack,
    keep_talking,
    repeat,
)
from tests.campaigns.line import Line, NotLetIn, call, charger, text

# What is kept.


@attack
async def kept_records(front: Front) -> None:
    """Records that nobody asked for, each new: unmatched stops and values, security events, deviations, cards."""

    def records() -> bytes:
        number = next(front.numbers)
        at = f"2026-05-01T{number % 24:02}:{number % 60:02}:{number // 60 % 60:02}.{number % 1000:03}Z"
        much = f"{number} " + "x" * 2000
        values: JsonValue = [{"timestamp": at, "sampledValue": [{"value": str(number), "measurand": "Voltage"}]}]
        stop: JsonValue = {"transactionId": 10**6 + number, "meterStop": 1, "timestamp": at, "transactionData": values}
        return b"".join(
            (
                call("StopTransaction", stop),
                call("MeterValues", {"connectorId": 1, "transactionId": 10**6 + number, "meterValue": values}),
                call("SecurityEventNotification", {"type": f"Event {number}", "timestamp": at, "techInfo": much}),
                call("Authorize", {"idTag": f"CARD-{number}"}),
                call("Heartbeat", {f"field{number}": much}),
                call("DataTransfer", {"vendorId": f"vendor {number}", "messageId": f"{number}", "data": much}),
                call("StatusNotification", {"connectorId": number % 1000, "errorCode": much, "status": "Available"}),
            )
        )

    await keep_talking(front, 4, lambda line: repeat(front, line, records, 7))


@attack
async def device_reports(front: Front) -> None:
    """Reports of OCPP 2.1, each new, as large as the frame limit lets through: variables, monitors, customers."""

    def told(size: int, value: str) -> list[JsonValue]:
        first = next(front.numbers) * 1000
        return [
            {
                "component": {"name": f"C{first + number}"},
                "variable": {"name": "V"},
                "variableAttribute": [{"value": value}],
            }
            for number in range(size)
        ]

    def report() -> bytes:
        number = next(front.numbers)
        chunk: dict[str, JsonValue] = {"requestId": number, "generatedAt": TIME, "seqNo": number % 3}
        monitors: list[JsonValue] = [
            {"id": number * 1500 + it, "transaction": False, "value": 1, "type": "Delta", "severity": 1}
            for it in range(1500)
        ]
        monitored: JsonValue = {"component": {"name": "C"}, "variable": {"name": "V"}, "variableMonitoring": monitors}
        shown: JsonValue = {"format": "UTF8", "content": "x" * 1000}
        match front.random.randrange(6):
            case 0:
                return call("NotifyReport", {**chunk, "reportData": told(1, "x")})
            case 1:
                return call("NotifyReport", {**chunk, "tbc": True, "reportData": told(900, "x")})
            case 2:
                return call("NotifyReport", {**chunk, "reportData": told(40, "x" * 2400)})
            case 3:
                return call("NotifyMonitoringReport", {**chunk, "monitor": [monitored]})
            case 4:
                return call("NotifyCustomerInformation", {**chunk, "data": f"{number}" + "x" * 100_000})
            case _:
                infos: JsonValue = [{"id": it, "priority": "InFront", "message": shown} for it in range(100)]
                return call("NotifyDisplayMessages", {"requestId": number, "messageInfo": infos})

    await keep_talking(front, 4, lambda line: repeat(front, line, report), version="2.1")


@attack
async def device_events(front: Front) -> None:
    """Events of OCPP 2.1 that are new each, alone and by hundreds."""

    def events() -> bytes:
        first = next(front.numbers) * 1000
        size, much = front.random.choice([(1, "x" * 400), (200, "x" * 400), (450, "x")])
        news: list[JsonValue] = [
            {
                "eventId": first + number,
                "timestamp": TIME,
                "trigger": "Alerting",
                "actualValue": "true",
                "eventNotificationType": "CustomMonitor",
                "component": {"name": f"C{first + number}"},
                "variable": {"name": "Problem"},
                "techInfo": much,
                "severity": 1,
            }
            for number in range(size)
        ]
        return call("NotifyEvent", {"generatedAt": TIME, "seqNo": 0, "eventData": news})

    await keep_talking(front, 4, lambda line: repeat(front, line, events), version="2.1")


@attack
async def event_streams(front: Front) -> None:
    """SENDs of OCPP 2.1 that nobody answers, of streams without end, and errors about results that nobody sent."""

    def streams() -> bytes:
        number = next(front.numbers)
        values: dict[str, JsonValue] = {"id": number, "pending": 0, "basetime": TIME}
        few: JsonValue = {**values, "data": [{"t": 1, "v": "1"}]}
        many: JsonValue = {**values, "data": [{"t": it, "v": "1"} for it in range(6000)]}
        opened: JsonValue = {"constantStreamData": {"id": number, "variableMonitoringId": number, "params": {}}}
        return b"".join(
            (
                _send("NotifyPeriodicEventStream", few) * 10,
                _send("NotifyPeriodicEventStream", many) if number % 20 == 0 else b"",
                _send(f"Unknown{number}", {}),
                call("OpenPeriodicEventStream", opened),
                text(f'[5,"{number}","Error{number}","because",{{}}]'),
            )
        )

    await keep_talking(front, 4, lambda line: repeat(front, line, streams, 13), version="2.1")


def _send(action: str, payload: JsonValue) -> bytes:
    return text(json.dumps([6, "1", action, payload], separators=(",", ":")))


@attack
async def new_identities(front: Front) -> None:
    """A charger with a new name at each connection, as fast as they are let in."""

    async def one() -> None:
        while True:
            with suppress(OSError, NotLetIn, TimeoutError):
                identity = f"NEW-{next(front.numbers)}" + "x" * 200
                front.sent += 1
                async with charger(front.ocpp_port, identity, front.headers) as line:
                    await line.send(call("BootNotification", {"chargePointVendor": "A", "chargePointModel": "B"}))
                    continue
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one() for _ in range(20)))


@attack
async def two_with_one_name(front: Front) -> None:
    """Many devices that share one identity, each taking the connection over as soon as it lost it."""

    async def one() -> None:
        while True:
            with suppress(OSError, NotLetIn, TimeoutError):
                front.sent += 1
                async with charger(front.ocpp_port, "TWIN", front.headers) as line:
                    await line.send(call("Heartbeat", {}))
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one() for _ in range(10)))


@attack
async def wrong_passwords(front: Front) -> None:
    """Logins with wrong passwords: each costs the server a slow hash, if it lets itself be made to."""
    async with httpx.AsyncClient(base_url=front.http_url, trust_env=False) as api:
        given = await api.put("/api/v1/charge-points/LOCKED", json={"password": "correct horse battery staple"})
        assert given.is_success, given.text

    async def one() -> None:
        while True:
            front.sent += 1
            wrong = b64encode(f"LOCKED:{next(front.numbers)}".encode()).decode()
            with suppress(OSError, NotLetIn, TimeoutError):
                async with charger(front.ocpp_port, "LOCKED", front.headers | {"Authorization": f"Basic {wrong}"}):
                    raise AssertionError("a wrong password was taken")
            await asyncio.sleep(0.001)

    await asyncio.gather(*(one() for _ in range(30)))


@attack
async def clock_jumps(front: Front) -> None:
    """Chargers whose clock jumps between the ends of time while they charge."""
    moments = (
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "2026-05-01T12:00:00Z"),
        *("2106-02-07T06:28:16Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-14:00"),
    )

    def session() -> bytes:
        at = [front.random.choice(moments) for _ in range(4)]
        connector = front.random.randrange(1, 4)
        status: dict[str, JsonValue] = {"connectorId": connector, "errorCode": "NoError", "timestamp": at[3]}
        values: JsonValue = [{"timestamp": at[1], "sampledValue": [{"value": str(front.random.randrange(10**6))}]}]
        start: JsonValue = {"connectorId": connector, "idTag": "T", "meterStart": 1, "timestamp": at[0]}
        stop: JsonValue = {"transactionId": front.random.randrange(1, 500), "meterStop": 5, "timestamp": at[2]}
        return b"".join(
            (
                call("StatusNotification", {**status, "status": "Preparing"}),
                call("StartTransaction", start),
                call("MeterValues", {"connectorId": connector, "meterValue": values}),
                call("StopTransaction", stop),
                call("StatusNotification", {**status, "status": "Available"}),
            )
        )

    await keep_talking(front, 4, lambda line: repeat(front, line, session, 5))


# From within.


@attack
async def waiting_calls(front: Front) -> None:
    """CALLs that can't be stored, since another program holds the database's lock."""
    long = "x" * 100_000
    event: JsonValue = {"type": "Other", "timestamp": TIME, "techInfo": long}
    flood = call("SecurityEventNotification", event) + call("DataTransfer", {"vendorId": "acme", "data": long})
    async with AsyncExitStack() as held:
        lines = [
            await held.enter_async_context(charger(front.ocpp_port, f"WAITING-{number}", front.headers))
            for number in range(200)
        ]
        with locked(front.database):  # now: a connection is recorded, too
            await asyncio.gather(*(_until_cut(front, line, flood) for line in lines))
            await asyncio.sleep(3600)


async def _until_cut(front: Front, line: Line, flood: bytes) -> None:
    with suppress(OSError):
        await repeat(front, line, lambda: flood, 2)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody else can write meanwhile."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


HEARTBEATS_ONLY: Final = frozenset({"waiting_calls"})
"""Attacks beside which nothing can be stored: the neighbour says what needs no database."""
