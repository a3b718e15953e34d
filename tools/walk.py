"""The walk of a message: which hand-written files it runs through. `python -m tools.walk` prints the table.

A whole server, as `mcpp serve` runs it, in a process of its own that is profiled (`sys.setprofile`) in all its threads,
with a charger and an API client over real sockets. Each message is sent again and again, one at a time, so that caches
are filled; what doesn't run every time, such as a chore that happens to be due, doesn't belong to its walk.
"""

from __future__ import annotations

import argparse
import asyncio.selector_events
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, TypeAlias

import orjson
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import mcpp
from mcpp.server import watchdog
from mcpp.storage.sqlite import checkpoints

COMMAND: Final = "RemoteStartTransaction from the API"

_ROOT: Final = Path(mcpp.__file__).parent
_CHARGER: Final = "WALKER"

_WARM_UP: Final = 2
_ROUNDS: Final = 4
_QUIET_SECONDS: Final = 0.06
"""A message is over when nothing of ours has run for so long; lines wait 20 ms to be written together."""
_PATIENCE: Final = 20.0
"""Seconds to wait for anything."""

Files: TypeAlias = list[str]
"""Below `mcpp/`, in the order in which they ran first."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Files that ran since the message's bytes came in."""

    before_domain: Files | None
    """Until the domain function began; None if none runs. Of a command: until its CALL went to the charger."""
    until_answer: Files
    """Until the answer went out."""
    with_events: Files
    """Until nothing was left to do."""


# The traced process.


_BESIDE: Final = frozenset({watchdog.THREAD, checkpoints.THREAD})
"""Threads that look now and then, and are on no message's way."""

_BYTES_IN: Final = "<bytes in>"
_BYTES_OUT: Final = "<bytes out>"
_DOMAIN: Final = "<domain>"
"""Beside files of ours the steps have these marks, which say how far a message has come."""

_IN: Final = {"_read_ready__data_received", "_read_ready__get_buffer"}
_OUT: Final = {"write", "writelines"}


