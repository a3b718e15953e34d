"""Where log lines leave the process: a bounded buffer, emptied by a thread of its own."""

from __future__ import annotations

import os
import select
import time
from itertools import accumulate
from threading import Lock, RLock, Thread

STANDARD_OUTPUT = 1


class LogSink:
    """Takes finished lines from any thread and never waits for their reader.

    Lines that wait are written together, some milliseconds after the first of them. When `limit_bytes` wait already,
    since the reader stalls, or when the reader is gone, lines are dropped and counted.
    """

    def __init__(
        self, fd: int = STANDARD_OUTPUT, *, limit_bytes: int = 8 * 1024 * 1024, gather_seconds: float = 0.02
    ) -> None:
        self._fd = fd
        self._limit = limit_bytes
        self._gather_seconds = gather_seconds
        # Re-entrant: a garbage collection inside the lock may run a destructor that logs a warning.
        self._lock = RLock()
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._dropped = 0
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
                self._write_out(lines)

    def _take(self) -> list[bytes]:
        """What has gathered; an empty list when nothing came in the meantime: then the thread is idle."""
        if not self._closing:
            # Waking a thread costs more than a line, so it sleeps while lines gather rather than wait for each.
            time.sleep(self._gather_seconds)
        with self._lock:
            lines, self._lines = self._lines, []
            self._idle = not lines
            self._ended = not lines and self._closing
        return lines

    def _write_out(self, lines: list[bytes]) -> None:
        # The next line stays readable after one that a full disk cut short.
        mend = b"\n" if self._line_cut else b""
        data = mend + b"".join(lines)
        done = self._write_all(data)
        if done:
            self._line_cut = not data.endswith(b"\n", 0, done)
        written = done - len(mend)
        lost = 0 if done == len(data) else sum(end > written for end in accumulate(map(len, lines)))
        with self._lock:
            self._waiting_bytes -= len(data) - len(mend)
            self._dropped += lost

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


def _wait_writable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
