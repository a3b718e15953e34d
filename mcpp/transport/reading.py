"""The reading side of a connection: what came in is handled in turns, and counted.

Nearly all that comes in is texts of one frame each. They are read here, in a fifth of the package's time, since
RFC 6455 asks little of them. Any other frame is the package's, which gets no more than one at a time.

What was read is handled in turns: after a few frames, or after some milliseconds, the other connections have theirs.
Frames of every kind count, whatever is in them, and nothing is read while something that was read waits.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from enum import Flag, auto
from http import HTTPStatus
from time import perf_counter
from typing import Final, Protocol

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.phrases import Phrase
from mcpp.transport.limits import Limits
from mcpp.transport.memory import Memory
from mcpp.transport.octets import LONGEST_HEAD, frame_size, read_text
from mcpp.transport.pace import Pace
from mcpp.transport.target import shown_path
from mcpp.transport.tls_stream import begins_tls
from mcpp.transport.turns import Turns
from mcpp.transport.websocket import WebSocketProtocol

_FULL_READ: Final = 1 << 16
"""Bytes; a shorter read was the last one in its round."""

_POST: Final = b"POST "


class Hold(Flag):
    """Why nothing is read from the socket just now."""

    NONE = 0
    ADMISSION = auto()
    CALLS_WAIT = auto()
    WRITES_WAIT = auto()
    TURN = auto()
    """What was read already comes first, in this connection's next turn."""
    PACE = auto()
    """It has sent more than its share: see `pace`."""


class Receiver(Protocol):
    """What stands behind an open connection."""

    def message_received(self, message: bytes, *, binary: bool) -> None:
        """A whole message came in; `binary` if it came as binary frames."""
        ...

    def next_deadline(self) -> float | None:
        """When `wake` should be called next, in the event loop's time."""
        ...

    def wake(self, now: float) -> None:
        """The deadline may have passed."""
        ...


