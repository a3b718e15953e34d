"""What is done again and again by the clock, and goes on whatever happens to it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from mcpp.telemetry.logs.pipeline import get_logger

LONGEST_BACK_OFF: Final = 60.0
"""Seconds between two tries of a chore that fails all the time, unless its interval is longer anyway."""


def _unobserved(_: str) -> None: ...


class Chore(ABC):
    """Something to do again and again, on the event loop.

    One that fails is said and tried again, after twice the time for each failure in a row.
    """

    def __init__(self, interval: float) -> None:
        """`interval` is in seconds."""
        self._interval = interval
        self._failures = 0
        """In a row."""
        self._on_failure: Callable[[str], None] = _unobserved
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What it is called in the log and in metrics: `stamp_keeper` for StampKeeper."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(self).__name__).removeprefix("_")

    def start(self, on_failure: Callable[[str], None] = _unobserved) -> None:
        """Begin, on the running loop. `on_failure` hears of each failure, by the chore's name."""
        self._on_failure = on_failure
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End; what is under way is given up, what `finish` has to do is done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        try:
            await self.finish()
        except Exception as error:  # noqa: BLE001  others have to be stopped, too
            self._report(error, None)

    @abstractmethod
    async def work(self) -> None:
        """Do what there is to do now."""

    async def finish(self) -> None:  # noqa: B027  most have nothing to do
        """Do what has to be done at the end."""

    async def _run(self) -> None:
        while True:
            pause = await self._try()
            await asyncio.sleep(pause)

    async def _try(self) -> float:
        """Work once. Returns after how many seconds to do so again."""
        try:
            await self.work()
        except Exception as error:  # noqa: BLE001  a chore that ends is missed too late
            self._failures += 1
            back_off = self._interval * 2.0 ** min(self._failures, 16)
            retry = max(self._interval, min(back_off, LONGEST_BACK_OFF))
            self._report(error, retry)
            return retry
        if self._failures:
            get_logger().info("chore_works_again", category="system", chore=self.name, failures=self._failures)
            self._failures = 0
        return self._interval

    def _report(self, error: Exception, retry: float | None) -> None:
        self._on_failure(self.name)
        retried = {} if retry is None else {"retry_in_seconds": retry}
        get_logger().error("chore_failed", category="error", chore=self.name, exc_info=error, **retried)
