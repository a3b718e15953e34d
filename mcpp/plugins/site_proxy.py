"""The Site of a plugin that runs in a thread of its own: each request goes to the server's loop, at a limited rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.operations import ChangeOutcome, Operations
from mcpp.domain.events import Event
from mcpp.domain.memory import NO_EVSE
from mcpp.plugins.local_site import LocalSite
from mcpp.plugins.site import ChargePointState, Scheduled
from mcpp.reads.attention import Attention

T = TypeVar("T")

_REQUESTS_PER_SECOND: Final = 100
_REQUESTS_AT_ONCE: Final = 200
"""What a plugin may request in a moment; those beyond wait, so that a flood costs the server little."""


class TooManyEvents(Exception):
    """The plugin publishes faster than the server takes events of it."""


class RateLimit:
    """So many requests per second, `burst` of them at once (the generic cell rate algorithm)."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._tolerance = burst * self._interval
        self._due = 0.0

    def allows(self) -> bool:
        """Whether a request may go now; counts it if so."""
        now = time.monotonic()
        due = max(self._due, now)
        if due - now > self._tolerance:
            return False
        self._due = due + self._interval
        return True

    async def wait(self) -> None:
        """Wait until a request may go, in the order of the calls."""
        now = time.monotonic()
        self._due = max(self._due, now) + self._interval
        delay = self._due - now - self._tolerance
        if delay > 0:
            await asyncio.sleep(delay)


class ServerLoop:
    """The server's loop as a plugin's thread reaches it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._requests = RateLimit(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE)
        self._events = RateLimit(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE)
        self._commanding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Run something there and wait for what it returns or raises."""
        await self._requests.wait()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._loop))

    async def command(self, charge_point_id: str, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """As `run`, for a command: one at a time for each charge point, so that its queue stays free for people."""
        lock = self._commanding.setdefault(charge_point_id, asyncio.Lock())
        async with lock:
            return await self.run(work)

    def publish(self, publish: Callable[[Event], None], event: Event) -> None:
        """Publish an event there. Raises TooManyEvents."""
        if not self._events.allows():
            raise TooManyEvents(f"more than {_REQUESTS_PER_SECOND} events in a second")
        self._loop.call_soon_threadsafe(publish, event)


class SiteProxy:
    """Implements `mcpp.plugins.site.Site`."""

    def __init__(self, local: LocalSite, server: ServerLoop) -> None:
        self._local = local
        self._server = server
        self._verbs = OperationsProxy(local.verbs, server)

    @property
    def log(self) -> FilteringBoundLogger:
        return self._local.log

    @property
    def verbs(self) -> Operations:
        return self._verbs

    def now(self) -> datetime:
        return self._local.now()

    async def send(
        self, charge_point_id: str, action: str, payload: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        return await self._server.command(charge_point_id, lambda: self._local.send(charge_point_id, action, payload))

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        return await self._server.run(lambda: self._local.charge_point(charge_point_id))

    async def charge_points(self) -> Sequence[ChargePointState]:
        return await self._server.run(self._local.charge_points)

    async def attention(self) -> Sequence[Attention]:
        return await self._server.run(self._local.attention)

    def publish(self, event: Event) -> None:
        self._server.publish(self._local.publish, event)

    async def remember(self, key: str, value: JsonValue) -> None:
        await self._server.run(lambda: self._local.remember(key, value))

    async def recall(self) -> Mapping[str, JsonValue]:
        return await self._server.run(self._local.recall)

    def schedule(self, seconds: float, job: Callable[[], Awaitable[None]]) -> Scheduled:
        # A job runs in the plugin's own loop.
        return self._local.schedule(seconds, job)


class OperationsProxy:
    """Implements `mcpp.csms.operations.Operations`."""

    def __init__(self, operations: Operations, server: ServerLoop) -> None:
        self._operations = operations
        self._server = server

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = NO_EVSE) -> bool:
        return await self._server.command(
            charge_point_id, lambda: self._operations.remote_start(charge_point_id, connector_id, id_tag, evse_id)
        )

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        return await self._server.command(
            charge_point_id, lambda: self._operations.remote_stop(charge_point_id, transaction_id)
        )

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        return await self._server.command(
            charge_point_id, lambda: self._operations.get_configuration(charge_point_id, keys)
        )

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        return await self._server.command(
            charge_point_id, lambda: self._operations.change_configuration(charge_point_id, key, value)
        )

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = NO_EVSE
    ) -> bool:
        return await self._server.command(
            charge_point_id, lambda: self._operations.limit_current(charge_point_id, connector_id, amperes, evse_id)
        )
