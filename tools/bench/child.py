"""Child processes: pinned to a CPU, ended with their block, some of them taking orders by lines of JSON."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import orjson

_END_SECONDS: Final = 15

HERE: Final = Path(__file__).parents[2]
"""The checkout that this file belongs to."""


class ChildFailed(Exception):
    """A child ended or wrote something unexpected; its own message stands above, on standard error."""


@dataclass(frozen=True, slots=True)
class Cpus:
    """Which CPU runs what, so that neither side takes time from the other."""

    server: frozenset[int]
    generator: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> Cpus:
        """The first CPU for the server, the last one for all else; one for both where there is no second."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(frozenset(allowed[:1]), frozenset(allowed[-1:]))


class Child:
    """A running child that takes orders."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        self.process = process
        self._name = name

    def send(self, order: object) -> None:
        """Order something without waiting for its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))
        self.process.stdin.flush()

    def receive(self) -> bytes:
        """The next line that it writes, as soon as it's there."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self._name} ended with code {self.process.wait(_END_SECONDS)}")
        return line

    def request(self, order: object) -> bytes:
        """Order something and wait for its answer."""
        self.send(order)
        return self.receive()


@contextmanager
def process(
    *command: str,
    cpus: frozenset[int],
    folder: Path = HERE,
    variables: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block's end, which sends it SIGTERM. The caller's MCPP_ and OTEL_ variables are left out.

    What it writes goes to `output`, else to a pipe.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    own = os.sched_getaffinity(0)
    # A child inherits them, and so do its threads; set afterwards, only its first thread would have them.
    os.sched_setaffinity(0, cpus)
    try:
        running = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if output is None else output,
            env={**inherited, **(variables or {})},
            cwd=folder,
        )
    finally:
        os.sched_setaffinity(0, own)
    with running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                # Reads on, so that a child that still writes can end.
                running.communicate(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def child(module: str, *arguments: str, cpus: frozenset[int]) -> Iterator[Child]:
    """Run a module of ours that takes orders."""
    with process(sys.executable, "-m", module, *arguments, cpus=cpus) as running:
        yield Child(running, module)
