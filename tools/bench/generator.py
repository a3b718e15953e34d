"""Many chargers over real sockets, in a process of their own that takes orders (`tools.bench.fleet` sends them).

Cheap enough to keep a server busy from another CPU: an `asyncio.Protocol` on uvloop that fills in prepared text, masks
it in C and looks only at the head of an answer. An order is a line of JSON, and so is its answer: `Order` and `Window`.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, cycle
from os import urandom
from typing import Final, TypeAlias, cast

import orjson
import uvloop
from websockets.speedups import apply_mask

from tools.bench.messages import ID_LENGTH, Charger, Frame, Workload
from tools.bench.messages2 import CHARGERS

Sent: TypeAlias = tuple[float, float]
"""When a CALL was due, on the clock of `time.monotonic()`, and how many seconds later its answer was there."""


class Order(StrEnum):
    """What the process does next; the words that follow stand in the order's line beside it."""

    CONNECT = "connect"
    """Until `count` chargers are connected, each with an accepted boot; those above it leave."""
    RUN = "run"
    """A `workload` for so many `seconds`: in a closed loop, or with `rate` CALLs a second."""


@dataclass(slots=True)
class Window:
    """What a run was like."""

    messages: int
    """CALLs that were answered."""
    seconds: float
    """Until the last answer."""
    generator_cpu: float
    """Seconds that this process spent."""
    p50: float
    """Milliseconds from a CALL to its answer."""
    p99: float
    server_calls: int
    """CALLs of the server, all of them accepted."""
    errors: int
    """CALLERRORs and whatever else no CALL was answered with."""
    first_error: str
    sent: list[Sent] = field(default_factory=list)
    """Every CALL, where they came at a rate."""


_AT_ONCE: Final = 50
"""Connections that are opened at the same time."""

_MASK: Final = urandom(4)
"""One for all frames: nothing between here and a loopback server could be misled by it."""

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_NORMAL_CLOSURE: Final = b"\x03\xe8"
_SHORT: Final = 126
"""From here on the length stands in the two bytes that follow."""


def framed(payload: bytes, head: int = _TEXT) -> bytes:
    """A whole masked frame of a client (RFC 6455 §5.2)."""
    size = len(payload)
    length = bytes((head, 0x80 | size)) if size < _SHORT else b"%c\xfe%b" % (head, size.to_bytes(2, "big"))
    return length + _MASK + apply_mask(payload, _MASK)


class _Run:
    """One window, seen by all its chargers."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        """Seconds of each answer."""
        self.sent: list[Sent] = []
        self.server_calls = 0
        self.errors: list[str] = []
        self.ends = 0.0
        """On the clock of `time.monotonic()`; no CALL is begun after it."""
        self.finished = asyncio.Event()
        self._busy = 0

    def begins(self, chargers: int) -> None:
        self._busy += chargers

    def ended(self) -> None:
        self._busy -= 1
        if not self._busy:
            self.finished.set()


class _Wire(asyncio.Protocol):
    """One charger's connection: a WebSocket client of just what a central system's frames need."""

    _transport: asyncio.Transport

    def __init__(self, charger: Charger, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self.charger = charger
        self.open: asyncio.Future[None] = loop.create_future()
        self._path = path
        self._upgraded = False
        self._data = b""
        self._sent = 0.0
        self._run: _Run | None = None
        self._make: Callable[[], Frame | None] | None = None
        self._due: deque[float] | None = None
        """When the CALLs were due that wait for the answer of the one before; None in a closed loop."""

    # Orders.

    def leave(self) -> None:
        """Close the connection."""
        self._transport.write(framed(_NORMAL_CLOSURE, _CLOSE))
        self._transport.close()

    def play(self, run: _Run, make: Callable[[], Frame | None]) -> None:
        """Send CALL after CALL, each as soon as the one before is answered, until the time is over."""
        self._run, self._make = run, make
        self._send(time.monotonic())

    def play_one(self, run: _Run, make: Callable[[], Frame | None], due: float) -> None:
        """Send one CALL, now or as soon as those before it are answered."""
        if self._due is None:
            self._run, self._make, self._due = run, make, deque()
            self._send(due)
        else:
            self._due.append(due)

    def _send(self, due: float) -> None:
        assert self._run is not None
        assert self._make is not None
        frame = self._make() if due < self._run.ends else None
        if frame is None:
            self._run.ended()
            self._run = self._make = None
        else:
            self._sent = due
            self._transport.write(framed(frame))

    # Answers.

    def _message(self, message: bytes) -> None:
        run = self._run
        # Ids have one length, so an answer, or the echo of a CALL, shows it at one place.
        if message[4 : 4 + ID_LENGTH] != self.charger.message_id:
            self._called(message)
            return
        assert run is not None
        now = time.monotonic()
        run.waits.append(now - self._sent)
        if message[1] == ord("4"):
            run.errors.append(message.decode())
        else:
            self.charger.answered(message)
        if self._due is None:
            self._send(now)
            return
        run.sent.append((self._sent, now - self._sent))
        run.ended()
        if self._due:
            self._send(self._due.popleft())
        else:
            self._due = self._run = None

    def _called(self, message: bytes) -> None:
        """The server calls, or answers what nobody asked."""
        kind, message_id, *_ = orjson.loads(message)
        if kind == 2:
            self._transport.write(framed(orjson.dumps([3, message_id, {"status": "Accepted"}])))
            if self._run is not None:
                self._run.server_calls += 1
        elif self._run is not None:
            self._run.errors.append(message.decode())

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports aren't instances of asyncio's class.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            f"GET {self._path}/{self.charger.identity} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {b64encode(urandom(16)).decode()}\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {self.charger.subprotocol}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        # Nearly always one whole short frame, which is the answer.
        if (
            not self._data
            and self._upgraded
            and len(data) < _SHORT + 2
            and data[0] == _TEXT
            and data[1] == len(data) - 2
        ):
            self._message(data[2:])
            return
        self._data += data
        if not self._upgraded:
            head, end, rest = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            self._upgraded, self._data = True, rest
            if head.startswith(b"HTTP/1.1 101 "):
                self.open.set_result(None)
            else:
                self.open.set_exception(ConnectionError(head.decode()))
        while (frame := self._next_frame()) is not None:
            self._frame(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        error = ConnectionError(f"{self.charger.identity} was disconnected: {exc or 'closed'}")
        if not self.open.done():
            self.open.set_exception(error)
        elif self._run is not None:
            self._run.errors.append(str(error))
            self._run.ended()

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Taken off what came in; None if there is no whole one."""
        data = self._data
        if len(data) < 4 and (len(data) < 2 or data[1] >= len(data) - 1):
            return None
        head, size = data[:2]
        begin = 2
        if size == _SHORT:
            begin, size = 4, int.from_bytes(data[2:4], "big")
        if len(data) < begin + size:
            return None
        self._data = data[begin + size :]
        return head, data[begin : begin + size]

    def _frame(self, head: int, payload: bytes) -> None:
        if head == _TEXT:
            self._message(payload)
        elif head == _PING:
            self._transport.write(framed(payload, _PONG))
        elif head == _CLOSE:
            self._transport.close()
        else:
            raise ValueError(f"a frame with head {head:#x}")


