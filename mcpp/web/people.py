"""`/people` and `/people/{id}`: whose a card is, and what a kWh costs them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.domain.authorization import AuthorizationStatus
from mcpp.domain.people import folded
from mcpp.reads import id_tags, transactions
from mcpp.reads import people as reads
from mcpp.reads.charge_points import ChargePoint, ChargePointQuery
from mcpp.reads.paging import BadCursor, PageQuery
from mcpp.reads.times import in_zone
from mcpp.reads.transactions import TransactionQuery
from mcpp.web.amounts import Amounts
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.periods import CalendarPeriod
from mcpp.web.rendering import Renderer
from mcpp.web.sessions import people_of
from mcpp.web.spelling import Spelling
from mcpp.web.viewer import Viewer, viewer_of
from mcpp.web.wording import chart_words

router = page_router()

_PEOPLE: Final = 100
_UNKNOWN: Final = 20
_PRESENTED: Final = 200
"""That are looked through for those that are nobody's."""
_MONTHS: Final = 13
_SESSIONS: Final = 10
_CHARGERS: Final = 500
"""That a form offers."""
_LONGEST_CARD: Final = 2_000


@router.get("/people")
async def show_people(
    request: Request,
    services: FromServices,
    renderer: FromRenderer,
    cursor: Annotated[str | None, Query(max_length=8000)] = None,
    learnt: Annotated[str, Query(max_length=_LONGEST_CARD)] = "",
) -> Response:
    """All people, with the cards that have no name above them."""
    viewer = viewer_of(request)
    now = services.clock.now()
    today = in_zone(now, viewer.zone).date()
    try:
        page = await reads.list_page(services.readers, PageQuery(limit=_PEOPLE, cursor=cursor), today)
    except BadCursor:
        page = await reads.list_page(services.readers, PageQuery(limit=_PEOPLE), today)
    unknown = await _nameless_cards(services)
    unknown.sort(key=lambda it: folded(it.id_tag) != folded(learnt))
    spelled = amounts_of(renderer, viewer)
    currency = next((it.currency for it in page.items if it.currency), None)
    context = {
        "people": page.items,
        "next": page.next_cursor,
        "everybody": await people_of(services),
        "learnt": folded(learnt),
        "folded": folded,
        "chargers": await _connected(services),
        "unknown": unknown,
        "names": await services.charge_points.names(it.charge_point_id for it in unknown),
        "last_month": CalendarPeriod.month_of(now, viewer.zone).before,
        "currency": currency,
        "price": lambda person: spelled.price(person.price_per_kwh, person.currency),
    }
    return renderer.page(request, "people.html", context)


class NamelessCard(NamedTuple):
    """A card that was presented and is nobody's."""

    id_tag: str
    charge_point_id: str
    last_at: datetime
    times: int
    refused: bool


async def _nameless_cards(services: ApiServices) -> list[NamelessCard]:
    """Each once: those that charge now, then those that were presented last.

    The latter are written some seconds after they were presented; whoever waits for a card mustn't.
    """
    holders = await reads.read_holders(services.readers)
    query = TransactionQuery(open=True, limit=_UNKNOWN)
    running = (await transactions.list_page(services.readers, query)).items
    presented = (await id_tags.list_unknown(services.readers, PageQuery(limit=_PRESENTED))).items
    cards = [
        *(NamelessCard(it.id_tag, it.charge_point_id, it.started_at, 1, refused=False) for it in running),
        *(
            NamelessCard(it.id_tag, it.charge_point_id, it.last_at, it.times, it.status != AuthorizationStatus.ACCEPTED)
            for it in presented
        ),
    ]
    found: dict[str, NamelessCard] = {}
    for card in cards:
        if holders.of(card.id_tag, card.last_at) is None:
            found.setdefault(folded(card.id_tag), card)
    return list(found.values())[:_UNKNOWN]


async def _connected(services: ApiServices) -> Sequence[ChargePoint]:
    """Where a card can be learnt."""
    page = await services.charge_points.list_page(ChargePointQuery(connected=True, limit=_CHARGERS))
    return page.items


@router.get("/people/{person_id}")
async def show_person(request: Request, services: FromServices, renderer: FromRenderer, person_id: str) -> Response:
    """One person."""
    viewer = viewer_of(request)
    now = services.clock.now()
    person = await reads.find(services.readers, person_id, in_zone(now, viewer.zone).date())
    if person is None:
        return renderer.page(request, "missing.html", {}, HTTPStatus.NOT_FOUND)
    query = TransactionQuery(person_id=person_id, limit=_SESSIONS)
    sessions = (await transactions.list_page(services.readers, query, services.live_readings)).items
    month = CalendarPeriod.month_of(now, viewer.zone)
    months = [month]
    while len(months) < _MONTHS:
        months.append(months[-1].before)
    spelled = amounts_of(renderer, viewer)
    context = {
        "person": person,
        "former": [span for span in person.card_history if span.until is not None],
        "months": months,
        "sessions": sessions,
        "names": await services.charge_points.names(it.charge_point_id for it in sessions),
        "price": lambda it: spelled.price(it.price_per_kwh, it.currency),
        "price_text": spelled.price,
    }
    return renderer.page(request, "person.html", context)


def amounts_of(renderer: Renderer, viewer: Viewer) -> Amounts:
    """How a viewer's documents spell energy and money."""
    return Amounts(Spelling(viewer), chart_words(viewer, renderer.texts(viewer).gettext))
