"""A real server for a demonstration: a process of its own on free ports, over a database that the caller names.

None of the caller's settings or proxies touch it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any


@asynccontextmanager
async def server(database: Path, *flags: str) -> AsyncIterator[tuple[str, str]]:
    """A running central system with these flags; yields the URLs for chargers and for people."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(("MCPP_", "OTEL_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mcpp", "serve", "--database", str(database)),
        *("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0", "--heartbeat-interval", "60"),
        *flags,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            entry = json.loads(line)
            if entry["event"] == "server_started":
                break
        else:
            raise SystemExit("the server did not start; its message stands above")
        drain = asyncio.create_task(process.stdout.read())
        yield f"ws://127.0.0.1:{entry['ocpp_port']}/ocpp", f"http://127.0.0.1:{entry['http_port']}"
        await _end(process)
        await drain
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        # Not `process.terminate()`: it takes the exit code of one that has just ended, which asyncio then complains of.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        await process.wait()


def fetch(url: str) -> Any:
    """A JSON document of the API."""
    # The URL is made here, of the demo's own server.
    with urllib.request.urlopen(url) as response:  # nosec B310
        return json.load(response)