class _Recorder:
    """Notes, in all threads, each file of ours at each step that a function of it takes."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self._places: dict[CodeType, str | None] = {}

    def start(self) -> None:
        """In this thread and in all that start from now on."""
        threading.setprofile(self._begin)
        sys.setprofile(self._profile)

    def _begin(self, frame: FrameType, event: str, argument: object) -> None:
        """The first step of a thread."""
        if threading.current_thread().name in _BESIDE:
            sys.setprofile(None)
            return
        sys.setprofile(self._profile)
        self._profile(frame, event, argument)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        try:
            place = self._places[code]
        except KeyError:
            place = self._places[code] = _place(code)
        if place is None:
            return
        if event == "call":
            if place.startswith("domain/") and _is_domain_function(frame):
                self.steps.append(_DOMAIN)
            self.steps.append(place)
        elif not place.startswith("<"):
            self.steps.append(place)


def _place(code: CodeType) -> str | None:
    owner, _, name = code.co_qualname.rpartition(".")
    if owner == "_SelectorSocketTransport" and code.co_filename == asyncio.selector_events.__file__:
        return _BYTES_IN if name in _IN else _BYTES_OUT if name in _OUT else None
    file = Path(code.co_filename)
    return str(file.relative_to(_ROOT)) if file.is_relative_to(_ROOT) else None


def _is_domain_function(frame: FrameType) -> bool:
    """It's one if it's given the queries."""
    code = frame.f_code
    arguments = (frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount])
    return any(type(argument).__module__.startswith("mcpp_generated.db") for argument in arguments)


class _Driver:
    """A charger and an API client that take turns."""

    def __init__(self, recorder: _Recorder, socket: ClientConnection, api: http.client.HTTPConnection) -> None:
        self._recorder = recorder
        self._socket = socket
        self._api = api
        self._clock = datetime.now(UTC) - timedelta(days=1)
        self._sent = 0
        self.seen: dict[str, list[list[str]]] = {}
        """By kind of message: the steps of each that was sent."""

    def round(self) -> None:
        """A charging session, a heartbeat and a command."""
        self._status("Preparing")
        answer = self._call(
            "StartTransaction", connectorId=1, idTag="CARD", meterStart=self._sent, timestamp=self._now()
        )
        transaction = answer["transactionId"]
        self._status("Charging")
        for _ in range(2):
            self._call("MeterValues", connectorId=1, transactionId=transaction, meterValue=[self._six_samples()])
        self._call("Heartbeat")
        self._command("RemoteStartTransaction", {"connectorId": 2, "idTag": "CARD"})
        self._call("StopTransaction", transactionId=transaction, meterStop=self._sent, timestamp=self._now())
        self._status("Finishing")

    def boot(self) -> None:
        self._call("BootNotification", chargePointVendor="MCPP", chargePointModel="Walker")

    def _status(self, status: str) -> None:
        self._call("StatusNotification", connectorId=1, errorCode="NoError", status=status, timestamp=self._now())

    def _six_samples(self) -> Mapping[str, object]:
        samples = [
            ("Energy.Active.Import.Register", "Wh", None, f"{self._sent}.0"),
            ("Power.Active.Import", "W", None, "7360.5"),
            ("Voltage", "V", "L1-N", "230.1"),
            *(("Current.Import", "A", phase, "16.0") for phase in ("L1", "L2", "L3")),
        ]
        return {
            "timestamp": self._now(),
            "sampledValue": [
                {"value": value, "measurand": measurand, "unit": unit} | ({"phase": phase} if phase else {})
                for measurand, unit, phase, value in samples
            ],
        }

    def _call(self, action: str, **payload: object) -> Mapping[str, object]:
        self._sent += 1
        frame = orjson.dumps([2, str(self._sent), action, payload])
        with self._watched(action):
            self._socket.send(frame, text=True)
            kind, _, *answer = orjson.loads(self._socket.recv(_PATIENCE))
        if kind != 3:
            raise RuntimeError(f"{action} was answered {answer}")
        payload_of_answer: Mapping[str, object] = answer[0]
        return payload_of_answer

    def _command(self, action: str, payload: object) -> None:
        with self._watched(COMMAND):
            self._api.request(
                "POST",
                f"/api/v1/charge-points/{_CHARGER}/commands/{action}",
                orjson.dumps(payload),
                {"Content-Type": "application/json"},
            )
            _, message_id, *_ = orjson.loads(self._socket.recv(_PATIENCE))
            self._socket.send(orjson.dumps([3, message_id, {"status": "Accepted"}]), text=True)
            response = self._api.getresponse()
            text = response.read()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{action} was answered {response.status}: {text!r}")

    def _now(self) -> str:
        self._clock += timedelta(seconds=1)
        return self._clock.isoformat(timespec="milliseconds")

    @contextmanager
    def _watched(self, kind: str) -> Iterator[None]:
        """Keep the steps from here until all is quiet again."""
        self._recorder.steps = steps = list[str]()
        yield
        self._wait_until_quiet()
        self.seen.setdefault(kind, []).append(list(steps))

    def _wait_until_quiet(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        taken = -1
        while taken != (taken := len(self._recorder.steps)):
            if time.monotonic() > deadline:
                raise TimeoutError("the server never comes to rest")
            time.sleep(_QUIET_SECONDS)


def _drive(recorder: _Recorder, ports: Mapping[str, int]) -> dict[str, Walk]:
    with (
        connect(
            f"ws://127.0.0.1:{ports['ocpp_port']}/ocpp/{_CHARGER}", subprotocols=[Subprotocol("ocpp1.6")]
        ) as socket,
        closing(http.client.HTTPConnection("127.0.0.1", ports["http_port"], timeout=_PATIENCE)) as api,
    ):
        driver = _Driver(recorder, socket, api)
        driver.boot()
        for _ in range(_WARM_UP):
            driver.round()
        driver.seen.clear()
        for _ in range(_ROUNDS):
            driver.round()
    return {kind: _walk(windows, command=kind == COMMAND) for kind, windows in driver.seen.items()}


def _walk(windows: Sequence[list[str]], *, command: bool) -> Walk:
    before, until, all_of_it = zip(*(_phases(steps, command=command) for steps in windows), strict=True)
    return Walk(
        None if None in before else _in_each([steps for steps in before if steps is not None]),
        _in_each(until),
        _in_each(all_of_it),
    )


def _phases(steps: list[str], *, command: bool) -> tuple[list[str] | None, list[str], list[str]]:
    steps = steps[steps.index(_BYTES_IN) :]
    outs = [place for place, step in enumerate(steps) if step == _BYTES_OUT]
    answer = outs[-1] if command else outs[0]
    if command:
        return steps[: outs[0]], steps[:answer], steps
    domain = steps.index(_DOMAIN) if _DOMAIN in steps else None
    return None if domain is None else steps[:domain], steps[:answer], steps


def _in_each(windows: Sequence[Sequence[str]]) -> Files:
    common = set(windows[0]).intersection(*windows[1:])
    return [step for step in dict.fromkeys(windows[-1]) if step in common and not step.startswith("<")]


def _serve_traced(found: Path) -> int:
    """Run the server in this thread, and in another the driver, which ends it. Returns the server's exit code."""
    # With uvloop the transports are compiled, and the profiler wouldn't see the bytes come and go.
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # importlib's documented way to say that there is none
    log, server_output = os.pipe()
    os.dup2(server_output, sys.stdout.fileno())
    lines = os.fdopen(log, "rb")
    recorder = _Recorder()

    def drive() -> None:
        try:
            ports = _ports(lines)
            # Somebody reads on, as whoever collects a log does.
            threading.Thread(target=lambda: deque(lines, 0), daemon=True).start()
            found.write_bytes(orjson.dumps(_drive(recorder, ports)))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=drive, daemon=True).start()
    recorder.start()
    from mcpp.server.serve import serve
    from mcpp.settings import Settings

    settings = {"ocpp_host": "127.0.0.1", "ocpp_port": "0", "http_port": "0", "log_format": "json"}
    return serve(Settings.load({**settings, "database": str(found.with_suffix(".db"))}))


