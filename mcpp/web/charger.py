"""`/chargers/{id}`: one charger: what it does, what can be asked of it, and what it has said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Query, Request
from markupsafe import Markup
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.reads import certificates, configuration, conformance, device_model, id_tags, transactions, unmatched
from mcpp.reads.certificates import CertificateQuery
from mcpp.reads.conformance import ConformanceQuery
from mcpp.reads.curves import read_curve
from mcpp.reads.device_model import ShownDeviceEvent, ShownVariable, VariableQuery
from mcpp.reads.frames import list_frames
from mcpp.reads.paging import PageQuery
from mcpp.reads.people import read_holders
from mcpp.reads.shown_state import ShownState
from mcpp.reads.tiles import Tile, read_tiles
from mcpp.reads.transactions import TransactionQuery
from mcpp.redaction import is_secret
from mcpp.web.asks import Asks, asks_of, key_asks_of
from mcpp.web.charger_week import week_charts
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.rendering import Renderer
from mcpp.web.session_chart import power_chart
from mcpp.web.states import state_names
from mcpp.web.terms import CERTIFICATE_STATES, REPORT_KINDS, RULES
from mcpp.web.todo import charger_address, todo
from mcpp.web.viewer import Viewer
from mcpp.web.wording import chart_words

router = page_router()

_SESSIONS: Final = 10
_KEYS: Final = 500
_DEPARTURES: Final = 200
_CARDS: Final = 200
"""That are offered where one is to be chosen; any other may be typed."""

_FRAMES: Final = 50
_VARIABLES: Final = 200
"""That are shown at once; a search finds the others."""
_DEVICE_EVENTS: Final = 50
_UNMATCHED: Final = 50

_POINTS: Final = 150
"""Of a curve that is drawn anew with each meter value."""

_DEVICE: Final = "device"
"""The fold of the device model, which takes the place of the configuration's where there is one."""

_WEEK: Final = "week"
"""The part of the page that shows the last days: a live page asks for it when states change."""

_FOLDS: Final = frozenset({"configuration", "conformance", "certificates", "frames"})
"""What is read only once somebody unfolds it."""


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """What is unfolded of a device model."""

    search: str
    variables: Sequence[ShownVariable]
    has_more: bool
    """More of them fit the search."""
    events: Sequence[ShownDeviceEvent]


@dataclass(frozen=True, slots=True)
class ShownConnector:
    """A connector with what can be asked of it."""

    tile: Tile
    is_inoperative: bool
    """Last ordered to be."""
    chart: Markup | None
    """The power of the session that runs; None where none does, or nothing is known of it yet."""
    asks: Asks
    """What its charge point's version can be asked for."""
    reported_status: str | None
    """The charge point's own word, where the state was made of it."""

    @property
    def is_connected(self) -> bool:
        """Its charge point can be asked."""
        return self.tile.state not in {ShownState.OFFLINE, ShownState.NEVER_CONNECTED}

    @property
    def key(self) -> str:
        """Within the ids of its elements."""
        return f"{self.tile.evse_id}-{self.tile.connector_id}" if self.tile.evse_id else str(self.tile.connector_id)


