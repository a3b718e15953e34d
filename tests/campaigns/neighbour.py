"""A healthy charger in a process of its own, which tells how long the server takes to answer it.

Usage: python -m tests.campaigns.neighbour PORT [heartbeats]. For each line on standard input it prints one line of
JSON: what it saw since the last one. It ends with its standard input. With `heartbeats` it says nothing that is stored.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

IDENTITY: Final = "NEIGHBOUR"
ADDRESS: Final = "192.0.2.10"
EVERY: Final = 0.05
"""Seconds between two of its messages."""
PATIENCE: Final = 30.0

_ROOT = Path(__file__).parents[2]


@dataclass
class Seen:
    """What the neighbour saw."""

    milliseconds: list[float] = field(default_factory=list)
    """From when a message was due to its answer: waiting for the one before counts, and what still waits does."""
    answers: int = 0
    lost: int = 0
    """Connections that ended or weren't let in, and messages without an answer or with a CALLERROR."""

    def percentile(self, percent: float) -> float:
        if not self.milliseconds:
            return float("inf")
        return sorted(self.milliseconds)[min(int(len(self.milliseconds) * percent / 100), len(self.milliseconds) - 1)]


class Neighbour:
    """The process, as a campaign sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def seen(self) -> Seen:
        """What it saw since the last call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return Seen(**json.loads(self._process.stdout.readline()))


@contextmanager
def neighbour(port: int, *mode: str) -> Iterator[Neighbour]:
    """A neighbour that was answered once already."""
    command = [sys.executable, "-m", "tests.campaigns.neighbour", str(port), *mode]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Neighbour(process)
            process.stdin.close()
            process.wait(10)
        finally:
            process.kill()


class _Charger:
    def __init__(self, port: int, *, heartbeats_only: bool) -> None:
        self._port = port
        self._heartbeats_only = heartbeats_only
        self._numbers = count(1)
        self._transaction_id = 0
        self._seen = Seen()
        self._due: float | None = None
        """When the message that waits for its answer should have gone out."""

    @property
    def was_answered(self) -> bool:
        return self._seen.answers > 0

    def seen(self) -> Seen:
        """Since the last call; a message that still waits counts with its time so far."""
        seen, self._seen = self._seen, Seen()
        if self._due is not None and (waited := time.perf_counter() - self._due) > EVERY:
            seen.milliseconds.append(waited * 1000)
        return seen

    async def live(self) -> None:
        while True:
            try:
                socket = await connect(
                    f"ws://127.0.0.1:{self._port}/ocpp/{IDENTITY}",
                    subprotocols=[Subprotocol("ocpp1.6")],
                    additional_headers={"X-Forwarded-For": ADDRESS},
                    ping_interval=None,
                    proxy=None,
                    open_timeout=PATIENCE,
                )
                async with socket:
                    await self._report(socket)
            except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, ValueError):
                self._seen.lost += 1
                await asyncio.sleep(EVERY)

    async def _report(self, socket: ClientConnection) -> None:
        if not self._transaction_id and not self._heartbeats_only:
            await self._say(socket, "BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"})
            start = {"connectorId": 1, "idTag": "NEIGHBOUR", "meterStart": 0, "timestamp": _now()}
            self._transaction_id = (await self._say(socket, "StartTransaction", start))["transactionId"]
        due = time.perf_counter()
        for number in count(1):
            self._due = due
            if self._heartbeats_only or number % 2:
                await self._say(socket, "Heartbeat", {})
            else:
                sample = {"value": str(number), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
                values = [{"timestamp": _now(), "sampledValue": [sample]}]
                payload = {"connectorId": 1, "transactionId": self._transaction_id, "meterValue": values}
                await self._say(socket, "MeterValues", payload)
            self._seen.milliseconds.append((time.perf_counter() - due) * 1000)
            self._seen.answers += 1
            self._due = None
            due += EVERY
            await asyncio.sleep(max(due - time.perf_counter(), 0))

    async def _say(self, socket: ClientConnection, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        message_id = str(next(self._numbers))
        await socket.send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = json.loads(await socket.recv())
                if answer[1] == message_id:
                    break
        if answer[0] != 3:
            raise ValueError(f"{action} was answered by {answer}")
        response: dict[str, Any] = answer[2]
        return response


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _main(port: int, *mode: str) -> None:
    charger = _Charger(port, heartbeats_only="heartbeats" in mode)
    living = asyncio.create_task(charger.live())
    while not charger.was_answered:
        await asyncio.sleep(0.01)
        if living.done():
            await living
    print("ready", flush=True)  # noqa: T201  to the campaign
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(charger.seen())), flush=True)  # noqa: T201  to the campaign
    living.cancel()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), *sys.argv[2:]))
