"""Brings a charge point's local authorization list in line with the stored id tags, whatever version it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from pydantic import BaseModel

from mcpp.csms.live import Exchange
from mcpp.domain import local_list
from mcpp.domain.errors import Unknown
from mcpp.domain.local_list import ListUpdate
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries


class UpdateOutcome(Enum):
    """How a charge point took an update of its list."""

    ACCEPTED = auto()
    FAILED = auto()
    VERSION_MISMATCH = auto()
    """Its list isn't the one that the update changes."""
    NOT_SUPPORTED = auto()


class Sent(NamedTuple):
    """An update of the list with what came of it."""

    exchange: Exchange[BaseModel]
    outcome: UpdateOutcome


class LocalListSync(ABC):
    """Sends the list: whole, and in parts where the charge point takes no more at once."""

    longest_id_tag: int
    """Characters of a tag that the version can tell."""

    def __init__(self, writer: Writer[Queries], now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._now = now

    @abstractmethod
    async def _version(self, identity: str) -> int:
        """Of the list that a charge point has; raises what LiveChargePoints raises."""

    @abstractmethod
    async def _send(self, identity: str, update: ListUpdate) -> Sent:
        """Send one update; raises what LiveChargePoints raises."""

    async def sync(self, identity: str) -> Exchange[BaseModel]:
        """Send what the charge point's list lacks. Returns the last SendLocalList with its response.

        Whatever the charge point holds is replaced. A part that doesn't fit its version is answered by one attempt
        from the beginning (OCPP 1.6 §5.15, 2.0.1 D01). Raises Unknown, ListTooLong, WriteFailed and what
        LiveChargePoints raises.
        """
        charge_point = await self._writer.submit(lambda q: q.get_credentials(identity=identity))
        if charge_point is None:
            raise Unknown(f"no charge point has the identity {identity!r}")
        update, sent = await self._attempt(charge_point.key, identity)
        is_part_refused = sent.outcome is UpdateOutcome.FAILED and not update.full
        if is_part_refused or sent.outcome is UpdateOutcome.VERSION_MISMATCH:
            update, sent = await self._attempt(charge_point.key, identity)
        return sent.exchange

    async def _attempt(self, key: int, identity: str) -> tuple[ListUpdate, Sent]:
        """Send update after update while they are accepted. Returns the last one sent."""
        current = await self._version(identity)
        update, *others = await self._writer.submit(
            local_list.plan_updates,
            key,
            self._now(),
            current_version=current,
            longest_id_tag=self.longest_id_tag,
        )
        sent = await self._send(identity, update)
        for other in others:
            if sent.outcome is not UpdateOutcome.ACCEPTED:
                break
            update, sent = other, await self._send(identity, other)
        return update, sent
