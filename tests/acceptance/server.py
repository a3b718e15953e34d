"""The real server as a process of its own, and what it writes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.warm import WarmProcess, start_warm

LogLine = dict[str, Any]
"""One JSON log line: its values are whatever JSON holds."""

_START_TIMEOUT = 60.0
_LONGEST_LINE = 1 << 24
_OF_THE_INTERPRETER = ("PYTHON", "LD_")
_PATIENCE = 30.0
"""Seconds after which a test that waits for something gives up, on a machine with much else to do."""


@dataclass
class Server:
    """A running `mcpp serve`, its ports, and the log lines it has written so far."""

    process: asyncio.subprocess.Process | WarmProcess
    ocpp_port: int = 0
    http_port: int = 0
    lines: list[LogLine] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reader: asyncio.Task[None] | None = None

    @property
    def ocpp_url(self) -> str:
        """What a charger is configured with; its identity follows."""
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    async def get(self, path: str) -> Any:
        """A JSON answer of the API, which must be 200."""
        async with httpx.AsyncClient(base_url=self.http_url, timeout=_PATIENCE) as client:
            response = await client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def wait_for_line(self, wanted: Callable[[LogLine], bool], timeout: float = _PATIENCE) -> LogLine:
        """The first log line that fits, as soon as it is there."""
        async with asyncio.timeout(timeout), self._news:
            while True:
                for line in self.lines:
                    if wanted(line):
                        return line
                if self._reader is not None and self._reader.done():
                    raise AssertionError("the server ended without that line")
                await self._news.wait()

    async def connection_ended(self, outcome: str) -> LogLine:
        """The line of the first connection that ended so: its beginning has a line and an outcome too."""
        return await self.wait_for_line(lambda line: line["event"] == "connection" and line["outcome"] == outcome)

    async def kill(self) -> None:
        """As a power cut would end the process."""
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """As systemd would; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for text in self.process.stdout:
            async with self._news:
                self.lines.append(json.loads(text))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def running_server(
    database: Path, *flags: str, variables: Mapping[str, str] | None = None, warm: bool = True
) -> AsyncIterator[Server]:
    """`mcpp serve` on free ports, up when the block begins; ended with it. No other variable of ours is set.

    It is forked from a process that has the program loaded, or, where it isn't to be `warm` or the interpreter itself
    gets variables, started anew.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    environment |= dict(variables or {})
    ports = ("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0")
    arguments = ("serve", "--database", str(database), *ports, *flags)
    process: asyncio.subprocess.Process | WarmProcess
    if warm and not any(name.startswith(_OF_THE_INTERPRETER) for name in variables or {}):
        process = await start_warm(arguments, environment, limit=_LONGEST_LINE)
    else:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mcpp", *arguments),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=_LONGEST_LINE,
        )
    server = Server(process)
    server._reader = asyncio.create_task(server._read())
    try:
        started = await server.wait_for_line(lambda line: line["event"] == "server_started", _START_TIMEOUT)
        server.ocpp_port, server.http_port = started["ocpp_port"], started["http_port"]
        yield server
    finally:
        if process.returncode is None:
            await server.terminate()
        await server._reader
