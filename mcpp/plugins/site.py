"""What a plugin is given: the few things that it may see and do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue
from structlog.typing import FilteringBoundLogger

from mcpp.csms.operations import Operations
from mcpp.domain.events import Event
from mcpp.reads.attention import Attention
from mcpp.reads.charge_points import ChargePointState as ChargePointState
from mcpp.reads.charge_points import ConnectorState as ConnectorState


class Scheduled(Protocol):
    """A job that waits for its time."""

    def cancel(self) -> None:
        """Forget it, unless it runs already."""
        ...


class Site(Protocol):
    """A plugin's handle on the server; each plugin has its own, and its log lines carry the plugin's name."""

    @property
    def log(self) -> FilteringBoundLogger:
        """Writes the plugin's log lines."""
        ...

    @property
    def verbs(self) -> Operations:
        """Typed commands in no OCPP version's words."""
        ...

    def now(self) -> datetime:
        """The time, UTC."""
        ...

    async def send(
        self, charge_point_id: str, action: str, payload: Mapping[str, JsonValue]
    ) -> Mapping[str, JsonValue]:
        """Send any operation, its payload in OCPP's spelling. Returns the response's; raises as `Commands.send`."""
        ...

    async def charge_point(self, charge_point_id: str) -> ChargePointState | None:
        """One charge point, None where it's unknown."""
        ...

    async def charge_points(self) -> Sequence[ChargePointState]:
        """All charge points by identity."""
        ...

    async def attention(self) -> Sequence[Attention]:
        """What needs a person (docs/attention.md), the gravest first; at most MOST_ITEMS of them."""
        ...

    def publish(self, event: Event) -> None:
        """Publish something that this plugin found out, to every plugin, the log and event streams."""
        ...

    async def remember(self, key: str, value: JsonValue) -> None:
        """Keep a value across restarts, in place of the last one of that key; None forgets it. Committed on return."""
        ...

    async def recall(self) -> Mapping[str, JsonValue]:
        """All that this plugin remembers, by key."""
        ...

    def schedule(self, seconds: float, job: Callable[[], Awaitable[None]]) -> Scheduled:
        """Run a job in so many seconds, beside the hooks, for 10 minutes at most; forgotten at shutdown.

        May be called from any thread. Raises TooManyJobs where 10,000 wait already.
        """
        ...
