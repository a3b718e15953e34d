"""What the server does by the clock rather than by a message."""

from __future__ import annotations

import asyncio

from mcpp.domain.stamps import StampBook, write_stamps
from mcpp.storage.writer import WriteFailed, Writer
from mcpp_generated.db.queries import Queries

STAMP_INTERVAL = 1.0
"""Seconds between two writings of stamps: what a crash may cost of them."""


class StampKeeper:
    """Writes the gathered stamps every second, and what is left at the end."""

    def __init__(self, writer: Writer[Queries], book: StampBook, interval: float = STAMP_INTERVAL) -> None:
        self._writer = writer
        self._book = book
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Write what is left and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self.write()

    async def write(self) -> None:
        """Write what waits now; what the database refuses waits on."""
        stamps = self._book.take()
        if not stamps:
            return
        try:
            # Shielded: a unit once submitted is stored, so a cancelled wait must not put its stamps back.
            await asyncio.shield(self._writer.submit(write_stamps, stamps))
        except WriteFailed:
            self._book.put_back(stamps)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self.write()
