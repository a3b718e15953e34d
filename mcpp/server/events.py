"""The event bus: every event goes to those who want its kind, and one that nobody wants needn't be made."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from mcpp.bounds import RECENT_EVENTS
from mcpp.domain.events import Event, Subscriber, size_of
from mcpp.telemetry.logs.pipeline import get_logger

MOST_RECENT: Final = 1000
"""Events that are kept for who reads them later."""


class Events:
    """Keeps the last events, and hands each to the subscribers that want its kind.

    A subscriber that fails harms neither the others nor the charger. All of them get all events in the same order.
    Used on the event loop only. Implements `mcpp.api.event_stream.RecentEvents`.
    """

    def __init__(self, most_recent: int = MOST_RECENT, most_bytes: int = RECENT_EVENTS) -> None:
        """`most_bytes`: of the events that are kept, by `size_of`; the last one is kept whatever its size."""
        self.recent: deque[Event] = deque(maxlen=most_recent)
        self._most_bytes = most_bytes
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self.count = 0
        """How many events there were; the last one of `recent` has this number."""
        self.wanted: Final = _Wanted(self._is_wanted)
        """By kind, whether anybody would miss such an event; where nobody would, its producer needn't make it."""
        self._subscribers: list[Subscriber] = []
        self._by_kind: dict[type[Event], tuple[Subscriber, ...]] = {}
        """Found at the first event of a kind; a plugin may publish kinds of its own."""
        self._watchers: set[Callable[[], None]] = set()
        self._all_are_wanted = False
        self._publishing = False

    def subscribe(self, *subscribers: Subscriber) -> None:
        """Hand events to these, too, from the next one on, after those that subscribed before."""
        self._subscribers += subscribers
        self._settle()

    def want_all(self) -> None:
        """Have every event made from now on: whoever has read may come back and ask what came since."""
        self._all_are_wanted = True
        self._settle()

    def watch(self, wake: Callable[[], None]) -> None:
        """Call this whenever `recent` has got something new, until `unwatch`."""
        self._watchers.add(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """No longer call it."""
        self._watchers.discard(wake)

    def publish(self, events: Iterable[Event]) -> None:
        """Hand over events in their order; those that a subscriber publishes meanwhile follow in a later turn."""
        if self._publishing:
            asyncio.get_running_loop().call_soon(self.publish, tuple(events))
            return
        self._publishing = True
        try:
            for event in events:
                self._keep(event)
                for subscriber in self._by_kind.get(type(event)) or self._wanting(type(event)):
                    try:
                        subscriber(event)
                    except Exception:  # noqa: BLE001  whatever a subscriber does, the others get the event
                        get_logger().exception("subscriber_failed", subscriber=repr(subscriber))
                if self.count == self.recent.maxlen:
                    self._settle()
        finally:
            self._publishing = False
        for wake in self._watchers:
            wake()

    def _keep(self, event: Event) -> None:
        size = size_of(event)
        self.recent.append(event)
        self._sizes.append(size)
        self._bytes += size
        self.count += 1
        while len(self._sizes) > len(self.recent) or (self._bytes > self._most_bytes and len(self.recent) > 1):
            self._bytes -= self._sizes.popleft()
            if len(self.recent) > len(self._sizes):
                self.recent.popleft()

    def _is_wanted(self, kind: type[Event]) -> bool:
        # While `recent` has all that ever happened, who reads it later gets all of it, whoever else wants it.
        is_complete = self.count < (self.recent.maxlen or 0)
        return self._all_are_wanted or is_complete or bool(self._wanting(kind))

    def _wanting(self, kind: type[Event]) -> tuple[Subscriber, ...]:
        found = self._by_kind.get(kind)
        if found is None:
            found = tuple(subscriber for subscriber in self._subscribers if issubclass(kind, subscriber.kinds))
            self._by_kind[kind] = found
        return found

    def _settle(self) -> None:
        """Ask anew who wants what."""
        self._by_kind.clear()
        self.wanted.clear()


class _Wanted(dict[type[Event], bool]):
    """Found at the first question after a change."""

    def __init__(self, is_wanted: Callable[[type[Event]], bool]) -> None:
        super().__init__()
        self._is_wanted = is_wanted

    def __missing__(self, kind: type[Event]) -> bool:
        wanted = self[kind] = self._is_wanted(kind)
        return wanted
