"""The event bus: every event goes to those who want its kind, and one that nobody wants needn't be made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from mcpp.api.event_stream import EventStream
from mcpp.domain.events import Event, Subscriber
from mcpp.telemetry.logs.pipeline import get_logger


class Events:
    """Hands events to the event stream, which keeps them all, and to the subscribers that want their kind.

    A subscriber that fails harms neither the others nor the charger. All of them get all events in the same order.
    Used on the event loop only.
    """

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._subscribers: list[Subscriber] = []
        self._by_kind: dict[type[Event], tuple[Subscriber, ...]] = {}
        """Found at the first event of a kind; a plugin may publish kinds of its own."""
        self._publishing = False

    def subscribe(self, *subscribers: Subscriber) -> None:
        """Hand events to these, too, from the next one on, after those that subscribed before."""
        self._subscribers += subscribers
        self._by_kind.clear()

    def unsubscribe_all(self) -> None:
        """Hand events to nobody but the event stream."""
        self._subscribers.clear()
        self._by_kind.clear()

    def wants(self, kind: type[Event]) -> bool:
        """Whether anybody would miss an event of this kind; where nobody would, its producer needn't make it."""
        return self._stream.wants_all or bool(self._wanting(kind))

    def publish(self, events: Iterable[Event]) -> None:
        """Hand over events in their order; those that a subscriber publishes meanwhile follow in a later turn."""
        if self._publishing:
            asyncio.get_running_loop().call_soon(self.publish, tuple(events))
            return
        self._publishing = True
        try:
            for event in events:
                self._stream(event)
                for subscriber in self._wanting(type(event)):
                    try:
                        subscriber(event)
                    except Exception:  # noqa: BLE001  whatever a subscriber does, the others get the event
                        get_logger().exception("subscriber_failed", subscriber=repr(subscriber))
        finally:
            self._publishing = False

    def _wanting(self, kind: type[Event]) -> tuple[Subscriber, ...]:
        found = self._by_kind.get(kind)
        if found is None:
            found = tuple(subscriber for subscriber in self._subscribers if issubclass(kind, subscriber.kinds))
            self._by_kind[kind] = found
        return found
