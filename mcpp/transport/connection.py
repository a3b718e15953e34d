"""One WebSocket connection: a thin shell that pumps the `websockets` package's protocol without I/O.

It owns what that protocol leaves to its user: time limits, pings, the idle rule, the closing handshake, back-pressure
and fairness. One timer at most, set again only when it fires or when something is due sooner, and no task: a silent
connection costs a wake-up for each ping.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, Protocol, cast

from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.protocol import State

from mcpp.csms.outcomes import ConnectionOutcome
from mcpp.transport.limits import Limits
from mcpp.transport.memory import Memory
from mcpp.transport.octets import text_head
from mcpp.transport.pace import Pace
from mcpp.transport.reading import Hold, ReadingSide, Receiver
from mcpp.transport.turns import Turns
from mcpp.transport.websocket import WebSocketProtocol

# Timers of libuv have a resolution of 1 ms and may fire that much early.
_TIMER_SLACK: Final = 0.001


def until_refusal(elapsed: float, grid: float) -> float:
    """Seconds to wait before a refusal leaves, when its request came so many seconds ago."""
    return grid - elapsed % grid


class Owner(Protocol):
    """Who keeps the connections."""

    @property
    def limits(self) -> Limits: ...

    @property
    def memory(self) -> Memory:
        """Where what is held by all connections is counted."""
        ...

    @property
    def turns(self) -> Turns:
        """Where what is left of a turn waits for the next one."""
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


class Connection(ReadingSide):
    """From the accepted socket to its end."""

    __slots__ = (
        "_alarm",
        "_deadline",
        "_deadline_outcome",
        "_owner",
        "_pinged",
        "admission",
        "identity",
        "peer",
        "remote",
    )

    def __init__(self, owner: Owner, ws: WebSocketProtocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(ws, loop, owner.limits, owner.memory, owner.turns)
        self.peer = ""
        """IP address of the socket's other end."""
        self.remote = ""
        """The same, or the one that a trusted proxy says is behind it."""
        self.identity = ""
        self.admission: asyncio.Task[None] | None = None
        """Runs while the application decides; cancelled when the connection ends before."""
        self._owner = owner
        self._pinged = self._heard
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
        """Answer the handshake with an HTTP error and close: how long it took would tell what was looked at.

        Until the answer leaves nothing is read, and it counts as a stranger, who may have to make room for another.
        """
        self._end(outcome, detail)
        self.hold_reading(Hold.ADMISSION)
        self._deadline = None
        if self._alarm is not None:
            self._alarm.cancel()
        wait = until_refusal(self._loop.time() - self._heard, self._limits.refusal_grid)
        self._alarm = self._loop.call_later(wait, self._send_refusal, response)

    def _send_refusal(self, response: Response) -> None:
        self._alarm = None
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
        self._limit(self._limits.handshake_timeout, ConnectionOutcome.HANDSHAKE_TIMEOUT)

    def eof_received(self) -> None:
        # Nothing says whether a half-closed socket still reads, so this is its end; returning closes the transport.
        self._end(*self._loss(""))
        self._limit(self._limits.close_timeout, ConnectionOutcome.LOST)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(*self._loss(str(exc or "")))
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._unread = b""
        self.ws.release()
        self._memory.hold(self, 0)
        self._owner.connection_gone(self)

    def pause_writing(self) -> None:
        self.hold_reading(Hold.WRITES_WAIT)
        if not self.ended:
            self._limit(self._limits.write_timeout, ConnectionOutcome.STALLED)

    def resume_writing(self) -> None:
        if not self.ended:
            self._deadline = None
        self.release_reading(Hold.WRITES_WAIT)

    # The end.

    def _request_received(self, request: Request) -> None:
        self._owner.request_received(self, request)

    def _close_begun(self) -> None:
        self._end(*self.ws.ending())
        self._await_end()

    def _flush(self) -> None:
        transport = self._transport
        for data in self.ws.data_to_send():
            if transport.is_closing():
                return
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                try:
                    transport.write_eof()
                except OSError:  # asyncio's own, where the other side has gone meanwhile
                    transport.abort()
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
        self._limit(self._limits.close_timeout, ConnectionOutcome.LOST)

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
        idle_timeout = self._limits.idle_timeout
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
            idle_timeout = self._limits.idle_timeout
            quiet_since = self._loop.time() if self._holds else max(self._heard, self._pinged)
            due.append(quiet_since + idle_timeout / 3)
            if not self._holds:
                due.append(self._heard + idle_timeout)
            if (receiver_due := self._receiver.next_deadline()) is not None:
                due.append(receiver_due)
        if due:
            self._arm(min(due))
