"""Attacks by what is sent: large things, and floods."""

from __future__ import annotations

import asyncio

from pydantic import JsonValue
from websockets.frames import Opcode

from tests.campaigns.attacks.front import (
    TIME,
    Front,
    attack,
    entry,
    keep_talking,
    repeat,
)
from tests.campaigns.line import call, text
from tests.integration.transport.support import frame

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
            call("MeterValues", {"connectorId": 1, "meterValue": [entry(long)]}),
            call("MeterValues", {"connectorId": 1, "meterValue": [entry(long, format="SignedData")]}),
            call("StartTransaction", {"connectorId": 1, "idTag": long, "meterStart": 0, "timestamp": TIME}),
            call("StopTransaction", {"transactionId": 77, "meterStop": 0, "timestamp": TIME, "idTag": long}),
            call("SecurityEventNotification", {"type": "Other", "timestamp": TIME, "techInfo": long}),
            call("FirmwareStatusNotification", {"status": long}),
            call(long, {}),
            call("StatusNotification", {long: 1}),
        ]
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: front.random.choice(frames)))


@attack
async def long_ids(front: Front) -> None:
    """UniqueIds of 1 MB, or as long as the frame limit lets through: the answer must carry them."""
    frames = [
        call("Heartbeat", {}, "i" * 1_000_000),
        call("Heartbeat", {}, "é" * 60_000),
        call("Heartbeat", {}, "i" * 130_000),
    ]
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: front.random.choice(frames)))


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
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: front.random.choice(frames)))


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
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: front.random.choice(ready)))


@attack
async def tiny_samples(front: Front) -> None:
    """Messages full of the smallest samples there can be, in the words of 1.6 and of 2.1."""
    values = call("MeterValues", {"connectorId": 1, "meterValue": [entry("1")] * 1500})
    at_once: JsonValue = [{"timestamp": TIME, "sampledValue": [{"value": "1"}] * 7900}]
    of_one_time = call("MeterValues", {"connectorId": 1, "meterValue": at_once})
    event: JsonValue = {
        "eventType": "Updated",
        "timestamp": TIME,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "T"},
        "meterValue": [{"timestamp": TIME, "sampledValue": [{"value": 1}] * 8900}],
    }
    told = call("TransactionEvent", event)
    await asyncio.gather(
        keep_talking(front, 2, lambda line: repeat(front, line, lambda: front.random.choice([values, of_one_time]))),
        keep_talking(front, 2, lambda line: repeat(front, line, lambda: told), name="BAD-21", version="2.1"),
    )


# Floods.


@attack
async def heartbeats(front: Front) -> None:
    """Heartbeats as fast as they are taken, on one connection."""
    flood = b"".join(call("Heartbeat", {}, str(number)) for number in range(500))
    await keep_talking(front, 1, lambda line: repeat(front, line, lambda: flood, 500))


@attack
async def heartbeats_of_many(front: Front) -> None:
    """The same on 50 connections."""
    flood = b"".join(call("Heartbeat", {}, str(number)) for number in range(100))
    await keep_talking(front, 50, lambda line: repeat(front, line, lambda: flood, 100))


@attack
async def pings(front: Front) -> None:
    """Pings as fast as they are taken, on four connections."""
    flood = frame(Opcode.PING, b"p" * 125) * 500
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: flood, 500))


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
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: front.random.choice(ready), 50))


@attack
async def refused_frames(front: Front) -> None:
    """Frames that aren't OCPP-J, as fast as they are taken, on four connections."""
    bad = ["", "x", "[]", "[2]", '[2,"1"', '[9,"1","Heartbeat",{}]', '[2,1.5,"Heartbeat",{}]', '[2,"1","Heartbeat",[]]']
    flood = b"".join(map(text, bad)) * 60
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: flood, 60 * len(bad)))


@attack
async def stray_answers(front: Front) -> None:
    """Answers that nobody waits for, with errors of the charger's own making, on four connections."""
    flood = b"".join(text(f'[4,"{number}","Error{number}","because",{{}}]') for number in range(400))
    await keep_talking(front, 4, lambda line: repeat(front, line, lambda: flood, 400))
