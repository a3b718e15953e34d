"""Many chargers over real sockets, in a process of their own; `tools.bench.scrape` starts it and tells it what to do.

Says a line once all are connected and have told their meter values. An order is a line `{"seconds": …, "rate": …}`, its
answer a line with `[sent, seconds]` of each message.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from itertools import count, cycle
from typing import Final, TypeAlias

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tools.bench.messages import Charger, today

CONNECTORS: Final = (1, 2)

Sent: TypeAlias = tuple[float, float]
"""When a message went out, on the clock of `time.monotonic()`, and how many seconds its answer took."""

_AT_ONCE: Final = 50
"""Connections that are opened at the same time."""


def identity(number: int) -> str:
    """Of a charger."""
    return f"CP{number:06}"


class _Connected:
    """One charger; says one thing at a time."""

    def __init__(self, charger: Charger, socket: ClientConnection) -> None:
        self._charger = charger
        self._socket = socket
        self._connectors = cycle(CONNECTORS)
        self._turn = asyncio.Lock()

    async def say(self) -> Sent:
        """Tell the meter values of the next connector and wait for the answer."""
        async with self._turn:
            frame = self._charger.three_phase_values(next(self._connectors))
            sent = time.monotonic()
            await self._socket.send(frame, text=True)
            answer = orjson.loads(await self._socket.recv())
            took = time.monotonic() - sent
        # The server asks these chargers nothing, so whatever comes is the answer.
        if answer[0] != 3:
            raise RuntimeError(f"a charger was answered {answer}")
        return sent, took


async def _connect(url: str, number: int, doors: asyncio.Semaphore) -> _Connected:
    charger = Charger(identity(number), today)
    async with doors:
        socket = await connect(
            f"{url}/{charger.identity}",
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            ping_interval=None,
            open_timeout=30,
        )
        connected = _Connected(charger, socket)
        for _ in CONNECTORS:
            await connected.say()
    return connected


async def _window(chargers: list[_Connected], seconds: float, rate: float) -> list[Sent]:
    """Messages at a steady rate, however long the answers take."""
    began = time.monotonic()
    said: list[asyncio.Task[Sent]] = []
    takes_turns = cycle(chargers)
    for number in count():
        due = began + number / rate
        if due >= began + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        said.append(asyncio.create_task(next(takes_turns).say()))
    return await asyncio.gather(*said)


async def _run(url: str, number: int) -> None:
    doors = asyncio.Semaphore(_AT_ONCE)
    chargers = await asyncio.gather(*(_connect(url, each, doors) for each in range(number)))
    print("{}", flush=True)
    while order := await asyncio.to_thread(sys.stdin.readline):
        wanted = orjson.loads(order)
        answers = await _window(chargers, wanted["seconds"], wanted["rate"])
        print(orjson.dumps(answers).decode(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="of the server, without an identity")
    parser.add_argument("number", type=int)
    options = parser.parse_args()
    uvloop.run(_run(options.url, options.number))


if __name__ == "__main__":
    main()
