"""Two devices with one identity: each throws the other out, for ever and as fast as they can."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from mcpp.server.bounded import BoundedTable
from mcpp.telemetry.logs.pipeline import get_logger

_TABLE_SIZE: Final = 4096
_WINDOW: Final = 120.0
"""Seconds in which takeovers are counted."""
TOLERATED: Final = 5
"""Takeovers within the window: a charger with a bad radio link has some."""
_LONGEST_DELAY: Final = 5.0
"""Half of what a handshake may take; chargers wait for 30 s and more."""
_SAID_EVERY: Final = 300.0
_MOST_WAITING: Final = 8


class Origin(NamedTuple):
    """Where a connection comes from."""

    remote: str
    path: str
    """As people get to see it."""


class _Takeovers:
    __slots__ = ("began", "said", "times")

    def __init__(self) -> None:
        self.began = 0.0
        """When the first of those came that have gone on since then."""
        self.times: deque[float] = deque(maxlen=64)
        self.said: float | None = None


class ReconnectLoops:
    """Recognises such a pair by the connections that replace each other, and slows its handshakes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._takeovers: BoundedTable[str, _Takeovers] = BoundedTable(_TABLE_SIZE)
        self._waiting: dict[str, dict[str, asyncio.Future[None]]] = {}
        """Handshakes that are slowed, by identity and address."""

    def taken_over(self, identity: str, before: Origin, after: Origin) -> None:
        """A connection of this identity that stood was replaced; says so in the log where that goes on and on."""
        takeovers = self._takeovers.get_or_add(identity, _Takeovers)
        now = self._clock()
        if not self._recent(takeovers):
            takeovers.began = now
        takeovers.times.append(now)
        count = self._recent(takeovers)
        if count <= TOLERATED or (takeovers.said is not None and now - takeovers.said < _SAID_EVERY):
            return
        takeovers.said = now
        paths = {} if before.path == after.path else {"path": after.path, "other_path": before.path}
        get_logger().warning(
            "reconnect_loop",
            category="system",
            charge_point_id=identity,
            remote_address=after.remote,
            other_remote_address=before.remote,
            **paths,
            takeovers=count,
            seconds=_WINDOW,
            remedy="two devices seem to use this identity: give each its own, or it is one that loses its connection",
        )

    def delay(self, identity: str) -> float:
        """Seconds by which the next handshake of this identity is to be slowed; 0 for nearly all."""
        takeovers = self._takeovers.get(identity)
        if takeovers is None:
            return 0.0
        return min(_LONGEST_DELAY, float(max(0, self._recent(takeovers) - TOLERATED)))

    def going_on(self) -> dict[str, float]:
        """The identities that are in such a loop now, each with when its takeovers began, by the clock."""
        return {
            identity: takeovers.began
            for identity, takeovers in self._takeovers.items()
            if len(takeovers.times) > TOLERATED and self._recent(takeovers) > TOLERATED
        }

    async def slow_down(self, identity: str, address: str) -> bool:
        """Wait as `delay` says. False where a newer attempt has come from the same address, or too many wait."""
        seconds = self.delay(identity)
        if not seconds:
            return True
        waiting = self._waiting.setdefault(identity, {})
        before = waiting.pop(address, None)
        if before is not None and not before.done():
            before.set_result(None)
        if len(waiting) >= _MOST_WAITING:
            return False
        mine = waiting[address] = asyncio.get_running_loop().create_future()
        try:
            done, _ = await asyncio.wait({mine}, timeout=seconds)
            return not done
        finally:
            if waiting.get(address) is mine:
                del waiting[address]
            if not waiting and self._waiting.get(identity) is waiting:
                del self._waiting[identity]

    def _recent(self, takeovers: _Takeovers) -> int:
        since = self._clock() - _WINDOW
        while takeovers.times and takeovers.times[0] < since:
            takeovers.times.popleft()
        return len(takeovers.times)
