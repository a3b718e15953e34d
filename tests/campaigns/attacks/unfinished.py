"""Attacks by what is never finished."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count

from websockets.frames import Opcode

from tests.campaigns.attacks.front import (
    PAUSE,
    Front,
    attack,
    keep_talking,
    repeat,
)
from tests.campaigns.line import Line, call, dialled, text
from tests.integration.transport.support import frame, handshake


@attack
async def cut_frames(front: Front) -> None:
    """Connections that announce a frame, send nearly all of it and hold it; later they're cut, and others come."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 130_000 + '"}]')

    async def hold(line: Line) -> None:
        await line.send(whole[:-2])
        front.sent += 1
        await asyncio.sleep(front.random.uniform(1, 10))

    await keep_talking(front, 500, hold)


@attack
async def cut_large_frames(front: Front) -> None:
    """The same with frames of nearly 1 MiB, whether or not that is over the limit."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 1_000_000 + '"}]')

    async def hold(line: Line) -> None:
        await line.send(whole[:-2])
        front.sent += 1
        await asyncio.sleep(front.random.uniform(1, 10))

    await keep_talking(front, 500, hold)


@attack
async def endless_fragments(front: Front) -> None:
    """Messages in fragments of one byte that never come to an end."""
    first, more = frame(Opcode.TEXT, b'[2,"1","', fin=False), frame(Opcode.CONT, b"x", fin=False) * 2000

    async def go_on(line: Line) -> None:
        await line.send(first)
        await repeat(front, line, lambda: more, 2000)

    await keep_talking(front, 4, go_on)


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

    await asyncio.gather(keep_talking(front, 200, in_frame), *(in_handshake() for _ in range(200)))


@attack
async def resets_in_mid_frame(front: Front) -> None:
    """Connections that are reset in the middle of a frame, as fast as new ones are let in."""
    whole = text('[2,"1","Heartbeat",{"x":"' + "x" * 60_000 + '"}]')

    async def cut(line: Line) -> None:
        await line.send(whole[: front.random.randrange(1, len(whole))])
        line.reset()
        front.sent += 1

    await keep_talking(front, 20, cut)


@attack
async def half_open(front: Front) -> None:
    """Connections that ask a lot and never read an answer."""
    ask = call("Heartbeat", {}, "i" * 5000) * 20
    await keep_talking(front, 100, lambda line: repeat(front, line, lambda: ask, 20), reads=False)
