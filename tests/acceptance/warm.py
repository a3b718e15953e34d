"""`mcpp` by a process that has the program loaded already and forks: a start costs a sixth of its CPU time.

What is forked runs the command from its first line, in a process of its own with arguments, environment and directory
of its own. Run as a program this is the process that forks; a test's process starts one when it first needs it.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import IO, Final, NoReturn

_LOADED: Final = (
    *("mcpp.cli.server", "mcpp.server.serve", "uvloop"),
    *("mcpp.plugins.builtin.auto_start", "mcpp.plugins.builtin.offline_alert"),
)
"""What a server has imported once it is up."""
_COMMANDS: Final = "mcpp.cli"
"""Each of its modules is a command's, or what commands share."""


class WarmProcess:
    """A server that was forked, as `asyncio.subprocess.Process` has it."""

    def __init__(
        self, pid: int, stdout: asyncio.StreamReader, supervisor: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._end(*supervisor))

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def _end(self, supervisor: asyncio.StreamReader, connection: asyncio.StreamWriter) -> int:
        self.returncode = int(await supervisor.readline())
        connection.close()
        return self.returncode


class WarmPopen:
    """A process that was forked, as `subprocess.Popen` has it."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        output: IO[bytes],
        directory: Path,
        errors: IO[bytes] | None = None,
        given: IO[bytes] | None = None,
    ) -> None:
        """`mcpp` with these arguments in a directory.

        What it writes goes to `output`, its standard error too where no `errors` are there; `given` is its standard
        input, else there is none.
        """
        with Path(os.devnull).open("rb") as nothing:
            streams = [stream.fileno() for stream in (given or nothing, output, errors or output)]
            self._supervisor = _ask_to_fork(arguments, environment, streams, directory)
        self._told = self._supervisor.makefile("rb")
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            # A line of it comes at once and whole.
            if not select.select([self._supervisor], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("mcpp", timeout or 0)
            self.returncode = int(self._told.readline())
            self._told.close()
            self._supervisor.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def start_warm(arguments: Sequence[str], environment: Mapping[str, str], *, limit: int) -> WarmProcess:
    """`mcpp` with these arguments; its standard output can be read, `limit` bytes a line at most."""
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        connection = _ask_to_fork(arguments, environment, (nothing, writing, 2), Path.cwd())
    finally:
        os.close(writing)
        os.close(nothing)
    supervisor = await asyncio.open_unix_connection(sock=connection)
    pid = int(await supervisor[0].readline())
    stdout = asyncio.StreamReader(limit)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reading, "rb"))
    return WarmProcess(pid, stdout, supervisor)


def _ask_to_fork(
    arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int], directory: Path
) -> socket.socket:
    """What its number can be read from, and its exit code once it has ended, a line each.

    `streams`: the descriptors of its standard input, output and error.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(_parent()))
    request = json.dumps({"arguments": [*arguments], "environment": {**environment}, "directory": str(directory)})
    socket.send_fds(connection, [b"\n"], streams)
    connection.sendall(request.encode() + b"\n")
    return connection


@cache
def _parent() -> Path:
    """Where the process listens that forks for this one; begun at the first call, ended with this process."""
    folder = tempfile.TemporaryDirectory()
    address = Path(folder.name, "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen(64)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    process = subprocess.Popen(
        [sys.executable, __file__, str(listener.fileno())],
        stdin=subprocess.PIPE,  # closed when this process ends, however it does
        pass_fds=[listener.fileno()],
        env=plain,
    )
    listener.close()

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return address


def _build_routes() -> None:
    """As each server does that starts; what is forked has them."""
    from fastapi.routing import iter_route_contexts

    from mcpp.api.app import built_routes, hashable
    from mcpp.csms.commands import sent_by_us
    from mcpp.server.versions import VERSIONS
    from mcpp.web.app import built_pages

    operations = hashable(sent_by_us(VERSIONS))
    for _ in iter_route_contexts([*built_routes(operations, False), *built_pages()]):
        """They are made whole as they are counted up."""


def _serve_forks(listener: socket.socket) -> None:
    """Fork for whoever asks, until standard input ends. Returns in each process that is to run the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are nobody's to wait for
    while True:
        if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
            os._exit(0)
        connection, _ = listener.accept()
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        with connection.makefile("rb") as told:
            request = told.readline()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            pid = os.fork()
            if pid == 0:
                connection.close()
                _become(json.loads(request), descriptors)
                return
            _supervise(connection, pid, descriptors)
        connection.close()
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(connection: socket.socket, pid: int, descriptors: Sequence[int]) -> NoReturn:
    """Tell the process's number, and its exit code once it has ended."""
    for descriptor in descriptors:
        os.close(descriptor)
    connection.sendall(b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # nobody may wait for it any more
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: dict[str, object], descriptors: Sequence[int]) -> None:
    """Be as the process that was asked for would be at its start."""
    arguments, environment, directory = request["arguments"], request["environment"], request["directory"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    for descriptor, standard in zip(descriptors, (0, 1, 2), strict=True):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if environment.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    os.chdir(str(directory))
    sys.argv = ["mcpp", *arguments]


if __name__ == "__main__":
    gc.disable()
    for module in (
        *_LOADED,
        *(found.name for found in iter_modules(import_module(_COMMANDS).__path__, f"{_COMMANDS}.")),
    ):
        import_module(module)
    _build_routes()
    gc.freeze()
    gc.enable()
    _serve_forks(socket.socket(fileno=int(sys.argv[1])))
    from mcpp.cli import main

    sys.exit(main())
