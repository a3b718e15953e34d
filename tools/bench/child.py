"""Child processes that take orders by lines of JSON, and that end with us."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import orjson

_END_SECONDS: Final = 15


class ChildFailed(Exception):
    """A child ended or said something else than was asked for; what it wrote to standard error stands above."""


class Child:
    """One running child."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        self._process = process
        self._name = name

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, order: object) -> None:
        """Give an order without waiting for what comes of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))
        self._process.stdin.flush()

    def hear(self) -> bytes:
        """The next line that it writes, as soon as it's there."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self._name} ended with code {self._process.wait(_END_SECONDS)}")
        return line

    def ask(self, order: object) -> bytes:
        """Give an order and wait for its answer."""
        self.tell(order)
        return self.hear()


@contextmanager
def child(module: str, *arguments: str, variables: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run a module of ours; it gets SIGTERM at the block's end. The caller's MCPP_ and OTEL_ variables are left out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    with subprocess.Popen(
        (sys.executable, "-m", module, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**inherited, **(variables or {})},
    ) as process:
        try:
            yield Child(process, module)
        finally:
            process.terminate()
            try:
                # Reads on, so that a child that still writes can end.
                process.communicate(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def collector() -> Iterator[str]:
    """A collector that takes whatever comes; gives its URL."""
    with child("tools.bench.sink") as sink:
        yield f"http://127.0.0.1:{int(sink.hear())}"
