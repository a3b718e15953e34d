"""Where log lines leave the process: a bounded queue, emptied by a thread of its own."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import RLock, Thread
from typing import TextIO

STANDARD_OUTPUT = 1

_WRITE_BYTES = 64 * 1024
"""About what one write takes: as much as a pipe holds."""


class LogSink:
    """Takes finished lines from any thread and never waits for their reader.

    Lines that wait are written together, some milliseconds after the first of them. When `limit_bytes` wait already,
    since the reader stalls, or when the reader is gone, lines are dropped and counted. Once lines flow again, one says
    how many were lost.
    """

    tell_lost: Callable[[int], bytes] | None = None
    """Makes the line that says how many were lost; called on the sink's own thread."""

    def __init__(
        self,
        fd: int = STANDARD_OUTPUT,
        *,
        write_all: Callable[[bytes], int] | None = None,
        limit_bytes: int = 8 * 1024 * 1024,
        gather_seconds: float = 0.02,
    ) -> None:
        """Lines go to the descriptor, or to `write_all` on the sink's thread, which says how many bytes it wrote."""
        self._write_all = write_all or partial(_write_all, fd)
        self._limit = limit_bytes
        self._gather_seconds = gather_seconds
        # No lock of ours on the way of a line, and a destructor that logs a warning may break in anywhere.
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._room = limit_bytes
        """Bytes that may still come in. Two threads at once may miscount it; every turn of ours counts again."""
        # Re-entrant, for such destructors.
        self._lock = RLock()
        self._dropped = 0
        self._told = 0
        """How many of these the reader knows of."""
        self._closing = False
        self._ended = False
        self._line_cut = False
        # A daemon, so that a write which never returns can't hold up the exit of the process.
        self._thread = Thread(target=self._run, name="log-sink", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that never reached the reader."""
        return self._dropped

    def write(self, lines: bytes) -> None:
        """Hand over one line or some, the last newline included; drops them when too much waits."""
        size = len(lines)
        room = self._room - size
        if room < 0 or self._closing:
            self._drop(lines.count(b"\n"))
            return
        self._room = room
        self._queue.put(lines)

    def close(self, timeout: float = 2.0) -> None:
        """Write what waits, for at most `timeout` seconds; lines that come later are dropped."""
        self._closing = True
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._ended:
            lines = self._take()
            flows = False
            while lines:
                flows = self._write_out(_portion(lines))
            if flows:
                self._confess()

    def _take(self) -> deque[bytes]:
        """What has gathered, once there is something."""
        first = self._queue.get()
        if not self._closing:
            # Waking a thread costs more than a line, so it sleeps while lines gather rather than wait for each.
            time.sleep(self._gather_seconds)
        taken = [first, *(self._queue.get() for _ in range(self._queue.qsize()))]
        self._ended = None in taken
        lines = deque(item for item in taken if item is not None)
        self._room = self._limit - sum(map(len, lines))
        return lines

    def _write_out(self, lines: Sequence[bytes]) -> bool:
        """Write these, and count those that couldn't be; whether all could."""
        data = b"".join(lines)
        lost = self._write_whole(data)
        self._room += len(data)
        if lost:
            self._drop(lost)
        return not lost

    def _drop(self, count: int) -> None:
        with self._lock:
            self._dropped += count

    def _confess(self) -> None:
        """Report to the reader what it has missed."""
        dropped = self._dropped
        if dropped == self._told or self.tell_lost is None:
            return
        if not self._write_whole(self.tell_lost(dropped - self._told)):
            self._told = dropped

    def _write_whole(self, lines: bytes) -> int:
        """How many of these lines could not be written whole."""
        # The next line stays readable after one that a full disk cut short.
        data = b"\n" + lines if self._line_cut else lines
        done = self._write_all(data)
        if done:
            self._line_cut = not data.endswith(b"\n", 0, done)
        if done == len(data):
            return 0
        return min(data.count(b"\n", done), lines.count(b"\n"))


def _write_all(fd: int, data: bytes) -> int:
    """How many bytes could be written before the reader was gone or the disk full."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            # A descriptor shared with a program that made it non-blocking, as terminals often are.
            _wait_writable(fd)
        except OSError:
            break
    return len(data) - len(rest)


def fill_standard_streams() -> None:
    """Put the null device where standard input, output or error is closed.

    To be called before anything is opened: a closed one's number goes to the next file, and the log would go there.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or _null()
    sys.stderr = sys.stderr or _null()


def _null() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _portion(lines: deque[bytes]) -> list[bytes]:
    """Take away what is written together: little of much, so that its memory and its room are soon free again."""
    portion: list[bytes] = []
    size = 0
    while lines and size < _WRITE_BYTES:
        portion.append(lines.popleft())
        size += len(portion[-1])
    return portion


def _wait_writable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
