"""Jobs of a plugin that wait for their time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Job:
    """A job that waits for its time; implements `mcpp.plugins.site.Scheduled`."""

    __slots__ = ("_begin", "_handle", "_jobs", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None], jobs: set[Job]) -> None:
        """`jobs` has it while it waits."""
        self._loop = loop
        self._begin = begin
        self._jobs = jobs
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, seconds: float) -> None:
        """Begin to wait; from any thread."""
        self._jobs.add(self)
        due = self._loop.time() + seconds
        if _runs_here(self._loop):
            self._set(due)
        else:
            self._loop.call_soon_threadsafe(self._set, due)

    def cancel(self) -> None:
        """See Scheduled; from any thread."""
        self._jobs.discard(self)
        if self._handle is not None and _runs_here(self._loop):
            self._handle.cancel()

    def _set(self, due: float) -> None:
        self._handle = self._loop.call_at(due, self._fire)

    def _fire(self) -> None:
        if self in self._jobs:
            self._jobs.discard(self)
            self._begin()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
