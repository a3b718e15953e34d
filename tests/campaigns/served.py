"""`mcpp serve` as a process that campaigns may start, measure, kill and start again on the same database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from tests.acceptance.warm import WarmPopen

START_TIMEOUT: Final = 180.0
STOP_TIMEOUT: Final = 30.0

DEFECTS: Final = frozenset(
    {"handler_failed", "loop_error", "plugin_failed", "subscriber_failed", "thread_failed", "unraisable_error"}
)
"""Log lines that no input may ever cause."""

_MIB = 1 << 20


class ServerEnded(Exception):
    """It ended by itself."""


@dataclass(frozen=True)
class Figures:
    """What the process takes at one moment."""

    rss_mib: float
    handles: int
    database_mib: float
    """The file and its write-ahead log."""
    wal_mib: float
    log_mib: float


class Served:
    """One server on free ports, its database and log in a folder; only what was started here is ever ended."""

    def __init__(self, folder: Path, *flags: str, warm: bool = True) -> None:
        """Not `warm`, each start is that of a new program, which shares no memory with the one that forks."""
        self.folder = folder
        self.database = folder / "mcpp.db"
        self.log = folder / "mcpp.log"
        self.ocpp_port = 0
        self.http_port = 0
        self.starts = 0
        self._flags = flags
        self._warm = warm
        self._process: subprocess.Popen[bytes] | WarmPopen | None = None
        self._looked_to = 0

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def launch(self) -> None:
        """Start the process, without waiting for it to be up."""
        assert self._process is None, "it runs already"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
        listening = ("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0")
        with self.log.open("ab") as out:
            self._log_begins = out.tell()
            arguments = ("serve", "--database", str(self.database), *listening, *self._flags)
            if self._warm:
                self._process = WarmPopen(arguments, environment, output=out, directory=self.folder)
            else:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "mcpp", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=self.folder,
                )
        self.starts += 1

    def await_start(self) -> None:
        """Wait until both listeners accept connections."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            for line in self._lines(self._log_begins):
                if line.get("event") == "server_started":
                    self.ocpp_port, self.http_port = line["ocpp_port"], line["http_port"]
                    return
            if self._running().poll() is not None:
                raise ServerEnded(f"it ended with {self._running().returncode}: {self.tail()}")
            time.sleep(0.02)
        raise TimeoutError("the server doesn't start")

    def start(self) -> None:
        self.launch()
        self.await_start()

    def kill(self) -> None:
        """As a power cut would end the process (`kill -9`)."""
        process = self._running()
        if process.poll() is not None:
            raise ServerEnded(f"it had ended with {process.returncode} before it was killed: {self.tail()}")
        self._process = None
        process.kill()
        process.wait()

    def terminate(self) -> int:
        """As systemd would; gives the exit code. One that doesn't end in time is killed: TimeoutExpired."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_TIMEOUT)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self._process = None
        return code

    def end(self) -> None:
        """Leave nothing running, however the campaign went."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.terminate()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def figures(self) -> Figures:
        process = psutil.Process(self.pid)
        wal = _size(self.database.with_name(f"{self.database.name}-wal"))
        return Figures(
            rss_mib=process.memory_info().rss / _MIB,
            handles=process.num_fds(),
            database_mib=(_size(self.database) + wal) / _MIB,
            wal_mib=wal / _MIB,
            log_mib=_size(self.log) / _MIB,
        )

    def defects(self) -> list[str]:
        """Lines that tell of a mistake in the server, since this was last asked; what isn't JSON is a traceback."""
        found = []
        with self.log.open("rb") as log:
            log.seek(self._looked_to)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._looked_to += len(whole)
        for line in whole.splitlines():
            if not line.startswith(b"{") or any(b'"%b"' % event.encode() in line for event in DEFECTS):
                told = _read(line)
                if told is None or told.get("event") in DEFECTS:
                    found.append(line.decode(errors="replace"))
        return found

    def tail(self) -> str:
        return self.log.read_bytes()[-2000:].decode(errors="replace")

    def _lines(self, begin: int) -> Iterator[dict[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(begin)
            for line in log:
                told = _read(line)
                if told is not None:
                    yield told

    def _running(self) -> subprocess.Popen[bytes] | WarmPopen:
        assert self._process is not None, "it doesn't run"
        return self._process


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
