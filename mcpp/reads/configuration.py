"""The configuration of charge points, as last known."""

from __future__ import annotations

from typing import Final

from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import ConfigurationKey

_CURSORS: Final[Cursors[ConfigurationKey, tuple[str]]] = by_name(lambda row: row.key)


async def list_page(pool: ReaderPool, charge_point_id: str, query: PageQuery) -> Page[ConfigurationKey] | None:
    """A charge point's configuration keys in their order; None where it's unknown. Raises BadCursor."""
    (after,) = _CURSORS.start(query)
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        keys = await q.list_configuration_page(
            charge_point_key=charge_point.key, after=after, page_size=query.limit + 1
        )
    return _CURSORS.page(keys, query)
