"""The short way of whole texts against the `websockets` package's own, by the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from struct import unpack
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.utils import apply_mask

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport.connection import Connection
from mcpp.transport.limits import Limits
from mcpp.transport.memory import Memory
from mcpp.transport.pace import Pace
from mcpp.transport.turns import Turns
from mcpp.transport.websocket import WebSocketProtocol
from tests.integration.transport.support import handshake


class PackageConnection(Connection):
    """Gives the package all that comes, so that it sees no frame before it has dealt with the one before."""

    begun = b""
    """Of a frame's head."""
    left = 0
    """Of a frame, beyond its head."""

    def _handle(self, data: bytes, at: int, now: float) -> None:
        while at < len(data):
            if self.left:
                piece = data[at : at + self.left]
                self.left -= len(piece)
            else:
                piece = data[at : at + 1]
                self.begun += piece
                if (left := left_after(self.begun)) is not None:
                    self.begun, self.left = b"", left
            at += len(piece)
            self._feed(piece)

    def send(self, text: bytes) -> bool:
        if self.ended or self.ws.state is not State.OPEN:
            return False
        self.ws.send_text(text)
        self._flush()
        return True


def left_after(begun: bytes) -> int | None:
    """How many bytes follow on a frame's head that says its size; None for a shorter one."""
    if len(begun) < 2:
        return None
    size, masked = begun[1] & 127, begun[1] >> 7
    if size == 126:
        size = unpack("!H", begun[2:4])[0] if len(begun) == 4 else -1
    elif size == 127:
        size = unpack("!Q", begun[2:10])[0] if len(begun) == 10 else -1
    return None if size < 0 else size + 4 * masked


@dataclass
class Course:
    """All that a connection did, in order, writes that follow each other joined."""

    steps: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, name: str, data: bytes = b"") -> None:
        if name == "write" and self.steps and self.steps[-1][0] == name:
            data = self.steps.pop()[1] + data
        self.steps.append((name, data))

    def named(self, name: str) -> list[bytes]:
        return [data for step, data in self.steps if step == name]


class Wire(asyncio.Transport):
    """A socket that notes what is done to it."""

    def __init__(self, course: Course, *, half_closes: bool = True) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.course = course
        self.half_closes = half_closes
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing
        self.course.add("write", bytes(data))

    def can_write_eof(self) -> bool:
        return self.half_closes

    def write_eof(self) -> None:
        self.course.add("eof")

    def close(self) -> None:
        self.course.add("close")
        self.closing = True

    def abort(self) -> None:
        self.course.add("abort")
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.course.add("pause")

    def resume_reading(self) -> None:
        self.course.add("resume")


@dataclass
class Script:
    """What comes in, and what is done about the messages in turn: they are echoed where it says nothing else."""

    reads: list[bytes]
    reactions: list[str] = field(default_factory=list)
    limit: int = 66_000
    """Of a message, in bytes."""
    half_closes: bool = True
    """Whether the transport can: one with TLS can't."""


class Owner:
    """Accepts whoever comes and follows the script."""

    def __init__(self, course: Course, wire: Wire, script: Script) -> None:
        self.limits = Limits(max_message_size=script.limit, turn_time=inf)
        self.memory = Memory(self.limits.unhandled_bytes)
        self.turns = Turns(self.limits.turns_time)
        self.course = course
        self.wire = wire
        self.reactions = iter(script.reactions)
        self.connection: Connection | None = None

    def connection_opened(self, connection: Connection) -> None:
        self.connection = connection

    def request_received(self, connection: Connection, request: Request) -> None:
        connection.open(self, connection.ws.accept(request), Pace(500, 10))

    def connection_ended(self, connection: Connection, outcome: ConnectionOutcome, detail: str) -> None:
        self.course.add(f"ended {outcome} {detail}")

    def connection_gone(self, connection: Connection) -> None:
        self.course.add("gone")

    def message_received(self, message: bytes, *, binary: bool) -> None:
        assert self.connection is not None
        self.course.add("binary" if binary else "text", message)
        match next(self.reactions, "echo"):
            case "echo":
                self.course.add(f"sent {self.connection.send(message)}")
            case "close":
                self.connection.close(CloseCode.GOING_AWAY, "enough", ConnectionOutcome.SHUTDOWN)
            case "abort":
                self.connection.abort(ConnectionOutcome.STALLED)
            case "break":
                # The transport fails; the connection hears of it later.
                self.wire.closing = True
                self.course.add(f"sent {self.connection.send(message)}")

    def next_deadline(self) -> float | None:
        return None

    def wake(self, now: float) -> None:
        raise AssertionError("nothing is waited for")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A clock and timers that never fire."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def follow(
    loop: asyncio.AbstractEventLoop, script: Script, kind: type[Connection], protocol: type[WebSocketProtocol]
) -> Course:
    """What a connection does after its handshake, until the stream ends."""
    course = Course()
    wire = Wire(course, half_closes=script.half_closes)
    connection = kind(Owner(course, wire, script), protocol((), script.limit), loop)
    connection.connection_made(wire)
    connection.data_received(handshake("/ocpp/CP1", {"Sec-WebSocket-Protocol": ""}))
    course.steps.clear()
    for data in [raw_frame(Opcode.TEXT, b"first"), *script.reads]:
        if wire.closing:
            break
        connection.data_received(data)
    else:
        connection.eof_received()
    connection.connection_lost(None)
    return course


