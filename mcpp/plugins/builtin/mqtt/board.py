"""What the broker is to know: the last word on each topic, however long the broker is away."""

from __future__ import annotations

import asyncio


class Board:
    """Retained messages by topic, and which of them the broker hasn't been told. Grows with topics, not with time."""

    def __init__(self) -> None:
        self._words: dict[str, bytes] = {}
        self._untold: dict[str, None] = {}
        self._news = asyncio.Event()
        self._all_told = asyncio.Event()

    def pin(self, topic: str, payload: bytes) -> None:
        """Let this be the last word on a topic."""
        if self._words.get(topic) != payload:
            self._words[topic] = payload
            self._mark(topic)

    def renew(self) -> None:
        """Tell everything again."""
        for topic in self._words:
            self._mark(topic)

    async def take(self) -> tuple[str, bytes]:
        """The next message to tell, as soon as there is one; the one before has been told."""
        while not self._untold:
            self._all_told.set()
            self._news.clear()
            await self._news.wait()
        topic = next(iter(self._untold))
        del self._untold[topic]
        return topic, self._words[topic]

    async def settled(self) -> None:
        """Wait until the broker knows everything."""
        await self._all_told.wait()

    def _mark(self, topic: str) -> None:
        self._untold[topic] = None
        self._all_told.clear()
        self._news.set()
