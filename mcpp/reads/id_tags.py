"""Id tags, in their order whatever their letter case."""

from __future__ import annotations

from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.sqlite.readers import Readers
from mcpp_generated.db import readers
from mcpp_generated.db.models import IdTag

_CURSORS: Cursors[IdTag, tuple[str]] = by_name(lambda tag: tag.id_tag)


async def list_page(pool: Readers, query: PageQuery) -> Page[IdTag]:
    """Stored id tags. Raises BadCursor."""
    (after,) = _CURSORS.start(query)
    async with pool.connection() as connection:
        tags = await readers.list_id_tags(connection, after=after, page_size=query.limit + 1)
    return _CURSORS.page(tags, query)


async def find(pool: Readers, id_tag: str) -> IdTag | None:
    """One id tag, compared without regard to case (OCPP 1.6 §7.28, CiString)."""
    async with pool.connection() as connection:
        return await readers.get_id_tag(connection, id_tag=id_tag)
