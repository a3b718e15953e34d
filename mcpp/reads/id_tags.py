"""Id tags, in their order whatever their letter case; and cards that aren't stored or were refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AwareDatetime, Field, TypeAdapter

from mcpp.reads.paging import NEWEST_ID, Cursors, Page, PageQuery, RowId, by_name
from mcpp.reads.times import AFTER_ALL
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import IdTag, ListUnknownIdTagsRow

_CURSORS: Cursors[IdTag, tuple[str]] = by_name(lambda tag: tag.id_tag)

_UnknownKey: TypeAlias = tuple[AwareDatetime, Annotated[str, Field(max_length=1024)], RowId]

_UNKNOWN_CURSORS: Final[Cursors[ListUnknownIdTagsRow, tuple[datetime, str, int]]] = Cursors(
    TypeAdapter(_UnknownKey), (AFTER_ALL, "", NEWEST_ID), lambda row: (row.last_at, row.id_tag, row.charge_point_key)
)


async def list_page(pool: ReaderPool, query: PageQuery) -> Page[IdTag]:
    """Stored id tags. Raises BadCursor."""
    (after,) = _CURSORS.start(query)
    async with pool.reader() as q:
        tags = await q.list_id_tags(after=after, page_size=query.limit + 1)
    return _CURSORS.page(tags, query)


async def find(pool: ReaderPool, id_tag: str) -> IdTag | None:
    """One id tag, compared without regard to case (OCPP 1.6 §7.28, CiString)."""
    async with pool.reader() as q:
        return await q.get_id_tag(id_tag=id_tag)


async def list_unknown(pool: ReaderPool, query: PageQuery) -> Page[ListUnknownIdTagsRow]:
    """Cards that aren't stored or were refused, those presented last first. Raises BadCursor."""
    before, before_id_tag, before_key = _UNKNOWN_CURSORS.start(query)
    async with pool.reader() as q:
        rows = await q.list_unknown_id_tags(
            before=before, before_id_tag=before_id_tag, before_key=before_key, page_size=query.limit + 1
        )
    return _UNKNOWN_CURSORS.page(rows, query)
