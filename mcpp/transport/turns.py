"""Whose turn it is: connections that have sent more than fits one turn share a part of each round of the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter


class Turns:
    """The turns that wait, one after the other; those that don't fit this round have the next one.

    However many connections flood, a round of the event loop is longer by `seconds` and one turn at most. What others
    send is handled when it's read, and the writer's thread has the interpreter between two rounds.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_due = False

    def take(self, loop: asyncio.AbstractEventLoop, turn: Callable[[], None]) -> None:
        """Have this called in a later round of the loop, after those that wait already."""
        self._waiting.append(turn)
        self._arrange(loop)

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_due = False
        end = perf_counter() + self._seconds
        # Those that come meanwhile have the next round.
        for _ in range(len(self._waiting)):
            self._waiting.popleft()()
            if perf_counter() >= end:
                break
        if self._waiting:
            self._arrange(loop)
