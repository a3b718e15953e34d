"""Id tags, in their order whatever their letter case."""

from __future__ import annotations

from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import IdTag

_CURSORS: Cursors[IdTag, tuple[str]] = by_name(lambda tag: tag.id_tag)


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
