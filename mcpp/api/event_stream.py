"""The events that plugins see, kept for those who read them over HTTP (server-sent events, WHATWG HTML §9.2).

One ring holds the last events for all readers. A reader has a place in it and no buffer of its own: who is overtaken
by the ring is cut off, comes back with the id of the last event he has, and is told that there's a gap.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final

import orjson

from mcpp.domain.events import Event
from mcpp.reads.event_json import event_json, event_name

RING_SIZE: Final = 1000
"""Events that a reader may be behind, or have been away for."""

HEARTBEAT_SECONDS: Final = 15.0

_HEARTBEAT: Final = b": heartbeat\n\n"

_EVENTS_AT_ONCE: Final = 100
"""Most events of one write to a reader, so that what is in hand for him stays small."""


class EventStream:
    """A subscriber of the domain's events, and the readers of what it keeps. Used on the event loop only."""

    def __init__(self, ring_size: int = RING_SIZE, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        """`heartbeat` in seconds."""
        self._ring: deque[Event] = deque(maxlen=ring_size)
        self._heartbeat = heartbeat
        # Ids go up over restarts, too.
        self._epoch = f"{time.time_ns() // 1_000_000:x}"
        self._count = 0
        """How many events there were; the ring's last one has this number."""
        self._waiting: set[asyncio.Event] = set()
        self._closed = False
        self._was_read = False
        self._wants_all = True

    @property
    def wants_all(self) -> bool:
        """Whether an event that nobody else wants must be made for the stream.

        So it is once somebody has read, since he may come back with an id; and from the start on while the ring holds
        all that happened, for a reader from before a restart. Else the stream keeps what is made for others.
        """
        return self._wants_all

    def __call__(self, event: Event) -> None:
        """Keep an event and wake the readers."""
        self._ring.append(event)
        self._count += 1
        if self._waiting:
            self._wake()
        if self._count == self._ring.maxlen and not self._was_read:
            self._wants_all = False

    def close(self) -> None:
        """End all streams, so that the server's end needn't wait for them."""
        self._closed = True
        self._wake()

    def read(self, last_event_id: str | None = None) -> AsyncGenerator[bytes, None]:
        """A stream of what happens from now on, or after an event, in chunks of text/event-stream.

        Where events have been missed since `last_event_id`, the first one is `gap`. Ends when the reader is too slow.
        """
        self._was_read = self._wants_all = True
        position = self._count
        gap = False
        if last_event_id is not None:
            known = self._number_of(last_event_id)
            position = self._oldest() - 1 if known is None or known < self._oldest() - 1 else known
            gap = position != known
        return self._read(position, _gap(last_event_id or "") if gap else b"")

    async def _read(self, position: int, chunk: bytes) -> AsyncGenerator[bytes, None]:
        news = asyncio.Event()
        self._waiting.add(news)
        try:
            if chunk:
                yield chunk
            while not self._closed and position >= self._oldest() - 1:
                if position == self._count:
                    if not await self._wait(news):
                        yield _HEARTBEAT
                    continue
                first, position = position + 1, min(position + _EVENTS_AT_ONCE, self._count)
                yield b"".join(self._encode(number) for number in range(first, position + 1))
        finally:
            self._waiting.discard(news)

    async def _wait(self, news: asyncio.Event) -> bool:
        """Wait for something new; False where nothing came in time."""
        news.clear()
        try:
            async with asyncio.timeout(self._heartbeat):
                await news.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()

    def _oldest(self) -> int:
        """The number of the oldest event in the ring."""
        return self._count - len(self._ring) + 1

    def _number_of(self, event_id: str) -> int | None:
        """The number of an event of this process; None for an id that isn't one."""
        match = re.fullmatch(rf"{self._epoch}-([0-9]{{1,18}})", event_id)
        number = int(match[1]) if match else self._count + 1
        return number if number <= self._count else None

    def _encode(self, number: int) -> bytes:
        event = self._ring[number - self._oldest()]
        return _message(event_name(type(event)), event_json(event), f"{self._epoch}-{number}")


def _gap(last_event_id: str) -> bytes:
    return _message("gap", orjson.dumps({"event": "gap", "last_event_id": last_event_id}))


def _message(name: str, data: bytes, event_id: str | None = None) -> bytes:
    identified = f"id: {event_id}\n" if event_id is not None else ""
    return f"event: {name}\n{identified}data: ".encode() + data + b"\n\n"
