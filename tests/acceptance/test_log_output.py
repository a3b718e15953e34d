"""Whoever reads the log may be slow, gone, or a full disk: chargers are answered, and what was lost is told."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
from ocpp.v16 import call

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import LogLine
from tests.ports import free_port

MIB = 1024 * 1024
BUFFER = 8 * MIB
"""What the server keeps for its reader."""

DATA = "x" * (60 * 1024)  # a line shows it whole


class Output:
    """Standard output of a server, read line by line, when the test wants."""

    def __init__(self, reader: int) -> None:
        self._fd = reader
        self._rest = b""

    async def until(self, event: str) -> list[LogLine]:
        """Read up to the next line of an event."""
        lines: list[LogLine] = []
        async with asyncio.timeout(30):
            while True:
                while b"\n" not in self._rest:
                    self._rest += await asyncio.to_thread(os.read, self._fd, 1 << 16)
                text, _, self._rest = self._rest.partition(b"\n")
                lines.append(json.loads(text))
                if lines[-1]["event"] == event:
                    return lines


class Server:
    """A server whose output goes where it goes."""

    def __init__(self, process: Process, ocpp_port: int, http_port: int) -> None:
        self.process = process
        self.ocpp_url = f"ws://127.0.0.1:{ocpp_port}/ocpp"
        self._http_url = f"http://127.0.0.1:{http_port}"

    async def ready(self) -> None:
        async with asyncio.timeout(30), httpx.AsyncClient(base_url=self._http_url, trust_env=False) as http:
            while True:
                try:
                    if (await http.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    assert self.process.returncode is None, "the server has ended"
                    await asyncio.sleep(0.05)

    async def dropped(self) -> int:
        """`mcpp_log_lines_dropped_total`."""
        async with httpx.AsyncClient(base_url=self._http_url, trust_env=False) as http:
            text = (await http.get("/metrics")).text
        found = re.search(r"^mcpp_log_lines_dropped_total (\S+)$", text, re.MULTILINE)
        assert found is not None
        return int(float(found[1]))

    def memory(self) -> int:
        """Bytes of it in RAM."""
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident

    async def terminate(self) -> int:
        self.process.terminate()
        async with asyncio.timeout(15):
            return await self.process.wait()


@asynccontextmanager
async def writing_to(output: int | None, database: Path) -> AsyncIterator[Server]:
    """`mcpp serve` with payloads in its lines, its standard output this descriptor, which is closed here; or none."""
    ocpp_port, http_port = free_port(), free_port()
    settings = ("--database", str(database), "--ocpp-host", "127.0.0.1", "--log-payloads")
    ports = ("--ocpp-port", str(ocpp_port), "--http-port", str(http_port))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    shell = () if output is not None else ("sh", "-c", 'exec "$@" >&-', "sh")
    try:
        process = await asyncio.create_subprocess_exec(
            *(*shell, sys.executable, "-m", "mcpp", "serve", *settings, *ports), stdout=output, env=environment
        )
    finally:
        if output is not None:
            os.close(output)
    server = Server(process, ocpp_port, http_port)
    try:
        await server.ready()
        yield server
    finally:
        if process.returncode is None:
            await server.terminate()


async def talk(charger: Charger, size: int) -> int:
    """Send so many bytes, each message answered; gives the number of messages."""
    count = size // len(DATA) + 1
    for _ in range(count):
        answer = await charger.ask(call.DataTransfer(vendor_id="acme", data=DATA))
        assert answer.status == "UnknownVendorId"
    return count


async def test_a_reader_that_stalls_costs_lines_which_are_counted_and_told(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    output = Output(reader)
    try:
        async with (
            writing_to(writer, tmp_path / "mcpp.db") as server,
            connected_charger(server.ocpp_url, "CP-1") as charger,
        ):
            started = await output.until("server_started")
            assert started

            await talk(charger, BUFFER + MIB)
            before = server.memory()
            dropped = await server.dropped()
            messages = await talk(charger, 3 * BUFFER)
            assert await server.dropped() >= dropped + messages > messages
            assert server.memory() < before + BUFFER

            lost = (await output.until("log_lines_dropped"))[-1]
            assert (lost["level"], lost["category"]) == ("warning", "system")
            assert lost["count"] == await server.dropped()
            await talk(charger, 1)
            flowing = await output.until("ocpp_message")
            assert flowing[-1]["action"] == "DataTransfer"
    finally:
        os.close(reader)


async def test_a_reader_that_is_gone_costs_lines_and_neither_answers_nor_a_good_end(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    async with writing_to(writer, tmp_path / "mcpp.db") as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            messages = await talk(charger, MIB)
            await until_dropped(server, 2 * messages)
        assert await server.terminate() == 0


async def test_so_does_a_full_disk(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    async with writing_to(full, tmp_path / "mcpp.db") as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            messages = await talk(charger, MIB)
            await until_dropped(server, 2 * messages)
        assert await server.terminate() == 0


async def test_without_standard_output_the_lines_go_nowhere_and_least_of_all_into_the_database(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with writing_to(None, database) as server:
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await talk(charger, MIB)
        assert await server.terminate() == 0
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


async def until_dropped(server: Server, count: int) -> None:
    """The sink gathers lines for some milliseconds before it finds out."""
    async with asyncio.timeout(30):
        while await server.dropped() < count:
            await asyncio.sleep(0.01)
