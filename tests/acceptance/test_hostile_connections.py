"""Connections that are there to take memory: the server's stays bounded, and is given back."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.server import Server, running_server
from tests.integration.transport.support import handshake

MIB = 1 << 20
UNFINISHED = b"\x81\xff" + (MIB - 100).to_bytes(8, "big") + bytes(4) + b"x" * (MIB - 200)
"""A text of nearly 1 MiB, of which the end is missing."""
FILLER = "x" * 8000


def memory_mib(server: Server, field: str) -> float:
    """Of the server's process: `VmRSS` now, `VmHWM` at most."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def unfinished_frame(connection: socket.socket, identity: str) -> None:
    connection.sendall(handshake(f"/ocpp/{identity}"))
    while not connection.recv(4096).endswith(b"\r\n\r\n"):
        pass
    connection.sendall(UNFINISHED)


def unfinished_handshake(connection: socket.socket, identity: str) -> None:
    # As many headers as the parser takes, if it's let.
    connection.sendall(handshake(f"/ocpp/{identity}", {f"X-{number}": FILLER for number in range(100)})[:-2])


def take_memory(port: int, how: Callable[[socket.socket, str], None], count: int) -> None:
    """Open so many connections at the same time, then cut them all."""
    with ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(ConnectionError):  # the server may cut it, or another one
                how(connection, f"HOSTILE-{number}")


@pytest.mark.parametrize("how", [unfinished_frame, unfinished_handshake])
async def test_what_was_taken_stays_bounded(tmp_path: Path, how: Callable[[socket.socket, str], None]) -> None:
    count = 400
    async with running_server(tmp_path / "mcpp.db", "--frame-limit", str(MIB)) as server:
        before = memory_mib(server, "VmRSS")
        async with connect(
            f"{server.ocpp_url}/HEALTHY", subprotocols=[Subprotocol("ocpp1.6")], proxy=None
        ) as neighbour:
            await asyncio.to_thread(take_memory, server.ocpp_port, how, count)
            await neighbour.send('[2,"m1","Heartbeat",{}]')
            async with asyncio.timeout(30):
                assert str(await neighbour.recv()).startswith('[3,"m1",')

        # Without a bound each of them would hold 1 MiB. 64 MiB are theirs, and what the allocator needs for that.
        assert memory_mib(server, "VmHWM") - before < 200
