"""`/sessions`: what was charged, a month at a time, and what runs now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.reads import people
from mcpp.reads import transactions as reads
from mcpp.reads.paging import BadCursor, Page, PageQuery
from mcpp.reads.people import PersonRecord, read_holders
from mcpp.reads.times import in_zone, spell_time
from mcpp.reads.transactions import Transaction, TransactionQuery
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.periods import CalendarPeriod
from mcpp.web.viewer import Viewer, viewer_of

router = page_router()

_ROWS: Final = 50
_OPEN_ROWS: Final = 200
_CHOICE: Final = 1_000
"""People that a form offers."""
_CHARGERS: Final = 200
"""That a form offers; where there are more, an identity is typed."""
_LONGEST: Final = 1_000
"""Characters of a filter; longer ones find nothing."""


class Shown(StrEnum):
    """Which sessions are listed."""

    ALL = "all"
    OPEN = "open"
    IMPLAUSIBLE = "implausible"
    RECOVERED = "recovered"


class Filters:
    """What an address asks for; what makes no sense in it counts as absent."""

    def __init__(self, given: Mapping[str, str], month_now: CalendarPeriod) -> None:
        month = CalendarPeriod.parse(given.get("month", ""))
        self.month = month if month is not None and month.month is not None else month_now
        self.charger = given.get("charger", "").strip()[:_LONGEST]
        self.card = given.get("card", "").strip()[:_LONGEST]
        self.person = given.get("person", "")[:_LONGEST]
        show = given.get("show", "")
        self.show = Shown(show) if show in set(Shown) else Shown.ALL

    @property
    def is_filtered(self) -> bool:
        """Whether only some of the month's are asked for."""
        return bool(self.charger or self.card or self.person) or self.show is not Shown.ALL

    @property
    def by_month(self) -> bool:
        """Whether the list is a month's; what runs has no month."""
        return self.show is not Shown.OPEN

    def address(self, **changed: str) -> str:
        """The page's address with these filters, some of them changed."""
        given = {
            "month": str(self.month),
            "charger": self.charger,
            "person": self.person,
            "card": self.card,
            "show": self.show.value,
        }
        kept = {name: value for name, value in (given | changed).items() if value and value != Shown.ALL}
        return "/sessions?" + urlencode(kept)

    def query(self, viewer: Viewer, cursor: str | None, limit: int = _ROWS) -> TransactionQuery:
        """The same for the read side."""
        span = (self.month.begin(viewer.zone), self.month.end(viewer.zone)) if self.by_month else (None, None)
        return TransactionQuery(
            charge_point_id=self.charger or None,
            id_tag=self.card or None,
            person_id=self.person or None,
            ended_since=span[0],
            ended_until=span[1],
            open=True if self.show is Shown.OPEN else None,
            implausible=self.show is Shown.IMPLAUSIBLE,
            recovered=self.show is Shown.RECOVERED,
            limit=limit,
            cursor=cursor,
        )

    def csv_address(self, viewer: Viewer) -> str:
        """Where the API has what is shown as a file."""
        given = self.query(viewer, None).model_dump(exclude={"limit", "cursor"}, exclude_defaults=True)
        spelled = {name: _spell(value) for name, value in given.items()}
        spelled |= {"format": "csv", "dialect": viewer.dialect.value}
        if viewer.zone_name is not None:
            spelled["timezone"] = viewer.zone_name
        return "/api/v1/transactions?" + urlencode(spelled)


def _spell(value: object) -> str:
    if isinstance(value, datetime):
        return spell_time(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@router.get("/sessions")
async def show_sessions(
    request: Request,
    services: FromServices,
    renderer: FromRenderer,
    cursor: Annotated[str | None, Query(max_length=8000)] = None,
) -> Response:
    """The sessions of a month, or those that run."""
    viewer = viewer_of(request)
    month_now = CalendarPeriod.month_of(services.clock.now(), viewer.zone)
    filters = Filters(request.query_params, month_now)
    try:
        page = await reads.list_page(services.readers, filters.query(viewer, cursor), services.live_readings)
    except BadCursor:
        page = await reads.list_page(services.readers, filters.query(viewer, None), services.live_readings)
    running = await _running(services, viewer, filters) if _shows_running(filters, month_now, cursor) else []
    everything = [*running, *page.items]
    holders = await read_holders(services.readers)
    context = {
        "filters": filters,
        "shown": list(Shown),
        "is_month_now": filters.month == month_now,
        "is_first": cursor is None,
        "running": running,
        "sessions": page.items,
        "next": None if page.next_cursor is None else filters.address(cursor=page.next_cursor),
        "names": await services.charge_points.names(it.charge_point_id for it in everything),
        "holders": {it.transaction_id: holders.of(it.id_tag, it.started_at) for it in everything},
        "everybody": await people_of(services),
        "chargers": await services.charge_points.choice(_CHARGERS),
        "csv": filters.csv_address(viewer),
    }
    return renderer.page(request, "sessions.html", context)


async def people_of(services: ApiServices) -> list[PersonRecord]:
    """The first so many, for a choice."""
    today = in_zone(services.clock.now(), None).date()
    page = await people.list_page(services.readers, PageQuery(limit=_CHOICE), today)
    return page.items


def _shows_running(filters: Filters, month_now: CalendarPeriod, cursor: str | None) -> bool:
    return filters.show is Shown.ALL and filters.month == month_now and cursor is None


async def _running(services: ApiServices, viewer: Viewer, filters: Filters) -> list[Transaction]:
    query = filters.query(viewer, None, _OPEN_ROWS).model_copy(
        update={"open": True, "ended_since": None, "ended_until": None}
    )
    page: Page[Transaction] = await reads.list_page(services.readers, query, services.live_readings)
    return page.items
