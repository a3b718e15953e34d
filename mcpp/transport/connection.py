"""One WebSocket connection: a thin shell that pumps the `websockets` package's protocol without I/O.

Nearly all that goes through it is texts of one frame each. They are read and written here, in a fifth of the package's
time, since RFC 6455 asks little of them. Any other frame is the package's, which gets no more than one at a time.

It owns what that protocol leaves to its user: time limits, pings, the idle rule, the closing handshake, back-pressure
and fairness. What was read is handled in turns: after a few frames, or after some milliseconds, the other connections
have theirs. Frames of every kind count, whatever is in them, and nothing is read while something that was read waits.

One timer at most, set again only when it fires or when something is due sooner, and no task: a silent connection costs
a wake-up for each ping.
"""

from __future__ import annotations

import asyncio
from enum import Flag, auto
from http import HTTPStatus
from time import perf_counter
from typing import Final, Protocol, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from mcpp.transport.limits import Limits
from mcpp.transport.memory import Memory
from mcpp.transport.octets import frame_size, read_text, text_head
from mcpp.transport.outcomes import ConnectionOutcome
from mcpp.transport.pace import Pace
from mcpp.transport.websocket import WebSocketProtocol

# Timers of libuv have a resolution of 1 ms and may fire that much early.
_TIMER_SLACK: Final = 0.001


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


class Owner(Protocol):
    """Who keeps the connections."""

    @property
    def limits(self) -> Limits: ...

    @property
    def memory(self) -> Memory:
        """Where what is held by all connections is counted."""
        ...

    def connection_opened(self, connection: Connection) -> None:
        """A socket was accepted."""
        ...

    def request_received(self, connection: Connection, request: Request) -> None:
        """The handshake's request is there: `refuse` or `open` the connection, now or later."""
        ...

    def connection_ended(self, connection: Connection, outcome: ConnectionOutcome, detail: str) -> None:
        """No message can be exchanged any more; called once, while the socket may still linger."""
        ...

    def connection_gone(self, connection: Connection) -> None:
        """The socket is closed; called once, last."""
        ...


