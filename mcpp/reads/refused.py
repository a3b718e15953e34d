"""The refused connections as a list of pages."""

from __future__ import annotations

from typing import Final

from mcpp.csms.refused import RefusedConnection, RefusedConnections
from mcpp.reads.paging import Cursors, Page, PageQuery, RowId, newest_first

_CURSORS: Final[Cursors[RefusedConnection, tuple[RowId]]] = newest_first(lambda refused: refused.number)


def list_page(refused: RefusedConnections, query: PageQuery) -> Page[RefusedConnection]:
    """A page of them, those that were refused last first. Raises BadCursor."""
    (before,) = _CURSORS.start(query)
    rows = [each for each in refused.newest_first() if each.number < before]
    return _CURSORS.page(rows[: query.limit + 1], query)