# Bytes that a charger may send.

MASK = b"\x9d\x02\xf1\x6c"
NO_MASK = bytes(4)
"""Leaves the data as it is: what is in a frame may look like frames."""


def raw_frame(
    opcode: int, data: bytes, mask: bytes | None = MASK, *, fin: bool = True, rsv: int = 0, size_bytes: int = 0
) -> bytes:
    """A frame, however wrong; with `size_bytes` 2 or 8 its length takes more bytes than it must."""
    masked = (mask is not None) << 7
    head = bytes((fin << 7 | rsv << 4 | opcode,))
    if len(data) > 0xFFFF or size_bytes == 8:
        head += bytes((masked | 127,)) + len(data).to_bytes(8, "big")
    elif len(data) > 125 or size_bytes == 2:
        head += bytes((masked | 126,)) + len(data).to_bytes(2, "big")
    else:
        head += bytes((masked | len(data),))
    return head + (data if mask is None else mask + apply_mask(data, mask))


sizes = st.integers(0, 300) | st.sampled_from([125, 126, 999, 1000, 1001, 65_535, 65_536, 66_000, 66_001, 70_000])
fillers = st.builds(lambda size, seed: (seed * (size + 1))[:size], sizes, st.binary(min_size=1, max_size=3))
masks = st.sampled_from([MASK, NO_MASK])
size_bytes = st.sampled_from([0, 0, 0, 2, 8])
payloads = (
    st.binary(max_size=20)
    | fillers
    # What looks like whole texts.
    | st.lists(st.just(raw_frame(Opcode.TEXT, b"inner")), min_size=1, max_size=3).map(b"".join)
)
controls = st.builds(raw_frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125), masks)
closes = st.builds(
    lambda code, reason: raw_frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason),
    st.sampled_from([1000, 1001, 3000]),
    st.sampled_from([b"", b"bye"]),
) | st.builds(raw_frame, st.just(Opcode.CLOSE), st.sampled_from([b"", b"\x03", b"\x03\xed", b"\x03\xe8\xff"]))
texts = st.builds(raw_frame, st.just(Opcode.TEXT), payloads, masks, size_bytes=size_bytes)
faulty_texts = (
    st.builds(raw_frame, st.just(Opcode.TEXT), payloads, masks, fin=st.just(False))
    | st.builds(raw_frame, st.just(Opcode.TEXT), payloads, masks, rsv=st.integers(1, 7))
    | st.builds(raw_frame, st.just(Opcode.TEXT), payloads, st.none(), size_bytes=size_bytes)
)
anything = st.builds(
    raw_frame,
    st.integers(0, 15),
    payloads,
    masks | st.none(),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1, 4]),
    size_bytes=size_bytes,
)


@st.composite
def fragmented(draw: st.DrawFn) -> list[bytes]:
    """A message in fragments, with pings in between."""
    parts = draw(st.lists(payloads, min_size=2, max_size=4))
    kind = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
    frames = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        frames.append(raw_frame(Opcode.CONT if number else kind, part, draw(masks), fin=last))
        if draw(st.booleans()):
            frames.append(draw(controls))
    return frames


def alone(data: bytes) -> list[bytes]:
    return [data]


fair = texts.map(alone) | texts.map(alone) | texts.map(alone) | controls.map(alone) | fragmented()
unfair = (
    closes.map(alone)
    | faulty_texts.map(alone)
    | anything.map(alone)
    | st.binary(max_size=20).map(alone)
    # A message that is never finished.
    | fragmented().map(lambda frames: frames[:1])
)


