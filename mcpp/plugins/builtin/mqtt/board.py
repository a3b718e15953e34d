"""What the broker is to have: the last message of each topic, however long the broker is away."""

from __future__ import annotations

import asyncio
from typing import Final

_NOTHING: Final = b""
"""A retained message of no bytes: the broker keeps nothing of its topic from then on (MQTT 3.1.1 §3.3.1.3)."""


class Board:
    """Retained messages by topic, and which of them the broker hasn't got yet. Grows with topics, not with time."""

    def __init__(self) -> None:
        self._messages: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}
        self._taken: str | None = None
        self._news = asyncio.Event()
        self._all_sent = asyncio.Event()

    def pin(self, topic: str, payload: bytes) -> None:
        """Let this be a topic's message."""
        if self._messages.get(topic) != payload:
            self._messages[topic] = payload
            self._mark(topic)

    def clear(self, topic: str) -> None:
        """Let a topic have no message any more; one that never had any stays as it is."""
        if topic in self._messages:
            self.pin(topic, _NOTHING)

    def renew(self) -> None:
        """Send everything again: what was taken last may not have come through."""
        self._taken = None
        for topic in self._messages:
            self._mark(topic)

    async def take(self) -> tuple[str, bytes]:
        """The next message to send, as soon as there is one; the one before has been sent."""
        if self._taken is not None and self._taken not in self._unsent:
            if self._messages[self._taken] == _NOTHING:
                del self._messages[self._taken]
            self._taken = None
        while not self._unsent:
            self._all_sent.set()
            self._news.clear()
            await self._news.wait()
        topic = next(iter(self._unsent))
        del self._unsent[topic]
        self._taken = topic
        return topic, self._messages[topic]

    async def settled(self) -> None:
        """Wait until the broker has everything."""
        await self._all_sent.wait()

    def _mark(self, topic: str) -> None:
        self._unsent[topic] = None
        self._all_sent.clear()
        self._news.set()
