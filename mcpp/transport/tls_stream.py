"""TLS between a socket's transport and a protocol, by the standard library's `ssl` without I/O.

The event loops' own TLS tells nobody why a handshake failed, counts a connection only once that is over, waits for it
by limits of its own, and on the standard loop takes 256 KiB for each connection. Here the protocol sees the connection
from its first moment, with its own counts and time limits; nothing is spent on TLS before the first byte has come.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar, cast

from mcpp.phrases import Phrase
from mcpp.transport.tls_reasons import LEFT, failure_reason

Inner = TypeVar("Inner", bound=asyncio.Protocol)

_HANDSHAKE: Final = 0x16
"""First byte of every TLS connection: a record of the handshake (RFC 8446 §5.1)."""

_RECORD: Final = 16_384
"""Bytes in a record at most. A BIO never shrinks, so it gets no more than this at a time."""

_PLAIN_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 45\r\nConnection: close\r\n\r\n"
    b"this port speaks TLS: use wss:// or https://\n"
)


_PLAIN: Final = Phrase("it speaks plain ws:// or http:// to a port with TLS")
_NO_TLS: Final = Phrase("what it sends is no TLS")


def begins_tls(data: bytes) -> bool:
    """Whether the first bytes of a connection are those of TLS."""
    return data[0] == _HANDSHAKE


class TlsStream(asyncio.Protocol, asyncio.Transport, Generic[Inner]):
    """The protocol of a socket's transport, and the transport of the protocol behind it.

    What that writes before the handshake is over is dropped.
    """

    __slots__ = (
        "_alarm",
        "_closing",
        "_context",
        "_error",
        "_established",
        "_incoming",
        "_inner",
        "_on_failure",
        "_outgoing",
        "_tls",
        "_transport",
    )

    _transport: asyncio.Transport
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO

    def __init__(
        self,
        inner: Inner,
        context: ssl.SSLContext,
        on_failure: Callable[[Inner, str, str], None],
        handshake_timeout: float | None = None,
    ) -> None:
        """`on_failure` is told the other end's IP address and the reason where the handshake fails; the end follows.

        `handshake_timeout` is in seconds; None where the protocol has a limit of its own.
        """
        self._alarm: asyncio.TimerHandle | None = None
        if handshake_timeout is not None:
            self._alarm = asyncio.get_running_loop().call_later(handshake_timeout, self._too_late)
        self._inner: Inner | None = inner
        self._context: ssl.SSLContext | None = context
        self._on_failure = on_failure
        self._tls: ssl.SSLObject | None = None
        self._established = False
        self._closing = False
        self._error: Exception | None = None

    # As the protocol of the socket.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports aren't instances of asyncio's class.
        self._transport = cast("asyncio.Transport", transport)
        if self._inner is not None:
            self._inner.connection_made(self)

    def data_received(self, data: bytes) -> None:
        if self._error is not None or self._inner is None:
            return
        if self._context is not None:
            if not begins_tls(data):
                self._refuse_plain(data)
                return
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            self._context = None
        texts: list[bytes] = []
        ended = False
        if len(data) <= _RECORD:
            ended = self._decrypt(data, texts)
        else:
            view = memoryview(data)
            for at in range(0, len(data), _RECORD):
                ended = self._decrypt(view[at : at + _RECORD], texts) or ended
        if texts:
            self._inner.data_received(texts[0] if len(texts) == 1 else b"".join(texts))
        if ended:
            self._other_side_ended()

    def eof_received(self) -> None:
        if self._tls is not None and not self._established and self._error is None:
            self._fail(LEFT)
        else:
            self._other_side_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        inner, self._inner = self._inner, None
        self._closing = True
        self._stop_alarm()
        self._tls = None
        if inner is not None:
            inner.connection_lost(self._error or exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    # As the transport of the protocol.

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        tls = self._tls
        if tls is None or self._closing or not self._established or not data:
            return
        try:
            sent = tls.write(cast("bytes", data))
            self._transport.write(self._outgoing.read())
            while sent < len(data):  # a record at a time
                sent += tls.write(cast("bytes", memoryview(data)[sent:]))
                self._transport.write(self._outgoing.read())
        except ssl.SSLError as error:
            self._fail(failure_reason(error))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Say that nothing more comes, and read on: the other side's last words may be under way."""
        if not self._established:
            self.close()
        elif not self._closing and self._transport.can_write_eof():
            self._notify()
            self._transport.write_eof()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self._established:
            self._notify()
        self._transport.close()

    def abort(self) -> None:
        self._closing = True
        if self._error is None:  # else it's closing, with an alert on its way
            self._transport.abort()

    def is_closing(self) -> bool:
        return self._closing or self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # Any: as asyncio declares it
        """`ssl_object` once the handshake is over; all else is the socket's."""
        if name == "ssl_object":
            return self._tls if self._established else default
        if name == "sslcontext":  # by which uvicorn knows that it's https
            return self._context if self._tls is None else self._tls.context
        return self._transport.get_extra_info(name, default)

    # TLS.

    def _decrypt(self, data: bytes | memoryview[Any], texts: list[bytes]) -> bool:
        """Take in at most a record's size and add what it says; whether the other side has ended."""
        tls = self._tls
        if tls is None or self._error is not None:
            return False
        self._incoming.write(data)
        try:
            if not self._established:
                tls.do_handshake()
                self._established = True
                self._stop_alarm()
                self._flush()
            while self._incoming.pending or tls.pending():
                text = tls.read(_RECORD)
                if not text:
                    return True
                texts.append(text)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError as error:
            self._fail(failure_reason(error))
        return False

    def _flush(self) -> None:
        if self._outgoing.pending and not self._transport.is_closing():
            self._transport.write(self._outgoing.read())

    def _notify(self) -> None:
        """Send close_notify, by which the other side knows that nothing was cut off (RFC 8446 §6.1)."""
        if self._tls is not None:
            with suppress(ssl.SSLError):  # the other side's is still to come
                self._tls.unwrap()
            self._flush()

    def _other_side_ended(self) -> None:
        if self._inner is not None and not self._inner.eof_received():
            self.close()

    def _refuse_plain(self, data: bytes) -> None:
        is_http = data[:1].isalpha()
        if is_http:
            self._transport.write(_PLAIN_ANSWER)
        self._fail(_PLAIN if is_http else _NO_TLS)

    def _too_late(self) -> None:
        self._fail(Phrase("it took too long over the TLS handshake"))

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _fail(self, reason: str) -> None:
        """End with the alert that says why to the other side."""
        was_established = self._established
        self._error = ConnectionError(reason)
        if self._tls is not None:
            self._flush()
        self._closing = True
        self._transport.close()
        if not was_established and self._inner is not None:
            peername = self._transport.get_extra_info("peername")
            self._on_failure(self._inner, str(peername[0]) if peername else "", reason)