@st.composite
def reads(draw: st.DrawFn) -> list[bytes]:
    """What a charger sends, as it comes out of the socket: most frames in a read of their own, some joined or cut."""
    messages = [
        *draw(st.lists(fair, max_size=5)),
        *draw(st.lists(unfair, max_size=1)),
        *draw(st.lists(fair, max_size=3)),
    ]
    pieces: list[bytes] = []
    for frame in (frame for message in messages for frame in message):
        form = draw(st.sampled_from(["alone", "alone", "joined", "cut"]))
        if form == "joined" and pieces:
            pieces[-1] += frame
        elif form == "cut":
            cuts = draw(st.lists(st.integers(0, 16) | st.integers(0, len(frame)), max_size=3))
            ends = [0, *sorted(min(cut, len(frame)) for cut in cuts), len(frame)]
            pieces += [frame[start:end] for start, end in pairwise(ends)]
        else:
            pieces.append(frame)
    return [piece for piece in pieces if piece]


scripts = st.builds(
    Script,
    reads(),
    st.lists(st.sampled_from(["echo", "echo", "echo", "echo", "nothing", "close", "abort", "break"]), max_size=8),
    limit=st.sampled_from([1000, 66_000]),
    half_closes=st.booleans(),
)


TEXT, PING = raw_frame(Opcode.TEXT, b"text"), raw_frame(Opcode.PING, b"ping")
BEGIN, END = raw_frame(Opcode.TEXT, b"begin", fin=False), raw_frame(Opcode.CONT, b"end")
OUTER = raw_frame(Opcode.TEXT, TEXT, NO_MASK)


@given(scripts)
@example(Script([PING + TEXT, TEXT + PING]))
@example(Script([TEXT + raw_frame(Opcode.CLOSE, b"")]))
@example(Script([TEXT + TEXT + TEXT], ["echo", "echo", "close"]))
# What follows a cut looks like a whole text.
@example(Script([OUTER[:6], OUTER[6:]]))
@example(Script([TEXT + OUTER[:6], OUTER[6:]]))
# A text amid a fragmented message.
@example(Script([BEGIN, TEXT, END]))
# What follows an unmasked text, or a length of eight bytes, makes up for the difference.
@example(Script([raw_frame(Opcode.TEXT, b"text", None) + bytes(4)]))
@example(Script([raw_frame(Opcode.TEXT, b"x" * 119, size_bytes=8)]))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_ways_do_the_same(loop: asyncio.AbstractEventLoop, script: Script) -> None:
    ours = follow(loop, script, Connection, WebSocketProtocol)
    theirs = follow(loop, script, PackageConnection, WebSocketProtocol)

    assert ours == theirs


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_text_of_any_size_goes_out_as_the_package_writes_it(loop: asyncio.AbstractEventLoop, size: int) -> None:
    script = Script([raw_frame(Opcode.TEXT, b"x" * size)], limit=size + 10)
    written = follow(loop, script, Connection, WebSocketProtocol).named("write")

    assert written[-1] == Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)


class ReadsCounted(WebSocketProtocol):
    """Counts the reads that the package gets."""

    reads: ClassVar[list[bytes]] = []

    def receive_data(self, data: bytes | bytearray) -> None:
        self.reads.append(bytes(data))
        super().receive_data(data)


LONG_TEXT, BINARY = raw_frame(Opcode.TEXT, b"x" * 65_535), raw_frame(Opcode.BINARY, b"binary")


@pytest.mark.parametrize(
    ("reads", "to_the_package"),
    [
        ([TEXT], []),
        ([LONG_TEXT, TEXT + LONG_TEXT + TEXT], []),
        ([PING, TEXT, BINARY, TEXT], [PING, BINARY]),
        ([TEXT + PING, TEXT + PING + TEXT], [PING, PING]),
        ([BEGIN, PING, END, TEXT], [BEGIN, PING, END]),
        ([BEGIN, TEXT], [BEGIN, TEXT]),
        ([PING[:2], PING[2:], TEXT], [PING[:2], PING[2:]]),
        ([TEXT + TEXT[:3], TEXT[3:], TEXT], [TEXT[:3], TEXT[3:]]),
        ([TEXT[:1], TEXT[1:] + TEXT], [TEXT[:1], TEXT[1:]]),
        ([LONG_TEXT[:3], LONG_TEXT[3:9], LONG_TEXT[9:]], [LONG_TEXT[:3], LONG_TEXT[3:9], LONG_TEXT[9:]]),
    ],
)
def test_the_package_gets_only_what_it_must(
    loop: asyncio.AbstractEventLoop, reads: list[bytes], to_the_package: list[bytes]
) -> None:
    """Fails if the package changes so that we no longer learn when it is between two messages."""
    ReadsCounted.reads.clear()
    follow(loop, Script(reads), Connection, ReadsCounted)

    assert ReadsCounted.reads[1:] == to_the_package
