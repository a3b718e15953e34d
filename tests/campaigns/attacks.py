"""What one bad client can do, each a small function: it goes on until it is cancelled.

Attackers come through a proxy that the server trusts, so that they have an address that limits count by.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

import httpx
from pydantic import JsonValue
from websockets.frames import Opcode

from tests.campaigns.line import Line, NotLetIn, call, charger, dialled, text
from tests.integration.transport.support import frame, handshake

ADDRESS: Final = "203.0.113.66"
PAUSE: Final = 0.02
"""Seconds that somebody who was thrown out waits before it comes again."""

_TIME: Final = "2026-05-01T12:00:00Z"


@dataclass
class Front:
    """What an attacker knows, and the choices it makes."""

    ocpp_port: int
    http_url: str
    database: Path
    random: Random
    sent: int = 0
    """Frames, parts of frames or connections, whatever the attack consists of."""
    numbers: Iterator[int] = field(default_factory=count)

    @cached_property
    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": ADDRESS}


Attack: TypeAlias = Callable[[Front], Coroutine[None, None, None]]
Talk: TypeAlias = Callable[[Line], Awaitable[None]]

ATTACKS: Final[dict[str, Attack]] = {}


def attack(function: Attack) -> Attack:
    """One of the attacks, by its name."""
    ATTACKS[getattr(function, "__name__", "")] = function
    return function


async def _keep_talking(
    front: Front, lines: int, talk: Talk, *, reads: bool = True, name: str = "BAD", version: str = "1.6"
) -> None:
    """So many connections, each of a charger of its own; whoever is thrown out comes again."""

    headers = front.headers | {"Sec-WebSocket-Protocol": f"ocpp{version}"}

    async def one(number: int) -> None:
        while True:
            with suppress(OSError, NotLetIn, TimeoutError):
                async with charger(front.ocpp_port, f"{name}-{number}", headers, reads=reads) as line:
                    await talk(line)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*map(one, range(lines)))


async def _repeat(front: Front, line: Line, make: Callable[[], bytes], at_once: int = 1) -> None:
    while True:
        await line.send(make())
        front.sent += at_once


def _entry(value: str, **others: JsonValue) -> JsonValue:
    return {"timestamp": _TIME, "sampledValue": [{"value": value, **others}]}


# Large things.


@attack
async def long_texts(front: Front) -> None:
    """Texts of 0.9 MB, or as long as the frame limit lets through, wherever a payload has a text."""
    frames = []
    for size in (900_000, 120_000):
        long = "x" * size
        boot: JsonValue = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": long}
        status: dict[str, JsonValue] = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": long}
        frames += [
            call("BootNotification", boot),
            call("StatusNotification", {**status, "vendorErrorCode": "7"}),
            call("Authorize", {"idTag": long}),
            call("DataTransfer", {"vendorId": "acme", "data": long}),
            call("MeterValues", {"connectorId": 1, "meterValue": [_entry(long)]}),
            call("MeterValues", {"connectorId": 1, "meterValue": [_entry(long, format="SignedData")]}),
            call("StartTransaction", {"connectorId": 1, "idTag": long, "meterStart": 0, "timestamp": _TIME}),
            call("StopTransaction", {"transactionId": 77, "meterStop": 0, "timestamp": _TIME, "idTag": long}),
            call("SecurityEventNotification", {"type": "Other", "timestamp": _TIME, "techInfo": long}),
            call("FirmwareStatusNotification", {"status": long}),
            call(long, {}),
            call("StatusNotification", {long: 1}),
        ]
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: front.random.choice(frames)))


@attack
async def long_ids(front: Front) -> None:
    """UniqueIds of 1 MB, or as long as the frame limit lets through: the answer must carry them."""
    frames = [
        call("Heartbeat", {}, "i" * 1_000_000),
        call("Heartbeat", {}, "é" * 60_000),
        call("Heartbeat", {}, "i" * 130_000),
    ]
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: front.random.choice(frames)))


@attack
async def many_elements(front: Front) -> None:
    """Frames of 1 MiB with 500,000 elements, and as many elements as the frame limit lets through."""
    frames = []
    for size in (500_000, 65_000, 20_000):
        ones = ",".join("1" * size)
        frames += [
            text(f'[2,"1","MeterValues",[{ones}]]'),
            text(f"[2,{ones}]"),
            text(f'[3,"1",{{"a":[{ones}]}}]'),
            text('[2,"1","MeterValues",{"connectorId":1,"meterValue":[' + ",".join(["{}"] * (size // 2)) + "]}]"),
            text('[2,"1","Heartbeat",{' + ",".join(f'"{n}":1' for n in range(size // 5)) + "}]"),
            text('[2,"1","Heartbeat",' + "[" * (size // 2) + "]" * (size // 2) + "]"),
        ]
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: front.random.choice(frames)))


@attack
async def many_samples(front: Front) -> None:
    """Messages with as many samples as fit into a frame, each of a moment and a kind of its own."""

    def values() -> bytes:
        moment = front.random.randrange(10**9, 2 * 10**9)
        sample = {"value": str(moment), "unit": "V", "phase": "L1", "measurand": "Voltage"}
        entries: list[JsonValue] = [
            {
                "timestamp": f"2026-05-{1 + n % 28:02}T12:{n % 60:02}:{moment % 60:02}.{n % 1000:03}Z",
                "sampledValue": [{**sample}],
            }
            for n in range(900)
        ]
        return call("MeterValues", {"connectorId": front.random.randrange(1, 4), "meterValue": entries})

    ready = [values() for _ in range(20)]
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: front.random.choice(ready)))


@attack
async def tiny_samples(front: Front) -> None:
    """Messages full of the smallest samples there can be, in the words of 1.6 and of 2.1."""
    values = call("MeterValues", {"connectorId": 1, "meterValue": [_entry("1")] * 1500})
    at_once: JsonValue = [{"timestamp": _TIME, "sampledValue": [{"value": "1"}] * 7900}]
    of_one_time = call("MeterValues", {"connectorId": 1, "meterValue": at_once})
    event: JsonValue = {
        "eventType": "Updated",
        "timestamp": _TIME,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "T"},
        "meterValue": [{"timestamp": _TIME, "sampledValue": [{"value": 1}] * 8900}],
    }
    told = call("TransactionEvent", event)
    await asyncio.gather(
        _keep_talking(front, 2, lambda line: _repeat(front, line, lambda: front.random.choice([values, of_one_time]))),
        _keep_talking(front, 2, lambda line: _repeat(front, line, lambda: told), name="BAD-21", version="2.1"),
    )


# Unfinished things.


@attack
async def cut_frames(front: Front) -> None:
    """Connections that announce a frame, send nearly all of it and hold it; later they're cut, and others come."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 130_000 + '"}]')

    async def hold(line: Line) -> None:
        await line.send(whole[:-2])
        front.sent += 1
        await asyncio.sleep(front.random.uniform(1, 10))

    await _keep_talking(front, 500, hold)


