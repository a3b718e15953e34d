"""What a new owner meets first: a terminal that says what to type where, and a log file to trace sessions by."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ocpp.v16 import call
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, Reason
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.charger import connected_charger
from tests.integration.cli.command import Mcpp, clean_environment

_COLUMNS: Final = 120
_PATIENCE: Final = 60.0
STEVE: Final = "steve/websocket/CentralSystemService"


class Terminal:
    """A server that somebody has started on a terminal, and what it has shown."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self.shown = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """What the terminal shows, as soon as it's there."""
        begun = time.monotonic()
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() - begun < _PATIENCE, self.shown
            self._read()
        return found

    def end(self) -> int:
        """As Ctrl+C does; gives the exit code, once all is read."""
        self.process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the other end is closed
            while self._read():
                pass
        return self.process.wait(_PATIENCE)

    def _read(self) -> bool:
        data = os.read(self._master, 65536)
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def on_a_terminal(directory: Path, *flags: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, _COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "mcpp", "serve", *flags],
        cwd=directory,
        env=clean_environment(NO_COLOR="1", TERM="xterm"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


async def _a_session(port: int) -> int:
    """A charger that was set up for SteVe, at first without its identity; gives the transaction's id."""
    with suppress(InvalidStatus):
        async with connect(f"ws://127.0.0.1:{port}/{STEVE}/", subprotocols=[Subprotocol("ocpp1.6")]):
            raise AssertionError("a word of a service got in")
    no_error = ChargePointErrorCode.no_error
    async with connected_charger(f"ws://127.0.0.1:{port}/{STEVE}", "GARAGE-1") as charger:
        await charger.ask(call.BootNotification(charge_point_model="Wallbox " * 2, charge_point_vendor="Vendor GmbH"))
        for status in (ChargePointStatus.available, ChargePointStatus.preparing):
            await charger.ask(
                call.StatusNotification(connector_id=1, error_code=no_error, status=status, info="i" * 50)
            )
        started = await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="04A1B2C3D4E5F6", meter_start=0, timestamp=_now())
        )
        transaction_id: int = started.transaction_id
        await charger.ask(
            call.StopTransaction(
                transaction_id=transaction_id, meter_stop=7200, timestamp=_now(), reason=Reason.ev_disconnected
            )
        )
        return transaction_id


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_a_first_session_is_seen_on_a_terminal_and_traced_by_the_log_file(tmp_path: Path) -> None:
    log = tmp_path / "mcpp.log"
    flags = ("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0", "--log-file", "mcpp.log")
    with on_a_terminal(tmp_path, *flags) as terminal:
        port = int(terminal.wait_for(r" server_started ocpp_port=(\d+) http_port=\d+\n")[1])
        assert terminal.wait_for(r"page: (\S+)\n")[1].startswith("http://127.0.0.1:")
        assert (
            terminal.wait_for(r"chargers, which add their own identity: (\S+)\n")[1] == f"ws://127.0.0.1:{port}/ocpp/"
        )
        transaction_id = asyncio.run(_a_session(port))
        terminal.wait_for(r"outcome=closed")
        assert terminal.end() == 0

    lines = terminal.shown.splitlines()
    assert max(map(len, lines)) <= _COLUMNS
    refused = next(at for at, line in enumerate(lines) if "outcome=bad_identity" in line)
    assert " W connection " in lines[refused]
    assert f"ws://127.0.0.1:{port}/ocpp/" in lines[refused + 1]
    assert any("transaction_stopped id_tag=04A1B2C3D4E5F6 energy_wh=7200" in line for line in lines)

    assert log.stat().st_mode & 0o777 == 0o600
    written = [json.loads(line) for line in log.read_text().splitlines()]
    started = next(line for line in written if line["event"] == "server_started")
    assert (started["ocpp_port"], started["charger_url"]) == (port, f"ws://127.0.0.1:{port}/ocpp/")
    assert written[-1]["event"] == "server_stopped"

    whole = Mcpp(tmp_path)("trace", str(transaction_id), "--log", "mcpp.log")
    # Rotated meanwhile: what is older is found beside it.
    text = log.read_text().splitlines(keepends=True)
    log.write_text("".join(text[len(text) // 2 :]))
    log.with_name("mcpp.log.1").write_text("".join(text[: len(text) // 2]))
    traced = Mcpp(tmp_path)("trace", str(transaction_id), MCPP_LOG_FILE=str(log))
    assert (traced.code, traced.err) == (0, "")
    assert "connected by another path" in traced.out
    assert traced.out == whole.out
