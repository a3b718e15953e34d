"""The events that plugins see, kept for those who read them over HTTP (server-sent events, WHATWG HTML §9.2).

The event bus keeps the last events for all readers. A reader has a place among them and no buffer of its own: one that
is overtaken is cut off, comes back with the id of its last event, and gets a `gap` first.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import orjson

from mcpp.api.callers import Caller
from mcpp.bounds import EVENT_STREAMS, RECENT_EVENTS
from mcpp.domain.events import Event
from mcpp.reads.event_json import event_json, event_name

HEARTBEAT_SECONDS: Final = 15.0

_HEARTBEAT: Final = b": heartbeat\n\n"

_BYTES_AT_ONCE: Final = 64 * 1024
"""After so many a write to a reader goes out, so that what is in hand for him stays small."""

_APART: Final = 0.003
_MOST_APART: Final = 16
"""Seconds between what readers get who gather events, and how many of them: pages ask for something then."""


Kinds: TypeAlias = frozenset[type[Event]]


class TooManyReaders(Exception):
    """As many streams are open as may be."""


class RecentEvents(Protocol):
    """The last events, as the event bus keeps them."""

    @property
    def recent(self) -> Sequence[Event]: ...
    @property
    def count(self) -> int:
        """How many events there were; the last one of `recent` has this number."""
        ...

    def want(self, kinds: Kinds | None) -> None:
        """Have events of these kinds made from now on, None for all."""
        ...

    def complete_since(self, kinds: Kinds | None) -> int:
        """Behind which number no event of these kinds was left unmade, since nobody wanted it."""
        ...

    def watch(self, wake: Callable[[int], None], wants: Callable[[Event], bool] | None) -> None:
        """Call `wake` whenever `recent` has got something new that `wants` says yes to, None for all.

        It's called with a number: nothing before it is new and wanted.
        """
        ...

    def unwatch(self, wake: Callable[[int], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a reader gets; None: all."""

    kinds: Kinds | None = None
    charge_point_ids: frozenset[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through."""
        return self.kinds is None and self.charge_point_ids is None

    def lets_through(self, event: Event) -> bool:
        """Whether a reader gets this one."""
        if self.kinds is not None and type(event) not in self.kinds:
            return False
        return self.charge_point_ids is None or event.charge_point_id in self.charge_point_ids


EVERYTHING: Final = EventFilter()


class EventStream:
    """The readers of the last events. Used on the event loop only."""

    def __init__(self, events: RecentEvents, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        """`heartbeat` in seconds."""
        self._events = events
        self._heartbeat = heartbeat
        # Ids go up over restarts, too.
        self._epoch = f"{time.time_ns() // 1_000_000:x}"
        self._waiting: set[asyncio.Event] = set()
        self._readers = 0
        self._encoded: dict[int, bytes] = {}
        """What any reader has got already, by number: each event is encoded once for all of them."""
        self._encoded_bytes = 0
        self._closed = False

    def close(self) -> None:
        """End all streams, so that the server's end needn't wait for them."""
        self._closed = True
        for news in self._waiting:
            news.set()

    def read(
        self,
        last_event_id: str | None = None,
        wanted: EventFilter = EVERYTHING,
        caller: Caller | None = None,
        gather: float = 0.0,
    ) -> AsyncGenerator[bytes, None]:
        """A stream of what happens from now on, or after an event, in chunks of text/event-stream.

        Where events may have been missed since `last_event_id`, the first one is `gap`. Ends when the reader is too
        slow, and when the `caller` may ask no more. Where `gather` is given, what came within so many seconds comes at
        once, to all such readers within a few milliseconds. Raises TooManyReaders.
        """
        if self._readers >= EVENT_STREAMS:
            raise TooManyReaders(f"{EVENT_STREAMS} streams are open already")
        self._events.want(wanted.kinds)
        position = self._events.count
        gap = False
        if last_event_id is not None:
            known = self._number_of(last_event_id)
            position = max(self._oldest() - 1, known or 0)
            gap = position != known or position < self._events.complete_since(wanted.kinds)
        return self._read(position, _gap(last_event_id or "") if gap else b"", caller, wanted, gather)

    async def _read(
        self, position: int, chunk: bytes, caller: Caller | None, wanted: EventFilter, gather: float
    ) -> AsyncGenerator[bytes, None]:
        if self._readers >= EVENT_STREAMS:
            return  # others came in the same moment
        events, news = self._events, _News()
        self._readers += 1
        apart = self._readers % _MOST_APART * _APART
        self._waiting.add(news.came)
        events.watch(news.wake, None if wanted.is_open else wanted.lets_through)
        if caller is not None:
            caller.watch(news.came.set)
        is_behind = position < events.count
        try:
            if chunk:
                yield chunk
            while not self._is_over(caller):
                if not is_behind:
                    if news.first is None:
                        # Nothing of what came since is wanted.
                        position = events.count
                        if not await self._wait(news.came):
                            yield _HEARTBEAT if wanted.is_open else self._place(position)
                        continue
                    if gather:
                        await asyncio.sleep(gather - asyncio.get_running_loop().time() % gather + apart)
                        if self._is_over(caller):
                            return
                    position, news.first = max(position, news.first - 1), None
                if position < self._oldest() - 1:
                    return
                parts: list[bytes] = []
                size = 0
                while position < events.count and size < _BYTES_AT_ONCE:
                    position += 1
                    if wanted.lets_through(events.recent[position - self._oldest()]):
                        parts.append(self._encode(position))
                        size += len(parts[-1])
                is_behind = position < events.count
                if parts:
                    yield b"".join(parts)
        finally:
            self._readers -= 1
            events.unwatch(news.wake)
            if caller is not None:
                caller.unwatch(news.came.set)
            self._waiting.discard(news.came)

    async def _wait(self, news: asyncio.Event) -> bool:
        """Wait for something new; False where nothing came in time."""
        news.clear()
        try:
            async with asyncio.timeout(self._heartbeat):
                await news.wait()
        except TimeoutError:
            return False
        return True

    def _place(self, number: int) -> bytes:
        """A heartbeat that moves a reader's id, without an event, beyond what he doesn't want."""
        return b": heartbeat\nid: " + self._id(number).encode() + b"\n\n"

    def _id(self, number: int) -> str:
        return f"{self._epoch}-{number}"

    def _is_over(self, caller: Caller | None) -> bool:
        return self._closed or (caller is not None and caller.is_ended)

    def _oldest(self) -> int:
        """The number of the oldest event that is kept."""
        return self._events.count - len(self._events.recent) + 1

    def _number_of(self, event_id: str) -> int | None:
        """The number of an event of this process; None for an id that isn't one."""
        match = re.fullmatch(rf"{self._epoch}-([0-9]{{1,18}})", event_id)
        number = int(match[1]) if match else self._events.count + 1
        return number if number <= self._events.count else None

    def _encode(self, number: int) -> bytes:
        known = self._encoded.get(number)
        if known is not None:
            return known
        event = self._events.recent[number - self._oldest()]
        encoded = _message(event_name(type(event)), event_json(event), self._id(number))
        self._encoded[number] = encoded
        self._encoded_bytes += len(encoded)
        # Numbers are asked for in their order by nearly all readers, so the first ones go.
        while self._encoded_bytes > RECENT_EVENTS or len(self._encoded) > len(self._events.recent):
            self._encoded_bytes -= len(self._encoded.pop(next(iter(self._encoded))))
        return encoded


class _News:
    """What a reader hasn't looked at yet."""

    __slots__ = ("came", "first")

    def __init__(self) -> None:
        self.came: Final = asyncio.Event()
        self.first: int | None = None
        """Nothing before this number is new and wanted; None where nothing is."""

    def wake(self, first: int) -> None:
        """Something new that the reader wants has come."""
        if self.first is None:
            self.first = first
        self.came.set()


def _gap(last_event_id: str) -> bytes:
    return _message("gap", orjson.dumps({"event": "gap", "last_event_id": last_event_id}))


_LINE_ENDS: Final = tuple((end.encode(), f"\\u{ord(end):04x}".encode()) for end in "\x85\u2028\u2029")
"""Of programs that know more of them than JSON and event streams do."""


def _on_one_line(data: bytes) -> bytes:
    if not data.isascii():
        for end, escape in _LINE_ENDS:
            data = data.replace(end, escape)
    return data


def _message(name: str, data: bytes, event_id: str | None = None) -> bytes:
    identified = f"id: {event_id}\n" if event_id is not None else ""
    return f"event: {name}\n{identified}data: ".encode() + _on_one_line(data) + b"\n\n"
