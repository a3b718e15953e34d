"""A connection to the OCPP listener for those who don't keep to the rules: bytes, whole frames and parts of them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from pydantic import JsonValue
from websockets.frames import Opcode

from tests.integration.transport.support import frame, handshake

HOST: Final = "127.0.0.1"
HANDSHAKE_TIMEOUT: Final = 30.0


class NotLetIn(Exception):
    """The handshake was refused; its status is the message."""


class Line:
    """A socket, before or after the WebSocket handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def upgrade(self, identity: str, headers: Mapping[str, str] | None = None) -> None:
        """The handshake of a charger; raises NotLetIn."""
        await self.send(handshake(f"/ocpp/{identity}", headers))
        async with asyncio.timeout(HANDSHAKE_TIMEOUT):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                raise NotLetIn("no answer") from error
        status = head.split(b" ", 2)[1].decode()
        if status != "101":
            raise NotLetIn(status)

    async def send(self, data: bytes) -> None:
        """Write, and wait for as long as the other side doesn't read."""
        self.writer.write(data)
        await self.writer.drain()

    async def discard(self) -> None:
        """Read and forget until the other side ends the connection."""
        while await self.reader.read(1 << 16):
            pass

    def stop_reading(self) -> None:
        """As a modem that hangs: what the server sends piles up."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    def reset(self) -> None:
        """End it by RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[Line]:
    """A TCP connection on which nothing was said yet."""
    line = Line(*await asyncio.open_connection(HOST, port))
    try:
        yield line
    finally:
        line.writer.transport.abort()


@asynccontextmanager
async def charger(
    port: int, identity: str, headers: Mapping[str, str] | None = None, *, reads: bool = True
) -> AsyncIterator[Line]:
    """A connection that was let in; what the server sends is read and forgotten, unless it shall pile up."""
    async with dialled(port) as line:
        await line.upgrade(identity, headers)
        if not reads:
            line.stop_reading()
            yield line
            return
        reading = asyncio.create_task(line.discard())
        try:
            yield line
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await reading


def text(content: str | bytes) -> bytes:
    """A text frame."""
    return frame(Opcode.TEXT, content.encode() if isinstance(content, str) else content)


def call(action: str, payload: JsonValue, message_id: str = "1") -> bytes:
    """A CALL in a text frame."""
    return text(json.dumps([2, message_id, action, payload], separators=(",", ":")))
