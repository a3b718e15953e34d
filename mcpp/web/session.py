"""`/sessions/{transaction_id}`: all that is known of one session, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from fastapi import Query, Request
from pydantic import JsonValue
from starlette.responses import Response

from mcpp.api.bodies import RowKey
from mcpp.api.services import ApiServices, FromServices
from mcpp.reads import transactions as reads
from mcpp.reads.curves import read_curve
from mcpp.reads.paging import BadCursor, PageQuery
from mcpp.reads.people import read_holders, read_prices
from mcpp.reads.pricing import priced
from mcpp.reads.samples import list_samples
from mcpp.reads.times import in_zone
from mcpp.reads.transaction_progress import find_progress
from mcpp.reads.transactions import Transaction
from mcpp.story.phrases import IMPLAUSIBLE
from mcpp.web.evidence import evidence_lines
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.people import amounts_of
from mcpp.web.periods import CalendarPeriod
from mcpp.web.session_chart import power_chart
from mcpp.web.viewer import Viewer, viewer_of
from mcpp.web.wording import chart_words
from mcpp_generated.db.models import Person

router = page_router()

_SAMPLES: Final = 100


@router.get("/sessions/{transaction_id}")
async def show_session(
    request: Request,
    services: FromServices,
    renderer: FromRenderer,
    transaction_id: RowKey,
    samples: Annotated[str | None, Query(max_length=8000)] = None,
) -> Response:
    """One session."""
    viewer = viewer_of(request)
    session = await reads.find(services.readers, transaction_id, services.live_readings)
    if session is None:
        return renderer.page(request, "missing.html", {}, HTTPStatus.NOT_FOUND)
    query = PageQuery(limit=_SAMPLES, cursor=samples or None)
    try:
        page = await list_samples(services.readers, transaction_id, query)
    except BadCursor:
        page = await list_samples(services.readers, transaction_id, PageQuery(limit=_SAMPLES))
    texts = renderer.texts(viewer)
    words = chart_words(viewer, texts.gettext)
    spelled = amounts_of(renderer, viewer)
    holder = (await read_holders(services.readers)).of(session.id_tag, session.started_at)
    curve = await read_curve(services.readers, transaction_id)
    context = {
        "session": session,
        "gaps": (await find_progress(services.readers, transaction_id, session.stop_origin)).gaps,
        "names": await services.charge_points.names([session.charge_point_id]),
        "person": holder,
        "cost": await _cost(services, session, holder, viewer),
        "month": str(CalendarPeriod.month_of(session.stopped_at or services.clock.now(), viewer.zone)),
        "implausible": IMPLAUSIBLE,
        "evidence": evidence_lines(session.evidence, texts.gettext),
        "chart": None if curve is None else power_chart(curve, words, texts.gettext),
        "story": await _story(services, transaction_id),
        "samples": [] if page is None else page.items,
        "samples_next": None if page is None else page.next_cursor,
        "is_paging": samples is not None,
        "register": spelled.register,
        "amount": spelled.amount,
        "price_text": spelled.price,
    }
    return renderer.page(request, "session.html", context)


class Happening(NamedTuple):
    """An entry of the story."""

    at: datetime
    kind: str
    what: str
    """A Phrase where it can be said in the viewer's language."""


async def _story(services: ApiServices, transaction_id: int) -> list[Happening]:
    """What happened, in order."""
    told = await services.tell_story(transaction_id)
    entries = [] if told is None else told["entries"]
    assert isinstance(entries, list)
    return [_happening(it) for it in entries if isinstance(it, dict)]


def _happening(entry: Mapping[str, JsonValue]) -> Happening:
    what = entry["what"]
    assert isinstance(what, str)  # a Phrase, which str() would make plain
    return Happening(datetime.fromisoformat(str(entry["at"])), str(entry["kind"]), what)


class Cost(NamedTuple):
    """What a session costs its holder."""

    amount: Decimal
    price_per_kwh: Decimal
    currency: str | None


async def _cost(services: ApiServices, session: Transaction, holder: Person | None, viewer: Viewer) -> Cost | None:
    """By the price of the day on which it ended; None where there's none, or no energy that can be believed."""
    if session.stopped_at is None or session.energy_implausible or session.energy_wh is None:
        return None
    prices = (await read_prices(services.readers)).of("" if holder is None else holder.id)
    cost = priced(session.energy_wh, session.stopped_at, prices, viewer.zone)
    if cost.price_per_kwh is None or cost.amount is None:
        return None
    day = in_zone(session.stopped_at, viewer.zone).date()
    return Cost(cost.amount, cost.price_per_kwh, prices.currency_on(day))