@router.get("/chargers/{charge_point_id}")
async def show_charger(
    request: Request,
    services: FromServices,
    renderer: FromRenderer,
    charge_point_id: str,
    part: Annotated[list[str], Query(max_length=64, default_factory=list)],
    unfold: Annotated[str, Query(max_length=100)] = "",
    search: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """The page; 404 where there is no such charger."""
    point = await services.charge_points.find_detail(charge_point_id)
    if point is None:
        return renderer.page(request, "missing.html", {}, HTTPStatus.NOT_FOUND)
    viewer = renderer.viewer(request)
    texts = renderer.texts(viewer)
    tiles = await read_tiles(services.readers, services.live, services.live_readings, [charge_point_id])
    known = {(connector.evse_id, connector.connector_id): connector for connector in point.connectors}
    asks = asks_of(services)
    query = TransactionQuery(charge_point_id=charge_point_id, limit=_SESSIONS)
    sessions = (await transactions.list_page(services.readers, query, services.live_readings)).items
    holders = await read_holders(services.readers)
    summary = await services.summary(viewer.zone)
    context: dict[str, object] = {
        "point": point,
        "name": point.display_name or charge_point_id,
        "api": f"/api/v1/charge-points/{quote(charge_point_id, safe='')}",
        "page": charger_address(charge_point_id),
        "connectors": [
            ShownConnector(
                tile,
                connector is not None and connector.inoperative,
                await _power(services, renderer, viewer, tile),
                asks(charge_point_id, tile.connector_id, tile.evse_id),
                None if connector is None else connector.reported_status,
            )
            for tile in tiles
            for connector in [known.get((tile.evse_id, tile.connector_id))]
        ],
        "asks": asks(charge_point_id),
        "key_ask": key_asks_of(services, charge_point_id),
        "is_secret": is_secret,
        "sessions": sessions,
        "holders": {it.transaction_id: holders.of(it.id_tag, it.started_at) for it in sessions},
        "chargers": {charge_point_id: point.display_name or charge_point_id},
        "week": await _week(services, renderer, viewer, charge_point_id) if _WEEK in part or not part else [],
        "cards": (await id_tags.list_page(services.readers, PageQuery(limit=_CARDS))).items,
        "names": state_names(texts),
        "rules": RULES,
        "report_kinds": REPORT_KINDS,
        "certificate_states": CERTIFICATE_STATES,
        "todos": [
            todo(item, texts, asks, leads_to_charger=False)
            for item in summary.attention
            if item.charge_point_id == charge_point_id
        ],
        "unmatched": [
            (it, json.dumps(it.payload, ensure_ascii=False))
            for it in await unmatched.list_of(services.readers, charge_point_id, _UNMATCHED)
        ],
        "has_device_model": await device_model.has_variables(services.readers, charge_point_id),
        "device": await _device(services, charge_point_id, search) if _DEVICE in {*part, unfold} else None,
        **await _unfolded(services, charge_point_id, {*part, unfold} & _FOLDS),
    }
    return renderer.page(request, "charger.html", context)


async def _power(services: ApiServices, renderer: Renderer, viewer: Viewer, tile: Tile) -> Markup | None:
    if tile.transaction_id is None:
        return None
    curve = await read_curve(services.readers, tile.transaction_id, _POINTS)
    texts = renderer.texts(viewer)
    return None if curve is None else power_chart(curve, chart_words(viewer, texts.gettext), texts.gettext)


async def _week(services: ApiServices, renderer: Renderer, viewer: Viewer, charge_point_id: str) -> Sequence[Markup]:
    texts = renderer.texts(viewer)
    words = chart_words(viewer, texts.gettext)
    return await week_charts(services, charge_point_id, state_names(texts), words, texts.gettext)


async def _device(services: ApiServices, charge_point_id: str, search: str) -> ShownDevice:
    query = VariableQuery(limit=_VARIABLES, search=search.strip())
    variables = await device_model.list_variables(services.readers, charge_point_id, query)
    events = await device_model.list_events(services.readers, charge_point_id, PageQuery(limit=_DEVICE_EVENTS))
    return ShownDevice(
        search=query.search,
        variables=variables.items if variables else (),
        has_more=variables is not None and variables.next_cursor is not None,
        events=events.items if events else (),
    )


async def _unfolded(
    services: ApiServices, charge_point_id: str, wanted: set[str]
) -> Mapping[str, Sequence[object] | None]:
    """What somebody unfolded; the others aren't asked for."""
    found: dict[str, Sequence[object]] = {}
    if "configuration" in wanted:
        keys = await configuration.list_page(services.readers, charge_point_id, PageQuery(limit=_KEYS))
        found["configuration"] = [] if keys is None else keys.items
    if "conformance" in wanted:
        departures = await conformance.list_page_of(
            services.readers, charge_point_id, ConformanceQuery(limit=_DEPARTURES)
        )
        found["conformance"] = [] if departures is None else departures.items
    if "certificates" in wanted:
        query = CertificateQuery(charge_point_id=charge_point_id, limit=_SESSIONS)
        found["certificates"] = (await certificates.list_page(services.readers, query)).items
    if "frames" in wanted:
        found["frames"] = list_frames(services.frames, charge_point_id, _FRAMES, services.clock.at)[::-1]
    return {fold: found.get(fold) for fold in _FOLDS}
