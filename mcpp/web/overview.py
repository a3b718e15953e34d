"""`/`: whether all is well, what needs whom, and what flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.domain.memory import NO_EVSE
from mcpp.reads.days import read_days
from mcpp.reads.shown_state import ShownState
from mcpp.reads.summary import Place
from mcpp.reads.tiles import Tile, find_by_name, read_tiles
from mcpp.web.asks import asks_of
from mcpp.web.overview_days import days_chart
from mcpp.web.overview_takers import MOST_SESSIONS, takers_chart
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.states import STATE_NAMES, state_names
from mcpp.web.todo import charger_address, todo

router = page_router()

CARDS: Final = 12
"""Connectors that have a card each; more have a row."""

ROWS: Final = 49
"""Connectors that are all on one page; more are grouped."""

_OF_GROUP: Final = 12
"""Of a group, as long as nobody asks for all of it."""

_FOUND: Final = 100
"""Rows of a page at most."""

_DAYS: Final = 14

_TODOS: Final = 30
"""Of what needs somebody; the gravest come first, and whoever has more begins with these."""

_PARTS: Final = 64
"""That a page asks for at once at most; it asks for all before."""

_TILE: Final = "tile:"


@dataclass(frozen=True, slots=True)
class ShownTile:
    """A tile with what only pages know."""

    tile: Tile
    id: str
    """Of its element."""
    address: str


@dataclass(frozen=True, slots=True)
class Group:
    """The tiles of one state."""

    state: ShownState
    count: int
    tiles: Sequence[ShownTile]


@router.get("/")
async def show_overview(
    request: Request,
    services: FromServices,
    renderer: FromRenderer,
    part: Annotated[list[str], Query(max_length=_PARTS, default_factory=list)],
    q: Annotated[str, Query(max_length=300)] = "",
    state: ShownState | None = None,
) -> Response:
    """The overview; of parts of it, where a page asks for these."""
    viewer = renderer.viewer(request)
    texts = renderer.texts(viewer)
    context: dict[str, object] = {"names": state_names(texts), "q": q, "chosen": state, "parts": set(part), "tiles": []}
    if {"headline", "figures", "groups", "charts"}.intersection(part) or not part:
        summary = await services.summary(viewer.zone)
        url, asks = services.connect_info().url, asks_of(services)
        context |= {"summary": summary, "todos": [todo(item, texts, url, asks) for item in summary.attention[:_TODOS]]}
        if not part or "groups" in part:
            context |= await _fleet(services, summary.places, q.strip(), state)
        if not part or "charts" in part:
            now = services.clock.now()
            days = await read_days(services.readers, services.booked, viewer.zone, now, _DAYS)
            context["days"] = days_chart(days, viewer, texts)
            is_few = summary.sessions_month <= MOST_SESSIONS
            context["takers"] = await takers_chart(services, viewer, now, texts) if is_few else None
            context["has_takers"] = summary.sessions_month > 0
    if not part:
        return renderer.page(request, "overview.html", context)
    if identities := [_identity_of(name) for name in part if name.startswith(_TILE)]:
        context["tiles"] = [shown(tile) for tile in await _tiles(services, identities)]
    return renderer.page(request, "overview_parts.html", context)


async def _tiles(services: ApiServices, identities: Sequence[str]) -> list[Tile]:
    return await read_tiles(services.readers, services.live, services.live_readings, identities)


async def _fleet(
    services: ApiServices, places: Sequence[Place], searched: str, chosen: ShownState | None
) -> Mapping[str, object]:
    if len(places) <= ROWS:
        tiles = await _tiles(services, list({place.charge_point_id: None for place in places}))
        return {"is_large": False, "is_compact": len(tiles) > CARDS, "tiles": [shown(tile) for tile in tiles]}
    places = sorted(places)
    if searched or chosen is not None:
        return await _found(services, places, searched, chosen)
    by_state: dict[ShownState, list[Place]] = {}
    for place in places:
        by_state.setdefault(place.state, []).append(place)
    first = {place for those in by_state.values() for place in those[:_OF_GROUP]}
    tiles = await _tiles(services, list({place.charge_point_id for place in first}))
    wanted = {place[:3] for place in first}
    by_shown: dict[ShownState, list[ShownTile]] = {}
    for tile in tiles:
        if _place_of(tile) in wanted:
            by_shown.setdefault(tile.state, []).append(shown(tile))
    groups = [
        Group(state, len(those), by_shown.get(state, [])) for state in STATE_NAMES if (those := by_state.get(state))
    ]
    return {"is_large": True, "is_compact": True, "groups": groups, "tiles": []}


async def _found(
    services: ApiServices, places: Sequence[Place], searched: str, chosen: ShownState | None
) -> Mapping[str, object]:
    """What fits a search, as far as a page goes."""
    named = set(await find_by_name(services.readers, searched, len(places))) if searched else None
    found = [
        place for place in places if chosen in {None, place.state} and (named is None or place.charge_point_id in named)
    ]
    some = {place[:3] for place in found[:_FOUND]}
    tiles = await _tiles(services, list({identity for identity, *_ in some}))
    rows = [shown(tile) for tile in tiles if _place_of(tile) in some]
    return {"is_large": True, "is_compact": True, "groups": None, "tiles": rows, "count": len(found)}


def _place_of(tile: Tile) -> tuple[str, int, int]:
    """As a Place begins."""
    return tile.charge_point_id, tile.evse_id, tile.connector_id


def shown(tile: Tile) -> ShownTile:
    """With the id of its element, from which the charge point is known again."""
    place = quote(tile.charge_point_id, safe="")
    evse = "" if tile.evse_id == NO_EVSE else f"{tile.evse_id}."
    return ShownTile(tile, f"{_TILE}{place}:{evse}{tile.connector_id}", charger_address(tile.charge_point_id))


def _identity_of(element_id: str) -> str:
    return unquote(element_id.removeprefix(_TILE).rpartition(":")[0])
