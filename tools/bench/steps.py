"""Where the CPU time of a message goes, step by step: `python -m tools.bench steps`.

Samples of the running server's stacks (py-spy, which must be installed) say which step each thread is at; how much time
the threads used comes from the system, and what a message costs from a window without py-spy.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.bench.child import HERE, Cpus
from tools.bench.compare import BEFORE, MCPP
from tools.bench.markdown import table
from tools.bench.messages import Workload
from tools.bench.servers import Mcpp, Server, collector, running, tracing_variables
from tools.bench.turns import Fleet, fleet

WORKLOADS: Final = (
    Workload.HEARTBEAT,
    Workload.METER_VALUES,
    Workload.STATUS,
    Workload.START,
    Workload.STOP,
    Workload.MIXED,
)

_STEPS: Final[Sequence[tuple[str, str]]] = (
    (
        "begin, commit",
        r"^\S*(transact|run_guarded|run_plain|begin|savepoint|release|commit|rollback) \(.*mcpp/storage/",
    ),
    ("frame: bytes and WebSocket", r"mcpp/transport/(?!charge_point|registry)|/websockets/"),
    ("session and order of a charger's CALLs", r"mcpp/transport/|mcpp/ocppj/(session|frames)"),
    (
        "decode, route, encode",
        r"mcpp/ocppj/(actions|wire|repair|rules|readers|field_readers|crowded|times|work)|mcpp_generated/ocpp|/pydantic",
    ),
    ("handler", r"mcpp/(ocpp\w+|csms)/"),
    ("domain", r"mcpp/domain/(?!events)"),
    ("SQL", r"mcpp_generated/db/|/sqlite3/"),
    ("to a reader and back", r"/aiosqlite/"),
    ("to the writer and back", r"mcpp/storage/"),
    ("lines", r"mcpp/telemetry/logs/|mcpp/redaction|/structlog/"),
    ("spans and sessions", r"mcpp/telemetry/(tracing/|sessions)|/opentelemetry/"),
    ("figures per charger", r"mcpp/telemetry/fleet/|mcpp/reads/live"),
    ("flow and metrics", r"mcpp/telemetry/|mcpp/ocppj/flow|/prometheus_client/"),
    (
        "events and plugins",
        r"mcpp/plugins/|mcpp/api/event_stream|mcpp/domain/events|mcpp/reads/|mcpp/server/(?!serve\.py)",
    ),
)
"""A step, and what its frames look like (`function (file:line)`). The innermost frame that fits one of them decides."""

_ELSEWHERE: Final = "event loop and sockets"

STEPS: Final = (*dict(_STEPS), _ELSEWHERE)

_PATTERNS: Final = [(step, re.compile(pattern)) for step, pattern in _STEPS]
_STACK: Final = re.compile(r"thread \((\d+)\): [^;]*;(.*) (\d+)")

_RATE: Final = 400
"""Samples a second."""
_REPEATS: Final = 4
"""Of the workloads that end by themselves."""
_IDLE_SECONDS: Final = 1.5
"""For a look at threads that have nothing to do."""
_QUIET_SECONDS: Final = 0.6
_MANY_SECONDS: Final = 60.0
"""Longer than those take."""


@dataclass(frozen=True, slots=True)
class Steps:
    """One workload."""

    workload: Workload
    server: str
    microseconds: float
    """CPU for a message."""
    steps: dict[str, float]
    """Microseconds of these."""


def measure(*, against: Path | None, seconds: float, connections: int, progress: Callable[[str], None]) -> list[Steps]:
    """Each workload of MCPP with everything on, and of another checkout in the same run.

    Raises RuntimeError where py-spy isn't installed.
    """
    program = shutil.which("py-spy")
    if program is None:
        raise RuntimeError("py-spy is not installed: pip install py-spy")
    cpus = Cpus.of_this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpp-bench-")))
        variables = tracing_variables(stack.enter_context(collector(cpus)), 0.01)
        checkouts = {MCPP: HERE} if against is None else {BEFORE: against, MCPP: HERE}
        profiled = []
        for name, checkout in checkouts.items():
            own = folder / name
            own.mkdir()
            subject = Mcpp(name, ("--durability", "normal"), variables, checkout)
            server = stack.enter_context(running(subject, own, cpus))
            chargers = stack.enter_context(fleet(server, cpus))
            chargers.connect(connections)
            chargers.run(Workload.METER_VALUES, 1)
            # Connectors are new only once.
            for workload in (Workload.START, Workload.STOP):
                chargers.run(workload, _MANY_SECONDS)
            profiled.append((server, chargers, _Profiler(program, server, own / "samples")))
        found = []
        for workload in WORKLOADS:
            for server, chargers, profiler in profiled:
                found.append(_measure(profiler, server, chargers, workload, seconds))
                progress(f"{workload} {server.name}: {found[-1].microseconds:.1f} µs")
        return found


def _measure(profiler: _Profiler, server: Server, chargers: Fleet, workload: Workload, seconds: float) -> Steps:
    ends_by_itself = workload in {Workload.START, Workload.STOP}
    seconds = _MANY_SECONDS if ends_by_itself else seconds
    cpu = messages = 0.0
    shares: Counter[str] = Counter()
    for _ in range(_REPEATS if ends_by_itself else 1):
        _prepare(chargers, workload)
        began = server.cpu()
        messages += chargers.run(workload, seconds).messages
        server.settle(_QUIET_SECONDS)
        cpu += server.cpu() - began
        _prepare(chargers, workload)
        with profiler.profile(shares):
            chargers.run(workload, seconds)
            server.settle(_QUIET_SECONDS)
    chargers.run(Workload.STOP, _MANY_SECONDS)
    each = cpu / messages * 1e6
    return Steps(workload, server.name, each, {step: each * share / shares.total() for step, share in shares.items()})


def _prepare(chargers: Fleet, workload: Workload) -> None:
    """What is to be started must be over, what is to be stopped must run."""
    if workload is Workload.START:
        chargers.run(Workload.STOP, _MANY_SECONDS)
    elif workload is Workload.STOP:
        chargers.run(Workload.START, _MANY_SECONDS)


class _Profiler:
    """Samples the stacks of a server's threads."""

    def __init__(self, program: str, server: Server, output: Path) -> None:
        self._command = (program, "record", "--pid", str(server.pid), "--rate", str(_RATE), "--format", "raw")
        self._output = output
        self._tasks = Path(f"/proc/{server.pid}/task")
        self._main = server.pid
        with self._recording("--idle"), self._spending() as spent:
            time.sleep(_IDLE_SECONDS)
        self._overhead = {thread: nanoseconds / _IDLE_SECONDS for thread, nanoseconds in spent.items()}
        """What being sampled costs each thread: nanoseconds a second."""
        self._idle = {(thread, stack) for thread, stack, _ in self._samples()}
        """Where threads wait; py-spy takes some of them for running now and then."""

    @contextmanager
    def profile(self, shares: Counter[str]) -> Iterator[None]:
        """Add what the block costs at each step: nanoseconds of each thread, divided by its samples.

        How often a thread was seen where it waits says nothing; but what it used beyond its other samples it used
        there, to go to sleep and to wake up.
        """
        with self._recording(), self._spending() as spent:
            began = time.monotonic()
            yield
            seconds = time.monotonic() - began
        threads: dict[int, Counter[str]] = {}
        for thread, stack, count in self._samples():
            if thread == self._main or (thread, stack) not in self._idle:
                threads.setdefault(thread, Counter())[step_of(stack)] += count
        waits = {thread: step_of(stack) for thread, stack in self._idle}
        for thread, used in spent.items():
            nanoseconds = max(0, used - int(seconds * self._overhead.get(thread, 0)))
            steps = threads.get(thread, Counter())
            if thread != self._main:
                # Threads of the event loop's library run no Python.
                wait = waits.get(thread, _ELSEWHERE)
                steps[wait] += max(0, nanoseconds * _RATE // 10**9 - steps.total())
            for step, count in steps.items():
                shares[step] += nanoseconds * count // (steps.total() or 1)

    @contextmanager
    def _recording(self, *flags: str) -> Iterator[None]:
        output = ("--threads", "--full-filenames", "--output", str(self._output))
        with subprocess.Popen((*self._command, *output, *flags), stdout=subprocess.PIPE) as recording:
            assert recording.stdout is not None
            # Its first line says that it has begun.
            recording.stdout.readline()
            yield
            recording.send_signal(signal.SIGINT)
            recording.communicate()

    def _samples(self) -> Iterator[tuple[int, str, int]]:
        """Thread, stack from the outside in, and how often it was seen."""
        for line in self._output.read_text("utf-8").splitlines():
            if match := _STACK.fullmatch(line):
                yield int(match[1]), match[2], int(match[3])

    @contextmanager
    def _spending(self) -> Iterator[dict[int, int]]:
        """Nanoseconds that each thread uses in the block, there when it's over."""
        before = self._nanoseconds()
        spent: dict[int, int] = {}
        yield spent
        spent |= {thread: now - before.get(thread, 0) for thread, now in self._nanoseconds().items()}

    def _nanoseconds(self) -> dict[int, int]:
        """That each thread has used, by its number."""
        return {int(task.name): int((task / "schedstat").read_text().split()[0]) for task in self._tasks.iterdir()}


def step_of(stack: str) -> str:
    """By a stack's frames, from the outside in."""
    for frame in reversed(stack.split(";")):
        for step, pattern in _PATTERNS:
            if pattern.search(frame):
                return step
    return _ELSEWHERE


def report(found: Sequence[Steps]) -> Iterator[str]:
    """As Markdown; of two servers, both figures."""
    by_workload = {workload: [each for each in found if each.workload is workload] for workload in WORKLOADS}
    columns = by_workload.values()
    yield from table(
        ("µs of CPU for a message", *by_workload),
        "l" + "r" * len(by_workload),
        [
            *((step, *(_cell(each.steps.get(step, 0) for each in both) for both in columns)) for step in STEPS),
            ("all", *(_cell(each.microseconds for each in both) for both in columns)),
        ],
    )


def _cell(microseconds: Iterable[float]) -> str:
    return " → ".join(f"{each:.0f}" for each in microseconds)