class Generator:
    """The chargers of one server."""

    def __init__(self, host: str, port: int, path: str, make: type[Charger]) -> None:
        self._make = make
        self._host = host
        self._port = port
        self._path = path
        self._wires: list[_Wire] = []
        self._loop = asyncio.get_running_loop()

    async def connect(self, number: int) -> Window:
        """Have so many connected; a new one is booted."""
        doors = asyncio.Semaphore(_AT_ONCE)
        run = _Run()
        run.ends = float("inf")
        began, cpu = time.monotonic(), time.process_time()
        for wire in self._wires[number:]:
            wire.leave()
        del self._wires[number:]
        new = [self._connect(run, each, doors) for each in range(len(self._wires), number)]
        self._wires += await asyncio.gather(*new)
        return _window(run, began, cpu)

    async def _connect(self, run: _Run, number: int, doors: asyncio.Semaphore) -> _Wire:
        wire = _Wire(self._make(f"CP{number:06}", number), self._path, self._loop)
        async with doors:
            await self._loop.create_connection(lambda: wire, self._host, self._port)
            await wire.open
        frames = iter((wire.charger.boot(),))
        booted = _Run()
        booted.ends = run.ends
        booted.begins(1)
        wire.play(booted, lambda: next(frames, None))
        await booted.finished.wait()
        run.waits += booted.waits
        run.errors += booted.errors
        return wire

    async def run(self, workload: Workload, seconds: float, rate: float | None) -> Window:
        """Play a workload until its time is over and everything is answered."""
        run = _Run()
        began, cpu = time.monotonic(), time.process_time()
        run.ends = began + seconds
        if rate is None:
            run.begins(len(self._wires))
            for wire in self._wires:
                wire.play(run, wire.charger.maker(workload))
        else:
            await self._pace(run, workload, rate)
        await run.finished.wait()
        return _window(run, began, cpu)

    async def _pace(self, run: _Run, workload: Workload, rate: float) -> None:
        """CALLs at a steady rate, however long the answers take."""
        began = time.monotonic()
        turns = cycle(self._wires)
        # Holds the run open between two CALLs.
        run.begins(1)
        for number in count():
            due = began + number / rate
            if due >= run.ends:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            wire = next(turns)
            run.begins(1)
            wire.play_one(run, wire.charger.maker(workload), due)
        run.ended()


def _window(run: _Run, began: float, cpu: float) -> Window:
    waits = sorted(run.waits) or [0.0]
    return Window(
        messages=len(run.waits),
        seconds=time.monotonic() - began,
        generator_cpu=time.process_time() - cpu,
        p50=waits[(len(waits) - 1) // 2] * 1000,
        p99=waits[(len(waits) - 1) * 99 // 100] * 1000,
        server_calls=run.server_calls,
        errors=len(run.errors),
        first_error=run.errors[0] if run.errors else "",
        sent=run.sent,
    )


async def _obey(generator: Generator) -> None:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        order = orjson.loads(line)
        if order["order"] == Order.CONNECT:
            window = await generator.connect(order["count"])
        else:
            window = await generator.run(Workload(order["workload"]), order["seconds"], order.get("rate"))
        print(orjson.dumps(window).decode(), flush=True)


async def _main(host: str, port: int, path: str, version: str) -> None:
    await _obey(Generator(host, port, path, CHARGERS[version]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.generator", description=__doc__)
    parser.add_argument("port", type=int, help="of 127.0.0.1")
    parser.add_argument("--path", default="/ocpp", help="before the identity")
    parser.add_argument("--version", choices=CHARGERS, default="1.6", help="of OCPP that they speak")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_main("127.0.0.1", options.port, options.path, options.version))


if __name__ == "__main__":
    main()
