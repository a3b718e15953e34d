"""Where log lines leave the process: a bounded buffer, emptied by a thread of its own."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from threading import Lock, RLock, Thread
from typing import TextIO

STANDARD_OUTPUT = 1

_WRITE_BYTES = 64 * 1024
"""About what one write takes: as much as a pipe holds."""


class LogSink:
    """Takes finished lines from any thread and never waits for their reader.

    Lines that wait are written together, some milliseconds after the first of them. When `limit_bytes` wait already,
    since the reader stalls, or when the reader is gone, lines are dropped and counted. Once lines flow again, one tells
    how many were lost.
    """

    tell_lost: Callable[[int], bytes] | None = None
    """Makes the line that tells how many were lost; called on the sink's own thread."""

    def __init__(
        self, fd: int = STANDARD_OUTPUT, *, limit_bytes: int = 8 * 1024 * 1024, gather_seconds: float = 0.02
    ) -> None:
        self._fd = fd
        self._limit = limit_bytes
        self._gather_seconds = gather_seconds
        # Re-entrant: a garbage collection inside the lock may run a destructor that logs a warning.
        self._lock = RLock()
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._told = 0
        """How many of these the reader knows of."""
        self._idle = True
        self._closing = False
        self._ended = False
        self._line_cut = False
        self._wake = Lock()
        self._wake.acquire()
        # A daemon, so that a write which never returns can't hold up the exit of the process.
        self._thread = Thread(target=self._run, name="log-sink", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that never reached the reader."""
        return self._dropped

    def write(self, line: bytes) -> None:
        """Hand over one line, its newline included; drops it when too much waits."""
        size = len(line)
        with self._lock:
            if self._closing or self._waiting_bytes + size > self._limit:
                self._dropped += 1
                return
            self._waiting_bytes += size
            self._lines.append(line)
            self._wake_up()

    def close(self, timeout: float = 2.0) -> None:
        """Write what waits, for at most `timeout` seconds; lines that come later are dropped."""
        with self._lock:
            self._closing = True
            self._wake_up()
        self._thread.join(timeout)

    def _wake_up(self) -> None:
        if self._idle:
            self._idle = False
            self._wake.release()

    def _run(self) -> None:
        while not self._ended:
            self._wake.acquire()
            while lines := self._take():
                flows = False
                while lines:
                    flows = self._write_out(_portion(lines))
                if flows:
                    self._confess()

    def _take(self) -> deque[bytes]:
        """What has gathered; empty when nothing came in the meantime: then the thread is idle."""
        if not self._closing:
            # Waking a thread costs more than a line, so it sleeps while lines gather rather than wait for each.
            time.sleep(self._gather_seconds)
        with self._lock:
            lines, self._lines = self._lines, deque()
            self._idle = not lines
            self._ended = not lines and self._closing
        return lines

    def _write_out(self, lines: Sequence[bytes]) -> bool:
        """Write these, and count those that couldn't be; whether all could."""
        written = self._write_whole(lines)
        with self._lock:
            self._waiting_bytes -= sum(map(len, lines))
            self._dropped += len(lines) - written
        return written == len(lines)

    def _confess(self) -> None:
        """Tell the reader what it has missed."""
        dropped = self._dropped
        if dropped == self._told or self.tell_lost is None:
            return
        if self._write_whole((self.tell_lost(dropped - self._told),)):
            self._told = dropped

    def _write_whole(self, lines: Sequence[bytes]) -> int:
        """How many of these lines could be written whole."""
        # The next line stays readable after one that a full disk cut short.
        mend = b"\n" if self._line_cut else b""
        data = mend + b"".join(lines)
        done = self._write_all(data)
        if done:
            self._line_cut = not data.endswith(b"\n", 0, done)
        if done == len(data):
            return len(lines)
        return sum(end <= done - len(mend) for end in accumulate(map(len, lines)))

    def _write_all(self, data: bytes) -> int:
        """How many bytes could be written before the reader was gone or the disk full."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                # A descriptor shared with a program that made it non-blocking, as terminals often are.
                _wait_writable(self._fd)
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
