"""What the broker is to have: the last message of each topic, however long the broker is away."""

from __future__ import annotations

import asyncio


class Board:
    """Retained messages by topic, and which of them the broker hasn't got yet. Grows with topics, not with time."""

    def __init__(self) -> None:
        self._messages: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}
        self._news = asyncio.Event()
        self._all_sent = asyncio.Event()

    def pin(self, topic: str, payload: bytes) -> None:
        """Let this be a topic's message."""
        if self._messages.get(topic) != payload:
            self._messages[topic] = payload
            self._mark(topic)

    def renew(self) -> None:
        """Send everything again."""
        for topic in self._messages:
            self._mark(topic)

    async def take(self) -> tuple[str, bytes]:
        """The next message to send, as soon as there is one; the one before has been sent."""
        while not self._unsent:
            self._all_sent.set()
            self._news.clear()
            await self._news.wait()
        topic = next(iter(self._unsent))
        del self._unsent[topic]
        return topic, self._messages[topic]

    async def settled(self) -> None:
        """Wait until the broker has everything."""
        await self._all_sent.wait()

    def _mark(self, topic: str) -> None:
        self._unsent[topic] = None
        self._all_sent.clear()
        self._news.set()
