"""The end of a server amid its work, and of connections whose other end is gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from base64 import b64encode
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import httpx
from ocpp.v16 import call
from websockets.exceptions import ConnectionClosed

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import LogLine, Server, running_server

CHARGERS = 300

UPGRADE = (
    "GET /ocpp/{} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


async def keep_starting(url: str, identity: str, answered: set[int], busy: asyncio.Semaphore) -> None:
    """Start one transaction after the other; note those that were answered."""
    with suppress(ConnectionClosed, TimeoutError, OSError):
        async with connected_charger(url, identity) as charger:
            register = 0
            while True:
                request = call.StartTransaction(
                    connector_id=1, id_tag="T", meter_start=register, timestamp=f"2026-01-01T00:{register % 60:02}:00Z"
                )
                # The package waits half a minute for an answer, though the connection has ended.
                answer = asyncio.create_task(charger.ask(request))
                closed = asyncio.create_task(charger.socket.wait_closed())
                await asyncio.wait((answer, closed), return_when=asyncio.FIRST_COMPLETED)
                closed.cancel()
                if not answer.done():
                    answer.cancel()
                    return
                answered.add((await answer).transaction_id)
                register += 1
                busy.release()


async def test_a_server_amid_its_work_ends_in_time_and_has_stored_what_it_answered(tmp_path: Path) -> None:
    answered: set[int] = set()
    busy = asyncio.Semaphore(0)
    async with running_server(tmp_path / "mcpp.db") as server:
        chargers = [
            asyncio.create_task(keep_starting(server.ocpp_url, f"CP-{number}", answered, busy))
            for number in range(CHARGERS)
        ]
        async with asyncio.timeout(120):
            for _ in range(2 * CHARGERS):
                await busy.acquire()
        code = await server.terminate()
        await asyncio.gather(*chargers)
    with closing(sqlite3.connect(tmp_path / "mcpp.db")) as connection:
        stored = {number for (number,) in connection.execute("SELECT id FROM transactions")}
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()

    assert code == 0
    assert len(answered) >= 2 * CHARGERS
    assert answered <= stored
    assert integrity == "ok"
    began = next(line for line in server.lines if line["event"] == "server_stopping")
    ended = next(line for line in server.lines if line["event"] == "server_stopped")
    assert began["timestamp"] < ended["timestamp"]


def handles(server: Server) -> int:
    return sum(1 for _ in Path(f"/proc/{server.process.pid}/fd").iterdir())


async def metric(server: Server, name: str) -> float:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).partition(" ")[2])


async def half_open(server: Server, identity: str) -> asyncio.StreamWriter:
    """A connection on which nothing is read and nothing is sent any more, not even its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.ocpp_port)
    writer.write(UPGRADE.format(identity, b64encode(os.urandom(16)).decode()).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in answer
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own has it
    return writer


async def test_connections_whose_other_end_is_gone_end_and_leave_nothing(tmp_path: Path) -> None:
    flags = ("--heartbeat-interval", "1", "--idle-timeout", "2")
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        await server.get("/healthz")
        before = handles(server)
        sockets = [await half_open(server, f"CP-{number}") for number in range(20)]
        during = await metric(server, "mcpp_charge_points_connected")
        async with asyncio.timeout(30):
            while await metric(server, "mcpp_charge_points_connected") or handles(server) > before + 2:
                await asyncio.sleep(0.05)
        listed = await server.get("/api/v1/charge-points?connected=true")
        ended = [line for line in server.lines if line["event"] == "connection" and line["outcome"] != "accepted"]
        for writer in sockets:
            writer.transport.abort()
        assert await server.terminate() == 0

    assert during == 20
    assert listed["items"] == []
    assert len(ended) == 20
    assert len({line["outcome"] for line in ended}) == 1


def _is_end_of(identity: str, line: LogLine) -> bool:
    return (line["event"], line.get("charge_point_id")) == ("connection", identity) and line["outcome"] != "accepted"


async def test_a_charger_that_only_pings_stays(tmp_path: Path) -> None:
    flags = ("--heartbeat-interval", "1", "--idle-timeout", "2")
    async with (
        running_server(tmp_path / "mcpp.db", *flags) as server,
        connected_charger(server.ocpp_url, "CP-1") as charger,
    ):
        # It pings as long as one lives that says nothing and answers no ping of ours, and much longer.
        for number in range(2):
            silent = await half_open(server, f"silent-{number}")
            ended = asyncio.create_task(server.wait_for_line(partial(_is_end_of, f"silent-{number}")))
            while not (await asyncio.wait((ended,), timeout=0.2))[0]:
                await (await charger.socket.ping())
            await ended
            silent.transport.abort()

        assert await metric(server, "mcpp_charge_points_connected") == 1
        await charger.ask(call.Heartbeat())
