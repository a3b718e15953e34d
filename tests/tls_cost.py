"""What TLS costs: memory of an idle connection and CPU of a heartbeat, by wss and by ws; `python -m tests.tls_cost`.

The chargers run in this process, the server in one of its own; what counts is the server's alone. Each heartbeat has
its two lines in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import ssl
import sys
import tempfile
import time
from pathlib import Path

from websockets.frames import Frame, Opcode

from tests.acceptance.server import running_server
from tests.authority import Authority, rsa_key

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


class _Charger:
    """One connection, as thin as can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int, identity: str, tls: ssl.SSLContext | None) -> _Charger:
        charger = cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls))
        key = base64.b64encode(os.urandom(16)).decode()
        charger._writer.write(
            f"GET /ocpp/{identity} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )
        head = await charger._reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        return charger

    async def heartbeat(self, number: int) -> None:
        text = f'[2,"{number}","Heartbeat",{{}}]'.encode()
        self._writer.write(Frame(Opcode.TEXT, text).serialize(mask=True))
        head = await self._reader.readexactly(2)
        await self._reader.readexactly(head[1])

    async def beat_until(self, end: float) -> int:
        count = 0
        while time.monotonic() < end:
            await self.heartbeat(count)
            count += 1
        return count

    def close(self) -> None:
        self._writer.transport.abort()


async def _measure(name: str, flags: tuple[str, ...], tls: ssl.SSLContext | None, args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with running_server(Path(directory) / "mcpp.db", *flags) as server:
            pid = server.process.pid
            warm = [await _Charger.connect(server.ocpp_port, f"W-{i}", tls) for i in range(50)]
            for charger in warm:
                await charger.heartbeat(0)
            before, cpu = _rss_bytes(pid), _cpu_seconds(pid)
            idle = []
            for number in range(args.idle):
                idle.append(await _Charger.connect(server.ocpp_port, f"I-{number}", tls))
                await idle[-1].heartbeat(0)
            await asyncio.sleep(1)
            each = (_rss_bytes(pid) - before) / args.idle / 1024
            connecting = (_cpu_seconds(pid) - cpu) / args.idle * 1e3
            start = _cpu_seconds(pid)
            end = time.monotonic() + args.seconds
            beats = sum(await asyncio.gather(*(charger.beat_until(end) for charger in idle[: args.busy])))
            used = _cpu_seconds(pid) - start
            print(  # noqa: T201
                f"{name:34} {each:7.1f} KiB per connection, {connecting:6.2f} ms to connect,"
                f" {used / beats * 1e6:6.1f} us per heartbeat ({beats})"
            )
            for charger in (*warm, *idle):
                charger.close()


async def _main(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ca = Authority(Path(directory))
        server, by_rsa = ca.server(), ca.server(key=rsa_key())
        ec = ("--tls-cert", str(server.certificate), "--tls-key", str(server.key))
        rsa = ("--tls-cert", str(by_rsa.certificate), "--tls-key", str(by_rsa.key))
        old = ca.client_context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        for _ in range(args.rounds):
            await _measure("ws", (), None, args)
            await _measure("wss, TLS 1.3, EC P-256", ec, ca.client_context(), args)
            await _measure("wss, TLS 1.2, EC P-256", ec, old, args)
            await _measure("wss, TLS 1.3, RSA 2048", rsa, ca.client_context(), args)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=int, default=1000, help="connections that are held")
    parser.add_argument("--busy", type=int, default=100, help="of them, those that send heartbeats")
    parser.add_argument("--seconds", type=float, default=6, help="of heartbeats")
    parser.add_argument("--rounds", type=int, default=2)
    sys.exit(asyncio.run(_main(parser.parse_args())))
