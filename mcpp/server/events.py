"""The event bus: every event goes to those who want its kind, and one that nobody wants needn't be made."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, TypeAlias

from mcpp.bounds import RECENT_EVENTS
from mcpp.domain.events import Event, Subscriber, size_of
from mcpp.telemetry.logs.pipeline import get_logger

MOST_RECENT: Final = 1000
"""Events that are kept for who reads them later."""


Kinds: TypeAlias = frozenset[type[Event]]
Wants: TypeAlias = Callable[[Event], bool]


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
        self._watchers: dict[Callable[[int], None], Wants | None] = {}
        self._all_since: int | None = None
        """The number behind which every event was made, since a reader wants all; None where none does."""
        self._since: dict[type[Event], int] = {}
        """The same of the kinds that readers want."""
        self._publishing = False

    def subscribe(self, *subscribers: Subscriber) -> None:
        """Hand events to these, too, from the next one on, after those that subscribed before."""
        self._subscribers += subscribers
        self._settle()

    def want(self, kinds: Kinds | None = None) -> None:
        """Have events of these kinds made from now on, None for all: who has read may come back for what came since."""
        if kinds is None:
            if self._all_since is None:
                self._all_since = self._made_from_now_on()
                self._settle()
            return
        for kind in kinds:
            if kind not in self._since:
                self._since[kind] = 0 if self._wanting(kind) else self._made_from_now_on()
        self._settle()

    def complete_since(self, kinds: Kinds | None = None) -> int:
        """Behind which number no event of these kinds, None for any, was left unmade; they are wanted."""
        every = self._all_since
        if kinds is None:
            return self.count if every is None else every
        sinces = [self._since.get(kind, self.count) for kind in kinds]
        return max(sinces if every is None else [min(since, every) for since in sinces], default=0)

    def watch(self, wake: Callable[[int], None], wants: Wants | None = None) -> None:
        """Call `wake` whenever `recent` has got something new that `wants` says yes to, None for all, until `unwatch`.

        It's called with a number: nothing before it is new and wanted.
        """
        self._watchers[wake] = wants

    def unwatch(self, wake: Callable[[int], None]) -> None:
        """No longer call it."""
        self._watchers.pop(wake, None)

    def publish(self, events: Iterable[Event]) -> None:
        """Hand over events in their order; those that a subscriber publishes meanwhile follow in a later turn."""
        if self._publishing:
            asyncio.get_running_loop().call_soon(self.publish, tuple(events))
            return
        self._publishing = True
        first = self.count + 1
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
        if self._watchers and self.count >= first:
            self._wake(first)

    def _wake(self, first: int) -> None:
        """Tell those who watch of the events from this number on."""
        kept = list(islice(reversed(self.recent), self.count - first + 1))[::-1]
        oldest = self.count - len(kept) + 1
        for wake, wants in list(self._watchers.items()):
            # Where the first ones are gone by now, nobody knows any more who would have wanted them.
            if wants is None or oldest > first:
                wake(first)
                continue
            number = next((number for number, event in enumerate(kept, first) if wants(event)), None)
            if number is not None:
                wake(number)

    def _made_from_now_on(self) -> int:
        """The number behind which all events are there that are made as of now."""
        return 0 if self.count < (self.recent.maxlen or 0) else self.count

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
        is_asked_for = self._all_since is not None or kind in self._since
        return is_asked_for or is_complete or bool(self._wanting(kind))

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