def _ports(log: Iterable[bytes]) -> Mapping[str, int]:
    for text in log:
        line = orjson.loads(text)
        if line["event"] == "server_started":
            return {name: line[name] for name in ("ocpp_port", "http_port")}
    raise RuntimeError("the server did not start")


# The process that asks for it.


def measure() -> dict[str, Walk]:
    """The walk of each kind of message. Raises CalledProcessError; why stands on standard error."""
    with tempfile.TemporaryDirectory(prefix="mcpp-walk-") as folder:
        found = Path(folder) / "found"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
        subprocess.run((sys.executable, "-m", "tools.walk", "--traced", str(found)), env=environment, check=True)
        return {kind: Walk(**walk) for kind, walk in orjson.loads(found.read_bytes()).items()}


def report(walks: Mapping[str, Walk]) -> Iterator[str]:
    """For people."""
    width = max(map(len, walks))
    yield f"{'files of mcpp/':{width}}{'before the domain':>20}{'until the answer':>19}{'with events':>14}"
    for kind, walk in walks.items():
        before = "-" if walk.before_domain is None else str(len(walk.before_domain))
        yield f"{kind:{width}}{before:>20}{len(walk.until_answer):>19}{len(walk.with_events):>14}"
    for kind, walk in walks.items():
        yield ""
        yield kind
        for place, file in enumerate(walk.with_events, 1):
            early = file in (walk.before_domain or ())
            phase = "" if early else "answer" if file in walk.until_answer else "events"
            yield f"  {place:2} {file:40}{phase}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.walk", description=__doc__)
    parser.add_argument("--traced", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.traced is not None:
        sys.exit(_serve_traced(options.traced))
    print(*report(measure()), sep="\n")


if __name__ == "__main__":
    main()