@attack
async def cut_large_frames(front: Front) -> None:
    """The same with frames of nearly 1 MiB, whether or not that is over the limit."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 1_000_000 + '"}]')

    async def hold(line: Line) -> None:
        await line.send(whole[:-2])
        front.sent += 1
        await asyncio.sleep(front.random.uniform(1, 10))

    await _keep_talking(front, 500, hold)


@attack
async def endless_fragments(front: Front) -> None:
    """Messages in fragments of one byte that never come to an end."""
    first, more = frame(Opcode.TEXT, b'[2,"1","', fin=False), frame(Opcode.CONT, b"x", fin=False) * 2000

    async def go_on(line: Line) -> None:
        await line.send(first)
        await _repeat(front, line, lambda: more, 2000)

    await _keep_talking(front, 4, go_on)


@attack
async def unfinished_handshakes(front: Front) -> None:
    """Connections whose handshake goes on for ever, with as many headers as are taken."""
    begin = handshake("/ocpp/SLOW")[:-2]

    async def one() -> None:
        while True:
            with suppress(OSError):
                async with dialled(front.ocpp_port) as line:
                    await line.send(begin)
                    for number in count():
                        await line.send(f"X-{number}: {'x' * 3000}\r\n".encode())
                        front.sent += 1
                        await asyncio.sleep(0.2)
                        if line.reader.at_eof():
                            break
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one() for _ in range(400)))


@attack
async def a_byte_a_second(front: Front) -> None:
    """Connections that send one byte a second, in the handshake and in a frame."""
    slow_frame = text('[2,"1","Heartbeat",{}]')

    async def in_frame(line: Line) -> None:
        for byte in slow_frame * 1000:
            await line.send(bytes([byte]))
            front.sent += 1
            await asyncio.sleep(1)

    async def in_handshake() -> None:
        while True:
            with suppress(OSError):
                async with dialled(front.ocpp_port) as line:
                    for byte in handshake("/ocpp/SLOW"):
                        await line.send(bytes([byte]))
                        front.sent += 1
                        await asyncio.sleep(1)
                        if line.reader.at_eof():
                            break
            await asyncio.sleep(PAUSE)

    await asyncio.gather(_keep_talking(front, 200, in_frame), *(in_handshake() for _ in range(200)))


@attack
async def resets_in_mid_frame(front: Front) -> None:
    """Connections that are reset in the middle of a frame, as fast as new ones are let in."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 60_000 + '"}]')

    async def cut(line: Line) -> None:
        await line.send(whole[: front.random.randrange(1, len(whole))])
        line.reset()
        front.sent += 1

    await _keep_talking(front, 20, cut)


