"""`/`: whether all is well, what needs whom, and what flows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Query, Request
from markupsafe import Markup
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
from mcpp.web.rendering import Renderer, html, of_caller
from mcpp.web.states import STATE_NAMES, state_names
from mcpp.web.todo import charger_address, todo
from mcpp.web.viewer import Viewer

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

_TODOS_BESIDE_FOUND: Final = 3
"""Of these, beside what was looked for."""

_PARTS: Final = 64
"""That a page asks for at once at most; it asks for all before."""

_TILE: Final = "tile:"

_WHOLE: Final = ""
"""Name of the whole page among its parts."""

_OF_SUMMARY: Final = frozenset({"headline", "figures", "groups", "charts"})
"""Parts that the summary is needed for."""

_GATHER: Final = 0.05
"""Seconds: pages learn of an event together (`gather` of `/api/v1/events`), and so ask together."""


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


@dataclass(frozen=True, slots=True)
class _Look:
    """All that the overview depends on beside the fleet: who looks at the same may be shown the same."""

    viewer: Viewer
    caller: tuple[tuple[str, object], ...]
    """What the page may offer."""
    searched: str
    state: ShownState | None

    @property
    def is_search(self) -> bool:
        """Whether some connectors are looked for: then the page is what was found, and little else."""
        return bool(self.searched.strip()) or self.state is not None


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
    look = _Look(renderer.viewer(request), tuple(of_caller(request).items()), q, state)

    async def make(wanted: frozenset[str]) -> Mapping[str, Markup]:
        return await _render(services, renderer, look, wanted)

    made = await renderer.shared.ask(look, part or (_WHOLE,), make, _GATHER if part else 0.0)
    if not part:
        return html(request, made[_WHOLE])
    parts = [made[name] for name in dict.fromkeys(part) if name in made]
    return html(request, renderer.text(look.viewer, "parts.html", {"parts": parts}))


async def _render(
    services: ApiServices, renderer: Renderer, look: _Look, wanted: frozenset[str]
) -> Mapping[str, Markup]:
    """The parts that are wanted, as far as there are such, and the page as _WHOLE."""
    viewer, texts = look.viewer, renderer.texts(look.viewer)
    is_whole = _WHOLE in wanted
    context: dict[str, object] = {
        **dict(look.caller),
        "path": "/",
        "names": state_names(texts),
        "q": look.searched,
        "chosen": look.state,
        "is_search": look.is_search,
        "parts": wanted,
        "tiles": [],
    }
    if is_whole or not wanted.isdisjoint(_OF_SUMMARY):
        summary = await services.summary(viewer.zone)
        context["summary"] = summary
        if is_whole or "headline" in wanted:
            asks = asks_of(services)
            most = _TODOS_BESIDE_FOUND if look.is_search else _TODOS
            context["todos"] = [todo(item, texts, asks) for item in summary.attention[:most]]
        if not summary.counts.charge_points:
            context["connect"] = services.connect_info()
        if is_whole or "groups" in wanted:
            context |= await _fleet(services, summary.places, look.searched.strip(), look.state)
        if (is_whole and not look.is_search) or "charts" in wanted:
            now = services.clock.now()
            days = await read_days(services.readers, services.booked, viewer.zone, now, _DAYS)
            context["days"] = days_chart(days, viewer, texts)
            is_few = summary.sessions_month <= MOST_SESSIONS
            context["takers"] = await takers_chart(services, viewer, now, texts) if is_few else None
            context["has_takers"] = summary.sessions_month > 0
    made: dict[str, Markup] = {}
    if is_whole:
        # The event loop is the chargers': it goes on while a thread renders.
        made[_WHOLE] = Markup(await asyncio.to_thread(renderer.text, viewer, "overview.html", context))  # noqa: S704  # nosec B704  a template's
    identities = list(dict.fromkeys(_identity_of(name) for name in wanted if name.startswith(_TILE)))
    if identities or not wanted <= {_WHOLE}:
        tiles = [tile for some in _portions(identities) for tile in await _tiles(services, some)]

        def keep(name: str, part: Markup) -> str:
            made[name] = part
            return ""

        context |= {"tiles": [shown(tile) for tile in tiles], "keep": keep}
        await asyncio.to_thread(renderer.text, viewer, "overview_parts.html", context)
    return made


def _portions(identities: Sequence[str]) -> Iterable[Sequence[str]]:
    return (identities[begin : begin + _PARTS] for begin in range(0, len(identities), _PARTS))


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
