"""A `Site` whose clock a test moves, and which remembers what a plugin says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.operations import Operations
from mcpp.domain.events import Event
from mcpp.plugins import ChargePointState
from mcpp.reads.attention import MOST_ITEMS, Attention

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

Job = Callable[[], Awaitable[None]]


def charge_point(charge_point_id: str, *, connected: bool = False, accepted: bool = True) -> ChargePointState:
    return ChargePointState(
        charge_point_id=charge_point_id,
        connected=connected,
        accepted=accepted,
        vendor=None,
        model=None,
        firmware_version=None,
        auto_start=None,
        connectors=(),
    )


@dataclass
class Entry:
    due: datetime
    job: Job
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class SiteByHand:
    def __init__(self, *charge_points: ChargePointState) -> None:
        self.states = {state.charge_point_id: state for state in charge_points}
        self.attentions: list[Attention] = []
        self.published: list[Event] = []
        self.commands: list[tuple[str, str, Mapping[str, JsonValue]]] = []
        self.memory: dict[str, JsonValue] = {}
        self.clock = START
        self._entries: list[Entry] = []
        capture = structlog.testing.LogCapture()
        self.lines: list[MutableMapping[str, Any]] = capture.entries
        self._line_written = asyncio.Event()
        self.log = cast(
            "FilteringBoundLogger",
            structlog.wrap_logger(
                None,
                processors=[self._wake, capture],
                wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
                context_class=dict,
            ),
        )

    def _wake(self, _: object, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self._line_written.set()
        return fields

    async def line(self, event: str) -> MutableMapping[str, Any]:
        """The first log line of this name, as soon as there is one."""
        async with asyncio.timeout(10):
            while True:
                for line in self.lines:
                    if line["event"] == event:
                        return line
                self._line_written.clear()
                await self._line_written.wait()

    def named(self, event: str) -> Sequence[MutableMapping[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    @property
    def verbs(self) -> Operations:
        raise NotImplementedError

    def now(self) -> datetime:
        return self.clock

    async def send(
        self, charge_point_id: str, action: str, payload: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        self.commands.append((charge_point_id, action, payload))
        return {"status": "Accepted"}

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        return self.states.get(charge_point_id)

    async def charge_points(self) -> Sequence[ChargePointState]:
        return list(self.states.values())

    async def attention(self) -> Sequence[Attention]:
        return self.attentions[:MOST_ITEMS]

    def publish(self, event: Event) -> None:
        self.published.append(event)

    async def remember(self, key: str, value: JsonValue) -> None:
        self.memory.pop(key, None)
        if value is not None:
            self.memory[key] = value

    async def recall(self) -> Mapping[str, JsonValue]:
        return dict(self.memory)

    def schedule(self, seconds: float, job: Job) -> Entry:
        entry = Entry(self.clock + timedelta(seconds=seconds), job)
        self._entries.append(entry)
        return entry

    def restart(self) -> None:
        """What a restart of the server leaves: the books and the clock."""
        self._entries.clear()

    async def let_pass(self, seconds: float) -> None:
        """Move the clock, and run on the way what is due, each at its time."""
        until = self.clock + timedelta(seconds=seconds)
        while due := sorted((e for e in self._entries if not e.cancelled and e.due <= until), key=lambda e: e.due):
            self._entries.remove(due[0])
            self.clock = due[0].due
            await due[0].job()
        self.clock = until
