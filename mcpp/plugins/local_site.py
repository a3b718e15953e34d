"""The Site of plugins that run on the server's loop."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import structlog
from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.commands import Commands
from mcpp.csms.operations import Operations
from mcpp.domain import charge_points, plugin_memory
from mcpp.domain.events import Event
from mcpp.ocppj.actions import encode
from mcpp.plugins.site import ChargePointState, Scheduled
from mcpp.reads.attention import Attention
from mcpp.reads.charge_points import ChargePoints
from mcpp.storage.pending import Pending, WriteFailed
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteServices:
    """The parts of the server that a Site is made of."""

    charge_points: ChargePoints
    commands: Commands
    verbs: Operations
    writer: Writer[Queries]
    publish: Callable[[Iterable[Event]], None]
    now: Callable[[], datetime]
    attention: Callable[[], Awaitable[Sequence[Attention]]]


class LocalSite:
    """Implements `mcpp.plugins.site.Site`."""

    def __init__(
        self,
        services: SiteServices,
        plugin: str,
        schedule: Callable[[float, Callable[[], Awaitable[None]]], Scheduled],
    ) -> None:
        self._services = services
        self._plugin = plugin
        self._schedule = schedule
        self._log = cast("FilteringBoundLogger", structlog.get_logger().bind(plugin=plugin))

    @property
    def log(self) -> FilteringBoundLogger:
        return self._log

    @property
    def verbs(self) -> Operations:
        return self._services.verbs

    def now(self) -> datetime:
        return self._services.now()

    async def send(
        self, charge_point_id: str, action: str, payload: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        text = json.dumps(payload, separators=(",", ":")).encode()
        exchange = await self._services.commands.send(charge_point_id, action, text)
        answer: dict[str, JsonValue] = json.loads(encode(exchange.response))
        return answer

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        return await self._services.charge_points.find(charge_point_id)

    async def charge_points(self) -> Sequence[ChargePointState]:
        return await self._services.charge_points.list_all()

    async def attention(self) -> Sequence[Attention]:
        return await self._services.attention()

    def ask_auto_start(self, charge_point_id: str, answer: Callable[[bool | None], None]) -> None:
        """For the plugin `auto_start` alone, see there."""

        def call_back(asked: Pending[bool | None]) -> None:
            try:
                auto_start = asked.result()
            except WriteFailed:
                auto_start = True
            answer(auto_start)

        asked = self._services.writer.submit_keeping(charge_points.get_auto_start, charge_point_id)
        context = copy_context()
        asked.when_committed(lambda pending: context.run(call_back, pending))

    def publish(self, event: Event) -> None:
        self._services.publish((event,))

    async def remember(self, key: str, value: JsonValue) -> None:
        await self._services.writer.submit_keeping(plugin_memory.remember, self._plugin, key, value)

    async def recall(self) -> Mapping[str, JsonValue]:
        return await self._services.writer.submit_keeping(plugin_memory.recall, self._plugin)

    def schedule(self, seconds: float, job: Callable[[], Awaitable[None]]) -> Scheduled:
        return self._schedule(seconds, job)
