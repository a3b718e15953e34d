"""The Site of plugins that run in a thread of their own: each request crosses to the server's loop, at a pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.operations import ChangeOutcome, Operations
from mcpp.domain.events import Event
from mcpp.plugins.local_site import LocalSite
from mcpp.plugins.pace import Pace
from mcpp.plugins.site import ChargePointState, Scheduled

T = TypeVar("T")

_REQUESTS_PER_SECOND: Final = 100
_REQUESTS_AT_ONCE: Final = 200
"""What a plugin may ask in a moment; those beyond wait, so that a flood costs the server little."""


class TooManyEvents(Exception):
    """The plugin publishes faster than the server cares to tell."""


class Crossing:
    """From a plugin's thread to the server's loop and back."""

    def __init__(self, server: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._pace = Pace(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE)
        self._publishing = Pace(_REQUESTS_PER_SECOND, _REQUESTS_AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Have the server do something and wait for what it gives or raises."""
        await self._pace.turn()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._server))

    async def command(self, charge_point_id: str, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """As `ask`, for a command: one at a time for each charge point, so that its queue stays free for people."""
        turn = self._turns.setdefault(charge_point_id, asyncio.Lock())
        async with turn:
            return await self.ask(work)

    def publish(self, publish: Callable[[Event], None], event: Event) -> None:
        """Have the server publish an event. Raises TooManyEvents."""
        if not self._publishing.allows():
            raise TooManyEvents(f"more than {_REQUESTS_PER_SECOND} events in a second")
        self._server.call_soon_threadsafe(publish, event)


class DistantSite:
    """Implements `mcpp.plugins.site.Site`."""

    def __init__(self, local: LocalSite, crossing: Crossing) -> None:
        self._local = local
        self._crossing = crossing
        self._verbs = DistantVerbs(local.verbs, crossing)

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
        return await self._crossing.command(charge_point_id, lambda: self._local.send(charge_point_id, action, payload))

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        return await self._crossing.ask(lambda: self._local.charge_point(charge_point_id))

    async def charge_points(self) -> Sequence[ChargePointState]:
        return await self._crossing.ask(self._local.charge_points)

    def publish(self, event: Event) -> None:
        self._crossing.publish(self._local.publish, event)

    async def remember(self, key: str, value: JsonValue) -> None:
        await self._crossing.ask(lambda: self._local.remember(key, value))

    async def recall(self) -> Mapping[str, JsonValue]:
        return await self._crossing.ask(self._local.recall)

    def schedule(self, seconds: float, job: Callable[[], Awaitable[None]]) -> Scheduled:
        # A job runs in the plugin's own loop.
        return self._local.schedule(seconds, job)


class DistantVerbs:
    """Implements `mcpp.csms.operations.Operations`."""

    def __init__(self, verbs: Operations, crossing: Crossing) -> None:
        self._verbs = verbs
        self._crossing = crossing

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str) -> bool:
        return await self._command(
            charge_point_id, lambda: self._verbs.remote_start(charge_point_id, connector_id, id_tag)
        )

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        return await self._command(charge_point_id, lambda: self._verbs.remote_stop(charge_point_id, transaction_id))

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        return await self._command(charge_point_id, lambda: self._verbs.get_configuration(charge_point_id, keys))

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        return await self._command(
            charge_point_id, lambda: self._verbs.change_configuration(charge_point_id, key, value)
        )

    async def limit_current(self, charge_point_id: str, connector_id: int, amperes: Decimal | None) -> bool:
        return await self._command(
            charge_point_id, lambda: self._verbs.limit_current(charge_point_id, connector_id, amperes)
        )

    async def _command(self, charge_point_id: str, work: Callable[[], Coroutine[object, object, T]]) -> T:
        return await self._crossing.command(charge_point_id, work)
