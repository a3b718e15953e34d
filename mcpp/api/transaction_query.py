"""Which query answers a list of transactions: one for each leading filter, each with its index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import aiosqlite
from pydantic import AwareDatetime, Field

from mcpp.api.bodies import ZonedTime
from mcpp.api.paging import PageQuery, RowId
from mcpp.domain.connectors import NO_EVSE
from mcpp_generated.db import readers
from mcpp_generated.db.models import TransactionRecord

TransactionKey = tuple[AwareDatetime, RowId]
"""When a transaction began, and its id: the order of the list."""

NEWEST: Final[TransactionKey] = (datetime.max.replace(tzinfo=UTC), 2**63 - 1)
"""Before all of them in the list."""

_EVER = datetime.min.replace(tzinfo=UTC)


class TransactionQuery(PageQuery):
    """Filters of the list; all that are given must hold."""

    charge_point_id: str | None = None
    connector_id: int | None = Field(None, ge=0, le=2**31 - 1)
    id_tag: str | None = Field(None, description="Letter case doesn't matter.")
    open: bool | None = Field(None, description="Only those that run, or that have ended.")
    since: ZonedTime | None = Field(None, description="Began then or later.")
    until: ZonedTime | None = Field(None, description="Began before.")


async def find_transactions(
    connection: aiosqlite.Connection, query: TransactionQuery, before: TransactionKey
) -> list[TransactionRecord]:
    """The transactions that come behind `before` in the list: one more than the page takes, where there are so many."""
    if query.until is not None:
        before = min(before, (query.until, 0))
    since = query.since or _EVER
    before_at, before_id = before
    page_size = query.limit + 1
    closed_only = query.open is False
    if query.open:
        return await readers.list_open_transactions(
            connection,
            since=since,
            before=before_at,
            before_id=before_id,
            charge_point_id=query.charge_point_id,
            connector_id=query.connector_id,
            id_tag=query.id_tag,
            page_size=page_size,
        )
    if query.charge_point_id is not None and query.connector_id is not None:
        return await readers.list_transactions_of_connector(
            connection,
            charge_point_id=query.charge_point_id,
            evse_id=NO_EVSE,
            connector_id=query.connector_id,
            since=since,
            before=before_at,
            before_id=before_id,
            id_tag=query.id_tag,
            closed_only=closed_only,
            page_size=page_size,
        )
    if query.charge_point_id is not None:
        return await readers.list_transactions_of_charge_point(
            connection,
            charge_point_id=query.charge_point_id,
            since=since,
            before=before_at,
            before_id=before_id,
            id_tag=query.id_tag,
            closed_only=closed_only,
            page_size=page_size,
        )
    if query.id_tag is not None:
        return await readers.list_transactions_of_id_tag(
            connection,
            id_tag=query.id_tag,
            since=since,
            before=before_at,
            before_id=before_id,
            connector_id=query.connector_id,
            closed_only=closed_only,
            page_size=page_size,
        )
    if query.connector_id is not None:
        return await readers.list_transactions_of_connector_id(
            connection,
            connector_id=query.connector_id,
            since=since,
            before=before_at,
            before_id=before_id,
            closed_only=closed_only,
            page_size=page_size,
        )
    return await readers.list_transactions(
        connection,
        since=since,
        before=before_at,
        before_id=before_id,
        closed_only=closed_only,
        page_size=page_size,
    )
