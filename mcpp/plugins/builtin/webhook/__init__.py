"""Posts events to URLs as signed JSON; see docs/plugins/webhook.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from mcpp.domain.events import Event
from mcpp.plugins import Site, hookimpl
from mcpp.plugins.builtin.webhook.post import Post
from mcpp.plugins.builtin.webhook.receiver import Delivery, Receiver, backoff
from mcpp.plugins.builtin.webhook.settings import WebhookSettings, signing_key
from mcpp.reads.event_json import event_name

_FLUSH_SECONDS: Final = 3.0
"""What the server's end may wait for the last deliveries."""


class _Target(NamedTuple):
    post: Post
    receiver: Receiver


class Webhook:
    """The plugin. A hook only puts the event into a queue in memory; what waits there is lost when the server ends."""

    def __init__(
        self,
        settings: WebhookSettings | None = None,
        *,
        backoff: Callable[[int], float] = backoff,
        flush_seconds: float = _FLUSH_SECONDS,
    ) -> None:
        """Settings come from the environment where none are given. Raises ValidationError."""
        self._settings = settings or WebhookSettings()
        self._backoff = backoff
        self._flush_seconds = flush_seconds
        self._targets: Sequence[_Target] = ()

    @property
    def waiting(self) -> int:
        """How many deliveries are under way or wait, for all URLs together."""
        return sum(target.receiver.waiting for target in self._targets)

    @hookimpl
    async def server_started(self, site: Site) -> None:
        """Get ready; nothing is sent before there is an event."""
        key = signing_key(self._settings.secret.get_secret_value())
        posts = [Post(url.get_secret_value(), key, self._settings.timeout, site.now) for url in self._settings.urls]
        self._targets = [
            _Target(
                post,
                Receiver(
                    post,
                    site.log.bind(receiver=post.name),
                    tries=self._settings.tries,
                    queue_limit=self._settings.queue_limit,
                    backoff=self._backoff,
                ),
            )
            for post in posts
        ]

    @hookimpl
    def event_published(self, event: Event) -> None:
        """Post it, if it's one of those wanted."""
        if event_name(type(event)) not in self._settings.events:
            return
        delivery = Delivery.of(event)
        for target in self._targets:
            target.receiver.put(delivery)

    @hookimpl
    async def server_stopping(self) -> None:
        """Try what waits for a last time."""
        await asyncio.gather(*(target.receiver.close(self._flush_seconds) for target in self._targets))
        for target in self._targets:
            await target.post.close()
