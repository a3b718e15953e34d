"""`make demo`: a real server and one virtual charge point that charges a car, shown on the screen.

The server runs as a process of its own on free ports, over a temporary database, and none of the caller's settings or
proxies touch it. Everything is thrown away afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mcpp.ocpp16.errors import SPELLING
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.simulator.charge_point import VirtualChargePoint
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizeRequest,
    BootNotificationRequest,
    ChargePointErrorCode,
    ChargePointStatus,
    HeartbeatRequest,
    MeterValue,
    MeterValuesRequest,
    Reason,
    SampledValue,
    StartTransactionRequest,
    StatusNotificationRequest,
    StopTransactionRequest,
)

IDENTITY = "DEMO-1"
ID_TAG = "DEMO-CARD"
METER_START = 1_204_300
POWER = 11_040
"""W."""
TICKS = 8
TICK = timedelta(minutes=5)


@dataclass(frozen=True)
class Screen:
    """Where the session is shown."""

    colors: bool

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.colors else text

    def title(self, text: str) -> None:
        print(f"\n{self._styled(text, '1')}", flush=True)

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def message(self, action: str, sent: str, received: str) -> None:
        name = self._styled(f"{action:<19}", "36")
        print(f"  {IDENTITY} → {name}{sent:<44} ← {self._styled(received, '32')}", flush=True)


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


@dataclass
class Session:
    """One charging session of the virtual charge point."""

    charger: VirtualChargePoint
    screen: Screen
    pace: float
    """Seconds between two messages."""

    async def send(self, action: Action[Req, Res], request: Req, sent: str) -> Res:
        """Send a CALL and show it with its answer."""
        response = await self.charger.call(action, request)
        self.screen.message(action.name, sent, _short(response))
        await asyncio.sleep(self.pace)
        return response

    async def status(self, status: ChargePointStatus) -> None:
        request = StatusNotificationRequest(connector_id=1, error_code=ChargePointErrorCode.NO_ERROR, status=status)
        await self.send(actions.STATUS_NOTIFICATION, request, f"connector 1 is {status.value}")

    async def run(self) -> int:
        """From boot to the pulled plug; returns the transaction id."""
        self.screen.title("The charger comes up")
        boot = BootNotificationRequest(
            charge_point_vendor="MCPP",
            charge_point_model="Demo",
            firmware_version="1.0",
            charge_point_serial_number="1",
        )
        await self.send(actions.BOOT_NOTIFICATION, boot, "MCPP Demo, firmware 1.0")
        await self.status(ChargePointStatus.AVAILABLE)
        self.screen.title("A car is plugged in, a card is shown")
        await self.status(ChargePointStatus.PREPARING)
        await self.send(actions.AUTHORIZE, AuthorizeRequest(id_tag=ID_TAG), f"card {ID_TAG}")
        clock = datetime.now(UTC) - TICK * TICKS
        start = StartTransactionRequest(connector_id=1, id_tag=ID_TAG, meter_start=METER_START, timestamp=clock)
        started = await self.send(actions.START_TRANSACTION, start, f"register {METER_START / 1000:.1f} kWh")
        await self.status(ChargePointStatus.CHARGING)
        self.screen.title(f"It charges (each line is {TICK // timedelta(minutes=1)} minutes of the charger's clock)")
        register = METER_START
        for _ in range(TICKS):
            clock += TICK
            register += POWER * TICK // timedelta(hours=1)
            await self._meter_values(started.transaction_id, register, clock)
        await self.send(actions.HEARTBEAT, HeartbeatRequest(), "")
        self.screen.title("The car is full and leaves")
        stop = StopTransactionRequest(
            id_tag=ID_TAG,
            meter_stop=register,
            timestamp=clock,
            transaction_id=started.transaction_id,
            reason=Reason.EV_DISCONNECTED,
        )
        await self.send(actions.STOP_TRANSACTION, stop, f"register {register / 1000:.1f} kWh")
        await self.status(ChargePointStatus.AVAILABLE)
        return started.transaction_id

    async def _meter_values(self, transaction_id: int, register: int, clock: datetime) -> None:
        samples = [
            SampledValue(value=str(register), measurand="Energy.Active.Import.Register", unit="Wh"),
            SampledValue(value=str(POWER), measurand="Power.Active.Import", unit="W"),
            SampledValue(value="230.1", measurand="Voltage", phase="L1", unit="V"),
        ]
        request = MeterValuesRequest(
            connector_id=1,
            transaction_id=transaction_id,
            meter_value=[MeterValue(timestamp=clock, sampled_value=samples)],
        )
        bar = "█" * round((register - METER_START) / 500)
        sent = f"{(register - METER_START) / 1000:5.2f} kWh at {POWER / 1000:.1f} kW {bar}"
        await self.send(actions.METER_VALUES, request, sent)


def _short(response: BaseModel) -> str:
    text = response.model_dump_json(by_alias=True, exclude_none=True)
    return "ok" if text == "{}" else text if len(text) <= 60 else f"{text[:57]}…"


def fetch(url: str) -> Any:
    """A JSON document of the API."""
    # The URL is made here, of the demo's own server.
    with urllib.request.urlopen(url) as response:  # nosec B310
        return json.load(response)


async def demo(screen: Screen, pace: float) -> None:
    """Run the whole session."""
    with tempfile.TemporaryDirectory(prefix="mcpp-demo-") as folder:
        async with server(Path(folder) / "demo.db") as (ocpp_url, http_url):
            screen.title("MCPP is up")
            screen.note(f"chargers connect to {ocpp_url}/…, people to {http_url}")
            charger = VirtualChargePoint(ocpp_url, IDENTITY, "ocpp1.6", spell=SPELLING.__getitem__, call_timeout=10)
            async with charger:
                transaction_id = await Session(charger, screen, pace).run()
            path = f"/api/v1/transactions/{transaction_id}"
            transaction = await asyncio.to_thread(fetch, http_url + path)
            screen.title(f"What the API has of it: GET {path}")
            for name, value in transaction.items():
                screen.note(f"{name:<24}{json.dumps(value)}")
    print("\nThe same with your own charger: make run", flush=True)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description="A charging session on the screen.")
    parser.add_argument("--pace", type=float, default=0.7, metavar="SECONDS", help="between two messages (default 0.7)")
    pace: float = parser.parse_args().pace
    os.environ["no_proxy"] = "*"  # nothing leaves this machine
    screen = Screen(colors=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    try:
        asyncio.run(demo(screen, pace))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