class ReadingSide(asyncio.Protocol):
    """Gets what the socket has: the handshake's request, then frames."""

    __slots__ = (
        "_at",
        "_binary",
        "_fragments",
        "_frame_left",
        "_head",
        "_heard",
        "_held",
        "_holds",
        "_limits",
        "_loop",
        "_memory",
        "_opened",
        "_paused",
        "_read_on_at",
        "_receiver",
        "_transport",
        "_turns",
        "_unread",
        "_waiting_bytes",
        "ended",
        "pace",
        "path",
        "ws",
    )

    _transport: asyncio.Transport

    def __init__(
        self, ws: WebSocketProtocol, loop: asyncio.AbstractEventLoop, limits: Limits, memory: Memory, turns: Turns
    ) -> None:
        self.ws = ws
        self.ended = False
        self.path = ""
        """Of its request, as people get to see it; empty until it was read."""
        self.pace: Pace | None = None
        """Of its charge point, once that is admitted."""
        self._loop = loop
        self._limits = limits
        self._memory = memory
        self._turns = turns
        self._receiver: Receiver | None = None
        self._holds = Hold.NONE
        self._paused = False
        """Whether the socket isn't read just now, for one of the holds."""
        self._opened = False
        """Whether the handshake is over: from then on frames come."""
        self._unread = b""
        """What was read and isn't handled, from index `_at` on."""
        self._at = 0
        self._head = b""
        """What the package was given of a frame's head that doesn't say yet how long the frame is."""
        self._frame_left = 0
        """Bytes to come of the frame that the package is being given."""
        self._fragments: bytearray | None = None
        self._binary = False
        self._waiting_bytes = 0
        self._held = 0
        """Bytes that it was last said to hold."""
        self._read_on_at: float | None = None
        """When the hold for its pace is over."""
        self._heard = loop.time()

    def data_received(self, data: bytes) -> None:
        self._heard = now = self._loop.time()
        if self._unread:
            data, self._unread = self._unread[self._at :] + data, b""
        if self._opened:
            if self._paused:
                # Transports may have had some more then.
                self._unread, self._at = data, 0
                self._note_held()
            else:
                self._handle(data, 0, now)
        elif not self.ended:
            self._read_request(data)

    def hold_reading(self, reason: Hold) -> None:
        """Read nothing more until every hold is released: the sender's TCP window fills up."""
        self._holds |= reason
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def release_reading(self, reason: Hold) -> None:
        """Read on, if this was the last hold."""
        if reason in self._holds:
            self._holds &= ~reason
            self._read_on()

    def note_waiting(self, size: int) -> None:
        """The receiver has so many bytes of messages that wait to be handled."""
        self._waiting_bytes = size
        self._note_held()

    def _read_request(self, data: bytes) -> None:
        """The handshake's request, or a part of it."""
        if Hold.ADMISSION in self._holds:
            self._came_too_soon()
            return
        if not self._held and begins_tls(data):
            # As text it would be waited for to go on, until the time is over.
            text = Phrase("it speaks TLS (wss://) to a port without; set tls-cert, or use ws://")
            self.abort(ConnectionOutcome.BAD_REQUEST, text)
            return
        if not self._held and data.startswith(_POST):
            # The package reads no request with a body.
            text = Phrase("it sends an HTTP POST, as OCPP over SOAP does")
            self.path = shown_path(data[len(_POST) :].partition(b" ")[0].decode("ascii", "replace"))
            self.refuse(self.ws.refusal(HTTPStatus.METHOD_NOT_ALLOWED, text), ConnectionOutcome.BAD_REQUEST, text)
            return
        ws, most = self.ws, self._limits.max_request_size
        self._held += len(data)
        if self._held > most:
            text = Phrase("the handshake has more than {most} bytes", most=most)
            refusal = ws.refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text)
            self.refuse(refusal, ConnectionOutcome.BAD_REQUEST, text)
            return
        self._memory.hold(self, self._held)
        if self._transport.is_closing():
            return
        ws.receive_data(data)
        for event in ws.events_received():
            if isinstance(event, Request):
                self._request_received(event)
            if not isinstance(event, Request) or ws.unfinished_bytes:
                self._came_too_soon()
        self._flush()
        if not self.ended and ws.close_expected():
            self._close_begun()

    def _came_too_soon(self) -> None:
        # RFC 6455 §4.1: a client waits for the server's answer to its handshake.
        if not self.ended:
            self.abort(ConnectionOutcome.BAD_REQUEST, Phrase("data before the end of the handshake"))

    def _handle(self, data: bytes, at: int, now: float) -> None:
        """Handle what was read, from an index on, as far as it belongs to this turn."""
        limits = self._limits
        began, begin, end = perf_counter(), at, len(data)
        frames = 0
        while at < end:
            if frames and (
                self._holds or frames >= limits.frames_per_turn or perf_counter() - began >= limits.turn_time
            ):
                break
            if not self._frame_left:
                text = None
                if not self._head and self.ws.current_size is None:
                    text = read_text(data, at, limits.max_message_size)
                if text is not None:
                    frames += 1
                    at = text[1]
                    # What one of them sets off may end the connection.
                    if self._receiver is not None:
                        self._receiver.message_received(text[0], binary=False)
                    continue
                head = self._head + data[at : at + LONGEST_HEAD]
                size = frame_size(head)
                if size is None:
                    self._head = head
                    self._feed(data[at:])
                    at = end
                    break
                self._frame_left, self._head = size - len(self._head), b""
            piece = data[at : at + self._frame_left]
            at += len(piece)
            self._frame_left -= len(piece)
            frames += not self._frame_left
            self._feed(piece)
            if self.ws.over:
                at = end  # whatever follows
        if self.pace is not None and not self.ended:
            read_on_at = self.pace.count(frames, at - begin, now)
            if read_on_at is not None:
                self._read_on_at = read_on_at
                self.hold_reading(Hold.PACE)
                self._arm(read_on_at)
        if at < end:
            self._unread, self._at = data, at
            if not self._holds:
                self._take_turn()
        elif end >= _FULL_READ and not self._holds and perf_counter() - began >= limits.turn_time:
            # libuv would read on in the same round, many times, where a read has filled its buffer.
            self._take_turn()
        if at < end or self._frame_left or self._held or self._fragments is not None:
            self._note_held()

    def _take_turn(self) -> None:
        """Handle on what was read in a later round of the event loop."""
        self.hold_reading(Hold.TURN)
        self._turns.take(self._loop, self._turn)

    def _turn(self) -> None:
        self._holds &= ~Hold.TURN
        # A hold that has come since begins the next turn when it's over.
        if not self._holds:
            data, self._unread = self._unread, b""
            if not self._transport.is_closing():
                self._handle(data, self._at, self._loop.time())
                self._read_on()

    def _read_on(self) -> None:
        """Go on, unless something holds the connection: first with what was read before."""
        if self._holds or self._transport.is_closing():
            return
        if self._unread:
            self._take_turn()
        elif self._paused:
            self._paused = False
            self._heard = self._loop.time()
            self._transport.resume_reading()

    def _note_held(self) -> None:
        """Count the bytes that it holds of messages that aren't handled."""
        held = self.ws.unfinished_bytes + self._waiting_bytes
        if self._unread:
            held += len(self._unread)
        if self._fragments is not None:
            held += len(self._fragments)
        if held != self._held:
            self._held = held
            self._memory.hold(self, held)

    def _feed(self, data: bytes) -> None:
        """Give the package a frame, or a part of one."""
        ws = self.ws
        if ws.over:
            return
        ws.receive_data(data)
        if self._receiver is not None:
            # Pongs and the answer to a close frame, before `send` writes past the package.
            self._flush()
        for event in ws.events_received():
            if isinstance(event, Frame):
                self._frame_received(event)
        self._flush()
        if not self.ended and ws.close_expected():
            self._close_begun()

    def _frame_received(self, frame: Frame) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            binary = opcode is Opcode.BINARY
            if frame.fin:
                receiver.message_received(bytes(frame.data), binary=binary)
            else:
                self._fragments, self._binary = bytearray(frame.data), binary
        elif opcode is Opcode.CONT and self._fragments is not None:
            self._fragments += frame.data
            if frame.fin:
                message, self._fragments = bytes(self._fragments), None
                receiver.message_received(message, binary=self._binary)

    # What the connection does about it.

    @abstractmethod
    def refuse(self, response: Response, outcome: ConnectionOutcome, detail: str = "") -> None:
        """Answer the handshake with an HTTP error and close."""

    @abstractmethod
    def abort(self, outcome: ConnectionOutcome, detail: str = "") -> None:
        """Cut the connection."""

    @abstractmethod
    def give_up(self) -> None:
        """Cut the connection, for what it holds."""

    @abstractmethod
    def _request_received(self, request: Request) -> None:
        """The handshake's request is there."""

    @abstractmethod
    def _flush(self) -> None:
        """Send what the package has to send."""

    @abstractmethod
    def _close_begun(self) -> None:
        """The package has had a close frame, or a breach of the protocol."""

    @abstractmethod
    def _arm(self, when: float) -> None:
        """Wake up at this time at the latest."""
