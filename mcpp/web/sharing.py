"""Work that several people ask for in the same moment is done once, for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")

REST: Final = 0.25
"""Seconds from one beginning to the next of the same work."""

_APART: Final = 32
"""Rounds of the event loop over which those who have waited are spread at most."""

Make: TypeAlias = Callable[[frozenset[str]], Awaitable[T]]
"""Does the work: what it's given is all that anybody has asked for."""


class _Turn(Generic[T]):
    """Work that hasn't begun: whoever asks for the same joins it."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.asked = 0
        """How many there are."""
        self.made: asyncio.Task[T] | None = None


class SharedWork(Generic[T]):
    """Does the same work once per REST, whoever asks how often; used on the event loop only.

    What somebody is given was begun after they had asked, so it has all that had happened until then.
    """

    def __init__(self, rest: float = REST) -> None:
        self._rest = rest
        self._turns: dict[Hashable, _Turn[T]] = {}
        self._began: dict[Hashable, float] = {}
        """When it began last, no longer ago than a rest."""

    async def ask(self, key: Hashable, wanted: Iterable[str], make: Make[T], gather: float = 0.0) -> T:
        """What `make` makes of `wanted` and of what others want of the same `key` within `gather` seconds.

        Raises what it raises.
        """
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = _Turn()
            turn.made = asyncio.get_running_loop().create_task(self._make(key, turn, make, gather))
            turn.made.add_done_callback(_look_at)
        turn.wanted.update(wanted)
        behind, turn.asked = turn.asked, turn.asked + 1
        assert turn.made is not None
        # One who leaves takes it from nobody else.
        made = await asyncio.shield(turn.made)
        # They go on one by one: the event loop is the chargers' between them.
        for _ in range(behind % _APART):
            await asyncio.sleep(0)
        return made

    async def _make(self, key: Hashable, turn: _Turn[T], make: Make[T], gather: float) -> T:
        loop = asyncio.get_running_loop()
        rest = self._began[key] + self._rest - loop.time() if key in self._began else 0.0
        await asyncio.sleep(max(gather, rest))
        del self._turns[key]
        began = self._began[key] = loop.time()
        loop.call_later(self._rest, self._rested, key, began)
        return await make(frozenset(turn.wanted))

    def _rested(self, key: Hashable, began: float) -> None:
        if self._began.get(key) == began:
            del self._began[key]


def _look_at(made: asyncio.Task[T]) -> None:
    """An error that nobody waits for any more is no news."""
    if not made.cancelled():
        made.exception()
