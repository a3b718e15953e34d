"""Stops and meter values that belong to no known transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, newest_first
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.db.models import UnmatchedRecord

_CURSORS: Final[Cursors[UnmatchedRecord, tuple[RowId]]] = newest_first(lambda row: row.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A stop or meter values that belong to no known transaction."""

    id: int
    charge_point_id: str
    kind: UnmatchedKind
    ocpp_version: str
    """That the payload is in."""
    claimed_transaction_id: int
    """As the charger sent it."""
    payload: Mapping[str, JsonValue]
    """The message, in OCPP's spelling."""
    received_at: datetime


async def list_page(pool: ReaderPool, query: PageQuery) -> Page[Unmatched]:
    """All of them, the newest first. Raises BadCursor."""
    async with pool.reader() as q:

        async def fetch(before: tuple[RowId], count: int) -> list[UnmatchedRecord]:
            return await q.list_unmatched(before_id=before[0], page_size=count)

        page = await _CURSORS.read(query, fetch)
    return page.map(_unmatched)


async def list_of(pool: ReaderPool, charge_point_id: str, limit: int) -> Sequence[Unmatched]:
    """Those of one charge point, the newest first."""
    async with pool.reader() as q:
        rows = await q.list_unmatched_of(charge_point_id=charge_point_id, row_limit=limit)
    return [_unmatched(row) for row in rows]


def _unmatched(row: UnmatchedRecord) -> Unmatched:
    return Unmatched(
        id=row.id,
        charge_point_id=row.charge_point_id,
        kind=row.kind,
        ocpp_version=row.ocpp_version,
        claimed_transaction_id=row.claimed_transaction_id,
        payload=json.loads(row.payload),
        received_at=row.received_at,
    )
