"""`mcpp status` beside a real server: once, as JSON, into a pipe, and live on a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import Server, running_server
from tests.integration.cli.command import Mcpp

PATIENCE = 60.0
HOSTILE = "\x1b[2J\u202eevil"


async def report(charger: Charger, status: ChargePointStatus, error: str = "NoError", info: str | None = None) -> None:
    now = datetime.now(UTC).isoformat()
    await charger.ask(
        call.StatusNotification(
            connector_id=1, status=status, error_code=ChargePointErrorCode(error), timestamp=now, info=info
        )
    )


class Terminal:
    """A terminal of 70 columns and 16 lines, and what was written to it."""

    def __init__(self) -> None:
        self.main, self.child = pty.openpty()
        fcntl.ioctl(self.child, termios.TIOCSWINSZ, struct.pack("HHHH", 16, 70, 0, 0))
        self.seen = b""
        self.news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.main, self._read)

    def _read(self) -> None:
        try:
            self.seen += os.read(self.main, 1 << 16)
        except OSError:
            asyncio.get_running_loop().remove_reader(self.main)
        self.news.set()

    async def shows(self, wanted: Callable[[str], bool]) -> str:
        """Wait until the last drawing is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(self.last):
                self.news.clear()
                await self.news.wait()
        return self.last

    @property
    def last(self) -> str:
        """The last whole drawing."""
        drawings = self.seen.decode(errors="replace").split("\x1b[H")
        return drawings[-2] if len(drawings) > 2 else ""


@asynccontextmanager
async def watching(server: Server, terminal: Terminal) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcpp", "status", "--watch", "--api-url", server.http_url),
        stdin=terminal.child,
        stdout=terminal.child,
        stderr=terminal.child,
        env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_fleet_once_and_live(tmp_path: Path) -> None:
    mcpp = Mcpp(tmp_path)
    async with running_server(tmp_path / "mcpp.db") as server:
        url = ("--api-url", server.http_url)
        empty = await asyncio.to_thread(mcpp, "status", *url)
        assert (empty.code, empty.out.splitlines()[0]) == (0, "No charger has connected yet")

        terminal = Terminal()
        async with connected_charger(server.ocpp_url, "garage") as charger, watching(server, terminal) as process:
            await charger.ask(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
            await report(charger, ChargePointStatus.available)
            await terminal.shows(lambda text: "All" in text or "The charger is well" in text)
            await report(charger, ChargePointStatus.faulted, "OtherError", HOSTILE)
            drawn = await terminal.shows(lambda text: "1 of 1 charger needs you" in text)
            assert "garage reports a fault: OtherError" in drawn
            assert "\x1b[2J" not in drawn
            assert "\u202e" not in drawn

            once = await asyncio.to_thread(mcpp, "status", *url)
            assert once.out.splitlines()[0] == "1 of 1 charger needs you"
            assert "\x1b" not in once.out
            answered = json.loads((await asyncio.to_thread(mcpp, "status", "--json", *url)).out)
            assert [it["code"] for it in answered["summary"]["attention"]] == ["faulted"]
            assert [it["id"] for it in answered["charge_points"]] == ["garage"]

            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
        await terminal.shows(lambda _: terminal.seen.endswith(b"\x1b[?1049l"))

        wrong = await asyncio.to_thread(mcpp, "status", "--timezone", "Europa/Berlin", *url)
        assert wrong.code == 2
        assert "did you mean Europe/Berlin?" in wrong.err
    gone = await asyncio.to_thread(mcpp, "status", *url)
    assert gone.code == 1
    assert "is mcpp serve running there?" in gone.err


async def test_it_waits_for_a_server_that_restarts_and_writes_plain_lines_into_a_pipe(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mcpp", "status", "--watch", "--api-url", server.http_url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(PATIENCE):
                assert await process.stdout.readline() == b"No charger has connected yet\n"
                port = server.http_port
                await server.terminate()
                assert b"trying again" in await process.stderr.readline()
                again = running_server(tmp_path / "mcpp.db", "--http-port", str(port))
                async with again as server, connected_charger(server.ocpp_url, "CP-1"):
                    while (line := await process.stdout.readline()) != b"The charger is well\n":
                        assert line
                        assert b"\x1b" not in line
        finally:
            process.send_signal(signal.SIGINT)
            await process.communicate()
        assert process.returncode == 0
