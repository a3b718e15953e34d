"""Charging profiles that are stored by a name, in OCPP's spelling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from mcpp.reads.paging import Cursors, Page, PageQuery, by_name
from mcpp.storage.engine import ReaderPool
from mcpp_generated.db.models import ChargingProfile

_CURSORS: Final[Cursors[ChargingProfile, tuple[str]]] = by_name(lambda row: row.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProfile:
    """A stored charging profile and its name."""

    name: str
    profile: Mapping[str, JsonValue]
    ocpp_version: str
    """The oldest version of OCPP whose profile it is: chargers that speak another may not take it."""


async def list_page(pool: ReaderPool, query: PageQuery) -> Page[NamedProfile]:
    """Stored charging profiles by name. Raises BadCursor."""
    (after,) = _CURSORS.start(query)
    async with pool.reader() as q:
        rows = await q.list_charging_profiles(after=after, page_size=query.limit + 1)
    return _CURSORS.page(rows, query).map(
        lambda row: NamedProfile(name=row.name, profile=json.loads(row.profile), ocpp_version=row.ocpp_version)
    )


async def find_text(pool: ReaderPool, name: str) -> str | None:
    """One charging profile as it was stored, character for character."""
    async with pool.reader() as q:
        row = await q.get_charging_profile(name=name)
    return None if row is None else row.profile