class Connection(asyncio.Protocol):
    """From the accepted socket to its end."""

    __slots__ = (
        "_alarm",
        "_at",
        "_binary",
        "_deadline",
        "_deadline_outcome",
        "_fragments",
        "_frame_left",
        "_heard",
        "_held",
        "_holds",
        "_loop",
        "_opened",
        "_owner",
        "_paused",
        "_pinged",
        "_read_on_at",
        "_receiver",
        "_rest",
        "_transport",
        "_unread",
        "_waiting_bytes",
        "admission",
        "ended",
        "identity",
        "pace",
        "remote",
        "ws",
    )

    _transport: asyncio.Transport

    def __init__(self, owner: Owner, ws: WebSocketProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self.ws = ws
        self.remote = ""
        """IP address of the other end."""
        self.identity = ""
        self.pace: Pace | None = None
        """Of its charge point, once that is admitted."""
        self.admission: asyncio.Task[None] | None = None
        """Runs while the application decides; cancelled when the connection ends before."""
        self.ended = False
        self._owner = owner
        self._loop = loop
        self._receiver: Receiver | None = None
        self._fragments: bytearray | None = None
        self._binary = False
        self._holds = Hold.NONE
        self._paused = False
        """Whether the socket isn't read just now, for one of the holds."""
        self._unread = b""
        """What was read and isn't handled, from index `_at` on."""
        self._at = 0
        self._rest = b""
        """Of a frame's head, which says how long the frame is."""
        self._opened = False
        """Whether the handshake is over: from then on frames come."""
        self._frame_left = 0
        """Bytes to come of the frame that the package is being given."""
        self._waiting_bytes = 0
        self._held = 0
        """Bytes that it was last said to hold."""
        self._read_on_at: float | None = None
        """When the hold for its pace is over."""
        self._heard = self._pinged = loop.time()
        self._deadline: float | None = None
        self._deadline_outcome = ConnectionOutcome.LOST
        self._alarm: asyncio.TimerHandle | None = None

    # What the owner and the receiver do.

    def open(self, receiver: Receiver, response: Response, pace: Pace) -> None:
        """Accept the connection: messages go to `receiver` from now on, as fast as `pace` allows."""
        self.ws.send_response(response)
        self._flush()
        self._receiver = receiver
        self._opened = True
        self.pace = pace
        self._note_held()
        self._deadline = None
        self.release_reading(Hold.ADMISSION)
        self._heard = self._loop.time()
        self._arm_next()

    def refuse(self, response: Response, outcome: ConnectionOutcome, detail: str = "") -> None:
        """Answer the handshake with an HTTP error and close."""
        self._end(outcome, detail)
        self.ws.send_response(response)
        self._flush()
        self._await_end()

    def accept_and_close(
        self, response: Response, code: CloseCode, reason: str, outcome: ConnectionOutcome, detail: str
    ) -> None:
        """Complete the handshake only to close the connection."""
        self._end(outcome, detail)
        self.ws.send_response(response)
        self._opened = True
        self.ws.send_close(code, reason)
        self._flush()
        self._await_end()

    def send(self, text: bytes) -> bool:
        """Send a message, unless the connection has ended: then False."""
        # A close frame or a breach may have come in the same read as the CALL to be answered.
        if self.ended or self.ws.state is not State.OPEN:
            return False
        # All that the package had to send is out, so nothing is overtaken.
        if not self._transport.is_closing():
            self._transport.write(text_head(len(text)) + text)
        return True

    def close(self, code: CloseCode, reason: str, outcome: ConnectionOutcome) -> None:
        """Start the closing handshake; a connection that isn't open yet is cut."""
        if self.ws.state is State.CONNECTING:
            self.abort(outcome, reason)
        elif not self.ended:
            self._end(outcome, reason)
            if self.ws.state is State.OPEN:
                self.ws.send_close(code, reason)
            self._flush()
            self._await_end()

    def abort(self, outcome: ConnectionOutcome, detail: str = "") -> None:
        """Cut the connection."""
        self._end(outcome, detail)
        self._transport.abort()

    def give_up(self) -> None:
        """Cut the connection, for what it holds."""
        self.abort(ConnectionOutcome.CROWDED_OUT, f"it held {self._held} bytes")

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

    def wake_by(self, when: float) -> None:
        """Call the receiver's `wake` at this time at the latest."""
        self._arm(when)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports aren't instances of asyncio's class.
        self._transport = transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        self.remote = str(peername[0]) if peername else ""
        self._owner.connection_opened(self)
        self._limit(self._owner.limits.handshake_timeout, ConnectionOutcome.HANDSHAKE_TIMEOUT)

    def data_received(self, data: bytes) -> None:
        self._heard = now = self._loop.time()
        if self._rest or self._unread:
            data = self._rest + self._unread[self._at :] + data
            self._rest = self._unread = b""
        if self._opened and not self._holds:
            self._handle(data, 0, now)
        elif self._opened:
            # Transports may have had some more when they were paused.
            self._unread, self._at = data, 0
            self._note_held()
        else:
            self._read_request(data)

    def eof_received(self) -> None:
        # Nothing says whether a half-closed socket still reads, so this is its end; returning closes the transport.
        self._end(*self._loss(""))
        self._limit(self._owner.limits.close_timeout, ConnectionOutcome.LOST)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(*self._loss(str(exc or "")))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._unread = self._rest = b""
        self.ws.release()
        self._owner.memory.hold(self, 0)
        self._owner.connection_gone(self)

    def pause_writing(self) -> None:
        self.hold_reading(Hold.WRITES_WAIT)
        if not self.ended:
            self._limit(self._owner.limits.write_timeout, ConnectionOutcome.STALLED)

    def resume_writing(self) -> None:
        if not self.ended:
            self._deadline = None
        self.release_reading(Hold.WRITES_WAIT)

    # What was read.

    def _read_request(self, data: bytes) -> None:
        """The handshake's request, or a part of it."""
        if self.ended:
            return
        ws = self.ws
        if Hold.ADMISSION not in self._holds:
            self._held += len(data)
            if self._held > self._owner.limits.max_request_size:
                text = f"the handshake has more than {self._owner.limits.max_request_size} bytes"
                refusal = ws.refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text)
                self.refuse(refusal, ConnectionOutcome.BAD_REQUEST, text)
                return
            self._owner.memory.hold(self, self._held)
            ws.receive_data(data)
            data = b""
            for event in ws.events_received():
                if isinstance(event, Request):
                    self._owner.request_received(self, event)
                else:
                    data = b"a frame"
            self._flush()
        if self.ended:
            return
        if ws.close_expected():
            self._end(*ws.ending())
            self._await_end()
        elif data or (Hold.ADMISSION in self._holds and ws.unfinished_bytes):
            # RFC 6455 §4.1: a client waits for the server's answer to its handshake.
            self.abort(ConnectionOutcome.BAD_REQUEST, "data before the end of the handshake")

    def _handle(self, data: bytes, at: int, now: float) -> None:
        """Handle what was read, from an index on, as far as it belongs to this turn."""
        ws, limits = self.ws, self._owner.limits
        began, begin, end = perf_counter(), at, len(data)
        frames = 0
        while at < end:
            if frames and (
                self._holds or frames >= limits.frames_per_turn or perf_counter() - began >= limits.turn_time
            ):
                break
            if not self._frame_left:
                text = read_text(data, at, limits.max_message_size) if ws.between_messages else None
                if text is not None:
                    frames += 1
                    at = text[1]
                    # What one of them sets off may end the connection.
                    if self._receiver is not None:
                        self._receiver.message_received(text[0], binary=False)
                    continue
                size = frame_size(data, at)
                if size is None:
                    self._rest, at = data[at:], end
                    break
                self._frame_left = size
            piece = data[at : at + self._frame_left]
            at += len(piece)
            self._frame_left -= len(piece)
            frames += not self._frame_left
            self._feed(piece)
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
        if at < end or self._frame_left or self._held:
            self._note_held()

    def _take_turn(self) -> None:
        """Handle on what was read in the event loop's next round."""
        self.hold_reading(Hold.TURN)
        self._loop.call_soon(self._turn)

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
            self._owner.memory.hold(self, held)

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
            self._end(*ws.ending())
            self._await_end()

    # Frames and the end.

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

    def _flush(self) -> None:
        transport = self._transport
        for data in self.ws.data_to_send():
            if transport.is_closing():
                return
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()

    def _loss(self, detail: str) -> tuple[ConnectionOutcome, str]:
        """What it means that the socket ended."""
        return ConnectionOutcome.HANDSHAKE_ABORTED if self._receiver is None else ConnectionOutcome.LOST, detail

    def _end(self, outcome: ConnectionOutcome, detail: str) -> None:
        if self.ended:
            return
        self.ended = True
        if self.admission is not None:
            self.admission.cancel()
            self.admission = None
        self._receiver = None
        self._fragments = None
        self._owner.connection_ended(self, outcome, detail)
        self._waiting_bytes = 0
        if self._opened:
            self._note_held()

    def _await_end(self) -> None:
        """Allow the other side its time to close the socket, reading on to see it."""
        self._holds &= Hold.TURN
        self._read_on()
        self._limit(self._owner.limits.close_timeout, ConnectionOutcome.LOST)

    # Time.

    def _limit(self, seconds: float, outcome: ConnectionOutcome) -> None:
        """Cut the connection after this time, unless it gets somewhere else before."""
        self._deadline = self._loop.time() + seconds
        self._deadline_outcome = outcome
        self._arm(self._deadline)

    def _arm(self, when: float) -> None:
        if self._alarm is not None:
            if self._alarm.when() <= when:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        now = self._loop.time() + _TIMER_SLACK
        if self._deadline is not None and now >= self._deadline:
            self.abort(self._deadline_outcome)
            return
        if self._read_on_at is not None and now >= self._read_on_at:
            self._read_on_at = None
            self.release_reading(Hold.PACE)
        if self._receiver is not None:
            self._receiver.wake(now)
            self._keep_alive(now)
        self._arm_next()

    def _keep_alive(self, now: float) -> None:
        """Ping a silent connection, close one that stays silent; while we don't read, silence means nothing."""
        idle_timeout = self._owner.limits.idle_timeout
        if self._holds:
            return
        if now - self._heard >= idle_timeout:
            self.close(CloseCode.INTERNAL_ERROR, "no frame within the idle timeout", ConnectionOutcome.IDLE)
        elif now - max(self._heard, self._pinged) >= idle_timeout / 3:
            self._pinged = now
            self.ws.send_ping(b"")
            self._flush()

    def _arm_next(self) -> None:
        due = [when for when in (self._deadline, self._read_on_at) if when is not None]
        if self._receiver is not None:
            idle_timeout = self._owner.limits.idle_timeout
            quiet_since = self._loop.time() if self._holds else max(self._heard, self._pinged)
            due.append(quiet_since + idle_timeout / 3)
            if not self._holds:
                due.append(self._heard + idle_timeout)
            if (receiver_due := self._receiver.next_deadline()) is not None:
                due.append(receiver_due)
        if due:
            self._arm(min(due))
