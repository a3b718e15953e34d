"""Whether objects go when they are done with, or wait for the garbage collector, which seldom runs."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 10.0
"""Seconds after which what is still there counts as left behind."""


class Newcomers:
    """Objects of some types that weren't there at the beginning."""

    def __init__(self, *types: type) -> None:
        self._types = set(types)
        self._known = self._all()

    async def until_gone(self, forget: Callable[[], None]) -> None:
        """Wait until none are left; `forget` drops what the test itself remembers."""
        forget()
        try:
            async with asyncio.timeout(PATIENCE):
                while self._count():
                    await asyncio.sleep(0.01)
                    forget()
        except TimeoutError:
            raise AssertionError(f"still there: {dict(self._count())}") from None

    def _all(self) -> list[object]:
        return [thing for thing in gc.get_objects() if type(thing) in self._types]

    def _count(self) -> Counter[str]:
        known = {id(thing) for thing in self._known}
        return Counter(type(thing).__name__ for thing in self._all() if id(thing) not in known)


@contextmanager
def uncollected(*types: type) -> Iterator[Newcomers]:
    """Nothing is collected meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield Newcomers(*types)
    finally:
        gc.enable()
