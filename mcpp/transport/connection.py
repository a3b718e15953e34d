"""One WebSocket connection: a thin shell that pumps the `websockets` package's protocol without I/O.

Nearly all that goes through it is texts of one frame each. They are read and written here, in a fifth of the package's
time, since RFC 6455 asks little of them. A read that holds anything else, or cuts a frame, is the package's as a whole.

It owns what that protocol leaves to its user: time limits, pings, the idle rule, the closing handshake and
back-pressure. One timer at most, set again only when it fires or when something is due sooner, and no task: a silent
connection costs a wake-up for each ping.
"""

from __future__ import annotations

import asyncio
import ssl
from enum import Flag, auto
from typing import Final, Protocol, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from mcpp.transport.limits import Limits
from mcpp.transport.outcomes import ConnectionOutcome
from mcpp.transport.tls_stream import begins_tls
from mcpp.transport.websocket import WebSocketProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the package came without its C extension
    from websockets.utils import apply_mask

# Timers of libuv have a resolution of 1 ms and may fire that much early.
_TIMER_SLACK: Final = 0.001

_TEXT: Final = 0x81
"""First byte of a text's only frame (RFC 6455 §5.2): FIN, no reserved bits, opcode 1."""
_SHORT_HEADS: Final = [bytes((_TEXT, size)) for size in range(126)]


def read_texts(data: bytes) -> list[bytes] | None:
    """The texts, where the data is nothing but whole, masked, unfragmented ones of less than 64 KiB; else None."""
    texts = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 6 or data[at] != _TEXT:
            return None
        size = data[at + 1] - 0x80
        at += 6
        if size == 126 and at + 2 <= end:
            size = data[at - 4] << 8 | data[at - 3]
            at += 2
        elif not 0 <= size < 126:
            return None
        if at + size > end:
            return None
        texts.append(apply_mask(data[at : at + size], data[at - 4 : at]))
        at += size
    return texts


def text_head(size: int) -> bytes:
    """What goes before a text of so many bytes from a server, which doesn't mask (RFC 6455 §5.1)."""
    if size < 126:
        return _SHORT_HEADS[size]
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


class Hold(Flag):
    """Why nothing is read from the socket just now."""

    NONE = 0
    ADMISSION = auto()
    CALLS_WAIT = auto()
    WRITES_WAIT = auto()


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
        "_binary",
        "_deadline",
        "_deadline_outcome",
        "_fragments",
        "_heard",
        "_holds",
        "_loop",
        "_owner",
        "_pinged",
        "_receiver",
        "_transport",
        "admission",
        "ended",
        "identity",
        "peer",
        "remote",
        "ws",
    )

    _transport: asyncio.Transport

    def __init__(self, owner: Owner, ws: WebSocketProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self.ws = ws
        self.peer = ""
        """IP address of the socket's other end."""
        self.remote = ""
        """The same, or the one that a trusted proxy says is behind it."""
        self.identity = ""
        self.admission: asyncio.Task[None] | None = None
        """Runs while the application decides; cancelled when the connection ends before."""
        self.ended = False
        self._owner = owner
        self._loop = loop
        self._receiver: Receiver | None = None
        self._fragments: bytearray | None = None
        self._binary = False
        self._holds = Hold.NONE
        self._heard = self._pinged = loop.time()
        self._deadline: float | None = None
        self._deadline_outcome = ConnectionOutcome.LOST
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def tls(self) -> ssl.SSLObject | None:
        """Of a connection by TLS, once its handshake is over."""
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    def tls_failed(self, reason: str) -> None:
        """The TLS handshake failed, and its end has begun."""
        self.abort(ConnectionOutcome.TLS_FAILED, reason)

    # What the owner and the receiver do.

    def open(self, receiver: Receiver, response: Response) -> None:
        """Accept the connection: messages go to `receiver` from now on."""
        self.ws.send_response(response)
        self._flush()
        self._receiver = receiver
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

    def hold_reading(self, reason: Hold) -> None:
        """Read nothing more until every hold is released: the sender's TCP window fills up."""
        if not self._holds and not self._transport.is_closing():
            self._transport.pause_reading()
        self._holds |= reason

    def release_reading(self, reason: Hold) -> None:
        """Read on, if this was the last hold."""
        if reason not in self._holds:
            return
        self._holds &= ~reason
        if not self._holds and not self._transport.is_closing():
            self._heard = self._loop.time()
            self._transport.resume_reading()

    def wake_by(self, when: float) -> None:
        """Call the receiver's `wake` at this time at the latest."""
        self._arm(when)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports aren't instances of asyncio's class.
        self._transport = transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        self.peer = self.remote = str(peername[0]) if peername else ""
        self._owner.connection_opened(self)
        self._limit(self._owner.limits.handshake_timeout, ConnectionOutcome.HANDSHAKE_TIMEOUT)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        ws = self.ws
        if ws.between_messages and len(data) <= self._owner.limits.max_message_size:
            texts = read_texts(data)
            if texts is not None:
                for text in texts:
                    # What one of them sets off may end the connection.
                    if self._receiver is not None:
                        self._receiver.message_received(text, binary=False)
                return
        if self._receiver is None and not self.ended and begins_tls(data):
            # As text it would be waited for to go on, until the time is over.
            self.abort(
                ConnectionOutcome.BAD_REQUEST, "it speaks TLS (wss://) to a port without; set tls-cert, or use ws://"
            )
            return
        ws.receive_data(data)
        if self._receiver is not None:
            # Pongs and the answer to a close frame, before `send` writes past the package.
            self._flush()
        for event in ws.events_received():
            if isinstance(event, Frame):
                self._frame_received(event)
            elif isinstance(event, Request):
                self._owner.request_received(self, event)
        self._flush()
        if not self.ended and ws.close_expected():
            self._end(*ws.ending())
            self._await_end()

    def eof_received(self) -> None:
        # Nothing says whether a half-closed socket still reads, so this is its end; returning closes the transport.
        self._end(*self._loss(""))
        self._limit(self._owner.limits.close_timeout, ConnectionOutcome.LOST)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(*self._loss(str(exc or "")))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.ws.release()
        self._owner.connection_gone(self)

    def pause_writing(self) -> None:
        self.hold_reading(Hold.WRITES_WAIT)
        if not self.ended:
            self._limit(self._owner.limits.write_timeout, ConnectionOutcome.STALLED)

    def resume_writing(self) -> None:
        if not self.ended:
            self._deadline = None
        self.release_reading(Hold.WRITES_WAIT)

    # Frames and the end.

    def _frame_received(self, frame: Frame) -> None:
        receiver = self._receiver
        if receiver is None:
            if not self.ended:
                # RFC 6455 §4.1: a client waits for the server's answer to its handshake.
                self.abort(ConnectionOutcome.BAD_REQUEST, "data before the end of the handshake")
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

    def _await_end(self) -> None:
        """Allow the other side its time to close the socket, reading on to see it."""
        self._holds = Hold.NONE
        if not self._transport.is_closing():
            self._transport.resume_reading()
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
        due = [] if self._deadline is None else [self._deadline]
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
