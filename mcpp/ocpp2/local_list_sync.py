"""Brings a charge point's local authorization list in line with the stored id tags (block D)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel

from mcpp.csms.live import Exchange
from mcpp.csms.version import SyncLocalList
from mcpp.ocpp2.widening import Calls
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries


def local_list_sync(writer: Writer[Queries], calls: Calls, now: Callable[[], datetime]) -> SyncLocalList:
    """For one server."""

    async def sync(identity: str) -> Exchange[BaseModel]:
        raise NotImplementedError

    return sync
