"""`/`: whether all is well, what needs whom, and what flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.reads.shown_state import ShownState
from mcpp.reads.tiles import Tile, read_tiles
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

_FOUND: Final = 200
"""Rows of a page at most."""

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
    context: dict[str, object] = {"names": state_names(renderer.texts(viewer)), "q": q, "chosen": state}
    if part and all(name.startswith(_TILE) for name in part):
        tiles = await _tiles(services, {_identity_of(name) for name in part})
        context["tiles"] = [shown(tile) for tile in tiles]
        return renderer.page(request, "overview_tiles.html", context)
    summary = await services.summary(viewer.zone)
    texts = renderer.texts(viewer)
    tiles = await _tiles(services, None)
    context |= {"summary": summary, "todos": [todo(item, texts) for item in summary.attention]}
    context |= _fleet(tiles, q, state)
    return renderer.page(request, "overview.html", context)


async def _tiles(services: ApiServices, only: set[str] | None) -> list[Tile]:
    return await read_tiles(services.readers, services.live, services.live_readings, only)


def _fleet(tiles: Sequence[Tile], searched: str, chosen: ShownState | None) -> Mapping[str, object]:
    is_large = len(tiles) > ROWS
    if not is_large:
        return {"is_large": False, "is_compact": len(tiles) > CARDS, "tiles": [shown(tile) for tile in tiles]}
    if searched or chosen is not None:
        wanted = searched.casefold()
        found = [
            tile
            for tile in tiles
            if chosen in {None, tile.state}
            and (wanted in tile.name.casefold() or wanted in tile.charge_point_id.casefold())
        ]
        some = [shown(tile) for tile in found[:_FOUND]]
        return {"is_large": True, "is_compact": True, "groups": None, "tiles": some, "count": len(found)}
    by_state: dict[ShownState, list[Tile]] = {}
    for tile in tiles:
        by_state.setdefault(tile.state, []).append(tile)
    groups = [
        Group(state, len(those), [shown(tile) for tile in those[:_OF_GROUP]])
        for state in STATE_NAMES
        if (those := by_state.get(state))
    ]
    return {"is_large": True, "is_compact": True, "groups": groups, "count": len(tiles), "tiles": []}


def shown(tile: Tile) -> ShownTile:
    """With the id of its element, from which the charge point is known again."""
    place = quote(tile.charge_point_id, safe="")
    return ShownTile(tile, f"{_TILE}{place}:{tile.connector_id or 0}", charger_address(tile.charge_point_id))


def _identity_of(element_id: str) -> str:
    return unquote(element_id.removeprefix(_TILE).rpartition(":")[0])
