"""Has charge points report their device models, so that what they are is known before anybody asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from mcpp.csms.buttons import ButtonCommand
from mcpp.csms.commands import Commands
from mcpp.csms.live import LiveChargePoints
from mcpp.domain.events import ChargePointBooted, Event
from mcpp.domain.inventory import inventory_of, note_inventory
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.ocppj.errors import CallRefused, CommandError, InvalidAnswer
from mcpp.server.chore import Chore
from mcpp.storage.writer import Writer
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp_generated.db.queries import Queries

_INTERVAL: Final = 1.0
"""Seconds between two looks at who is due."""
_PATIENCE: Final = 4
"""So many delays after its boot a charge point is asked that tells no state."""
_AT_ONCE: Final = 20
"""Charge points that are asked at one look: a fleet that comes back at once reports in turn."""


class InventoryKeeper(Chore):
    """Asks each charge point once with each firmware, after a boot; one that gives no answer, after its next one."""

    kinds: tuple[type[Event], ...] = (ChargePointBooted,)
    """Events that it wants."""

    def __init__(
        self,
        writer: Writer[Queries],
        live: LiveChargePoints,
        commands: Commands,
        requests: Mapping[str, ButtonCommand],
        delay: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        """`requests`: the command that asks for the report, by each version that has one."""
        super().__init__(_INTERVAL)
        self._writer = writer
        self._live = live
        self._commands = commands
        self._requests = requests
        self._delay = delay
        self._now = now
        self._booted: dict[str, datetime] = {}
        """Charge points to look at, by when they booted."""

    def __call__(self, event: Event) -> None:
        """Look at whoever has booted."""
        if self._live.version_of(event.charge_point_id) in self._requests:
            self._booted[event.charge_point_id] = event.at

    async def work(self) -> None:
        """Ask those whose time has come."""
        now = self._now()
        due = [identity for identity, booted_at in self._booted.items() if now - booted_at >= self._delay]
        await asyncio.gather(*(self._look(identity, now) for identity in due[:_AT_ONCE]))

    async def _look(self, identity: str, now: datetime) -> None:
        booted_at = self._booted.pop(identity)
        found = await self._writer.submit(inventory_of, identity)
        request = self._requests.get(self._live.version_of(identity) or "")
        if found is None or not found.is_due or request is None:
            return
        if found.has_told_states or now - booted_at >= self._delay * _PATIENCE:
            await self._ask(found.key, identity, request)
        else:
            self._booted.setdefault(identity, booted_at)  # it may have booted again meanwhile

    async def _ask(self, key: int, identity: str, request: ButtonCommand) -> None:
        payload = json.dumps(request.payload(NO_EVSE, CHARGE_POINT)).encode()
        try:
            await self._commands.send(identity, request.action, payload)
        except (CallRefused, InvalidAnswer) as error:
            self._warn(identity, error)  # it won't do better the next time
        except CommandError as error:
            self._warn(identity, error)
            return
        await self._writer.submit(note_inventory, key, identity)

    def _warn(self, identity: str, error: CommandError) -> None:
        get_logger().warning(
            "base_report_failed",
            category="system",
            charge_point_id=identity,
            error=str(error) or type(error).__name__,
        )