@attack
async def half_open(front: Front) -> None:
    """Connections that ask a lot and never read an answer."""
    ask = call("Heartbeat", {}, "i" * 5000) * 20
    await _keep_talking(front, 100, lambda line: _repeat(front, line, lambda: ask, 20), reads=False)


# Floods.


@attack
async def heartbeats(front: Front) -> None:
    """Heartbeats as fast as they are taken, on one connection."""
    flood = b"".join(call("Heartbeat", {}, str(number)) for number in range(500))
    await _keep_talking(front, 1, lambda line: _repeat(front, line, lambda: flood, 500))


@attack
async def heartbeats_of_many(front: Front) -> None:
    """The same on 50 connections."""
    flood = b"".join(call("Heartbeat", {}, str(number)) for number in range(100))
    await _keep_talking(front, 50, lambda line: _repeat(front, line, lambda: flood, 100))


@attack
async def pings(front: Front) -> None:
    """Pings as fast as they are taken, on four connections."""
    flood = frame(Opcode.PING, b"p" * 125) * 500
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: flood, 500))


@attack
async def meter_values(front: Front) -> None:
    """Meter values with ten samples as fast as they are taken, on four connections."""

    def values() -> bytes:
        moment = front.random.randrange(10**6)
        samples: list[JsonValue] = [
            {"value": str(moment + n), "measurand": "Voltage", "phase": f"L{n % 3 + 1}", "unit": "V"} for n in range(10)
        ]
        at = f"2026-05-01T{moment % 24:02}:{moment % 60:02}:{moment // 60 % 60:02}.{moment % 1000:03}Z"
        return call("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": at, "sampledValue": samples}]})

    ready = [b"".join(values() for _ in range(50)) for _ in range(100)]
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: front.random.choice(ready), 50))


@attack
async def refused_frames(front: Front) -> None:
    """Frames that aren't OCPP-J, as fast as they are taken, on four connections."""
    bad = ["", "x", "[]", "[2]", '[2,"1"', '[9,"1","Heartbeat",{}]', '[2,1.5,"Heartbeat",{}]', '[2,"1","Heartbeat",[]]']
    flood = b"".join(map(text, bad)) * 60
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: flood, 60 * len(bad)))


@attack
async def stray_answers(front: Front) -> None:
    """Answers that nobody waits for, with errors of the charger's own making, on four connections."""
    flood = b"".join(text(f'[4,"{number}","Error{number}","because",{{}}]') for number in range(400))
    await _keep_talking(front, 4, lambda line: _repeat(front, line, lambda: flood, 400))


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

    await _keep_talking(front, 4, lambda line: _repeat(front, line, records, 7))


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
        chunk: dict[str, JsonValue] = {"requestId": number, "generatedAt": _TIME, "seqNo": number % 3}
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

    await _keep_talking(front, 4, lambda line: _repeat(front, line, report), version="2.1")


@attack
async def device_events(front: Front) -> None:
    """Events of OCPP 2.1 that are new each, alone and by hundreds."""

    def events() -> bytes:
        first = next(front.numbers) * 1000
        size, much = front.random.choice([(1, "x" * 400), (200, "x" * 400), (450, "x")])
        news: list[JsonValue] = [
            {
                "eventId": first + number,
                "timestamp": _TIME,
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
        return call("NotifyEvent", {"generatedAt": _TIME, "seqNo": 0, "eventData": news})

    await _keep_talking(front, 4, lambda line: _repeat(front, line, events), version="2.1")


@attack
async def event_streams(front: Front) -> None:
    """SENDs of OCPP 2.1 that nobody answers, of streams without end, and errors about results that nobody sent."""

    def streams() -> bytes:
        number = next(front.numbers)
        values: dict[str, JsonValue] = {"id": number, "pending": 0, "basetime": _TIME}
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

    await _keep_talking(front, 4, lambda line: _repeat(front, line, streams, 13), version="2.1")


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

    await _keep_talking(front, 4, lambda line: _repeat(front, line, session, 5))


# From within.


@attack
async def waiting_calls(front: Front) -> None:
    """CALLs that can't be stored, since another program holds the database's lock."""
    long = "x" * 100_000
    event: JsonValue = {"type": "Other", "timestamp": _TIME, "techInfo": long}
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
        await _repeat(front, line, lambda: flood, 2)


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
