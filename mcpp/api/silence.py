"""Connections to the HTTP listener that ask for nothing: uvicorn has a time limit only behind an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

SILENCE_SECONDS: Final = 20.0
"""In which a request's line and headers must have come."""

_LOOKS: Final = 4
"""Times in this that connections are looked at."""


class Cycle(Protocol):
    """A request and its answer, as uvicorn has it."""

    response_complete: bool


class Connection(Protocol):
    """A connection, as uvicorn has it."""

    cycle: Cycle | None
    """The last request whose headers are there."""
    transport: asyncio.Transport


class SilentConnections:
    """Ends connections that have no request under way for too long, also those that send a byte a second."""

    def __init__(self, connections: Iterable[Connection], seconds: float = SILENCE_SECONDS) -> None:
        """`connections` always has those that are open."""
        self._connections = connections
        self._seconds = seconds
        self._since: dict[Connection, tuple[Cycle | None, float]] = {}

    async def watch(self) -> None:
        """Until it's cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._seconds / _LOOKS)
            self.look(loop.time())

    def look(self, now: float) -> None:
        """End those that wait since before; `now` by a clock that never goes back."""
        before, self._since = self._since, {}
        for connection in list(self._connections):
            cycle = connection.cycle
            if cycle is not None and not cycle.response_complete:
                continue
            known, since = before.get(connection, (cycle, now))
            if known is not cycle:
                since = now
            self._since[connection] = cycle, since
            if now - since >= self._seconds:
                connection.transport.abort()
