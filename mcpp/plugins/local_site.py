"""The Site of plugins that run on the server's loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import aiosqlite
import structlog
from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.commands import Commands
from mcpp.csms.live import LiveChargePoints
from mcpp.csms.operations import Operations
from mcpp.domain import charge_points, plugin_memory
from mcpp.domain.events import Event
from mcpp.ocppj.actions import encode
from mcpp.plugins.site import ChargePointState, ConnectorState, Scheduled
from mcpp.storage.database import Readers
from mcpp.storage.writer import WriteFailed, Writer
from mcpp_generated.db import models, readers
from mcpp_generated.db.enums import Availability, ReservationState
from mcpp_generated.db.queries import Queries

_PAGE: Final = 500
_RESERVATIONS: Final = 100_000
"""More than there can be connectors."""

_LAST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteServices:
    """The parts of the server that a Site is made of."""

    live: LiveChargePoints
    commands: Commands
    verbs: Operations
    readers: Readers
    writer: Writer[Queries]
    publish: Callable[[Iterable[Event]], None]


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
        return datetime.now(UTC)

    async def send(
        self, charge_point_id: str, action: str, payload: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        text = json.dumps(payload, separators=(",", ":")).encode()
        exchange = await self._services.commands.send(charge_point_id, action, text)
        answer: dict[str, JsonValue] = json.loads(encode(exchange.response))
        return answer

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        async with self._services.readers.connection() as connection:
            rows = await readers.get_charge_points(connection, identities=[charge_point_id])
            if not rows:
                return None
            reservations = await readers.list_reservations_of_charge_point_by_status(
                connection,
                charge_point_id=charge_point_id,
                status=ReservationState.ACCEPTED,
                expires_after=self.now(),
                before_id=_LAST,
                page_size=_PAGE,
            )
            (state,) = await self._states(connection, rows, reservations)
            return state

    async def charge_points(self) -> Sequence[ChargePointState]:
        states: list[ChargePointState] = []
        after = ""
        async with self._services.readers.connection() as connection:
            reservations = await readers.list_reservations_by_status(
                connection,
                status=ReservationState.ACCEPTED,
                expires_after=self.now(),
                before_id=_LAST,
                page_size=_RESERVATIONS,
            )
            while identities := await readers.list_identities(connection, after=after, page_size=_PAGE):
                rows = await readers.get_charge_points(connection, identities=identities)
                states += await self._states(connection, rows, reservations)
                after = identities[-1]
        return states

    def ask_auto_start(self, charge_point_id: str, answer: Callable[[bool | None], None]) -> None:
        """For the plugin `auto_start` alone, see there."""

        def call_back(asked: asyncio.Future[bool | None]) -> None:
            try:
                auto_start = asked.result()
            except WriteFailed:
                auto_start = True
            answer(auto_start)

        self._services.writer.submit(charge_points.get_auto_start, charge_point_id).add_done_callback(call_back)

    def publish(self, event: Event) -> None:
        self._services.publish((event,))

    async def remember(self, key: str, value: JsonValue) -> None:
        await self._services.writer.submit(plugin_memory.remember, self._plugin, key, value)

    async def recall(self) -> Mapping[str, JsonValue]:
        return await self._services.writer.submit(plugin_memory.recall, self._plugin)

    def schedule(self, seconds: float, job: Callable[[], Awaitable[None]]) -> Scheduled:
        return self._schedule(seconds, job)

    async def _states(
        self,
        connection: aiosqlite.Connection,
        rows: Sequence[models.ChargePoint],
        reservations: Sequence[models.ReservationRecord],
    ) -> list[ChargePointState]:
        reserved_for = {(r.charge_point_id, r.connector_id): r.id_tag for r in reservations}
        identities = {row.id: row.identity for row in rows}
        connectors: dict[int, list[ConnectorState]] = {key: [] for key in identities}
        for connector in await readers.list_connectors(connection, charge_point_ids=list(identities)):
            reservation = reserved_for.get((identities[connector.charge_point_id], connector.connector_id))
            connectors[connector.charge_point_id].append(_connector(connector, reservation))
        return [
            _charge_point(row, connectors[row.id], connected=self._services.live.connected(row.identity))
            for row in rows
        ]


def _connector(row: models.ListConnectorsRow, reserved_for: str | None) -> ConnectorState:
    return ConnectorState(
        connector_id=row.connector_id,
        status=row.status,
        error_code=row.error_code,
        status_at=row.status_at,
        transaction_id=row.transaction_id,
        inoperative=row.ordered_availability is Availability.INOPERATIVE,
        reserved_for=reserved_for,
        session_correlation_id=row.session_correlation_id,
    )


def _charge_point(
    row: models.ChargePoint, connectors: Sequence[ConnectorState], *, connected: bool
) -> ChargePointState:
    return ChargePointState(
        charge_point_id=row.identity,
        connected=connected,
        accepted=row.boot_accepted_at is not None,
        vendor=row.vendor,
        model=row.model,
        firmware_version=row.firmware_version,
        auto_start=row.auto_start,
        connectors=connectors,
    )
