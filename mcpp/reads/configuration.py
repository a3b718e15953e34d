"""The configuration of charge points, as last known: their keys, or the variables of a device model under its own."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.enums import Mutability
from mcpp_generated.db.readers import Readers


class KnownKey(NamedTuple):
    """A configuration key, or an attribute of a variable by the key of `mcpp.domain.variables`."""

    key: str
    value: str | None
    """None where it's secret, or has none."""
    readonly: bool
    known_at: datetime


_CURSORS: Final[Cursors[KnownKey, tuple[str]]] = by_name(lambda row: row.key)


async def list_page(pool: ReaderPool, charge_point_id: str, query: PageQuery) -> Page[KnownKey] | None:
    """A charge point's keys in their order; None where it's unknown. Raises BadCursor."""
    async with pool.reader() as q:
        charge_point = await q.get_charge_point(identity=charge_point_id)
        if charge_point is None:
            return None
        key, has_variables = charge_point.key, await q.find_variable(charge_point_key=charge_point.key) is not None

        async def fetch(after: tuple[str], count: int) -> list[KnownKey]:
            return await (_variables if has_variables else _keys)(q, key, after[0], count)

        return await _CURSORS.read(query, fetch)


async def _keys(q: Readers, charge_point_key: int, after: str, count: int) -> list[KnownKey]:
    rows = await q.list_configuration_page(charge_point_key=charge_point_key, after=after, page_size=count)
    return [KnownKey(row.key, row.value, row.readonly, row.known_at) for row in rows]


async def _variables(q: Readers, charge_point_key: int, after: str, count: int) -> list[KnownKey]:
    rows = await q.list_variables(
        charge_point_key=charge_point_key,
        after=after,
        component=None,
        variable=None,
        evse_id=None,
        search="",
        page_size=count,
    )
    return [KnownKey(row.key, row.value, row.mutability is Mutability.READ_ONLY, row.known_at) for row in rows]
