"""`/energy`: how much flowed, in a month, a year or all time, beside the period before, and who took it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.reads.people import PriceBook, read_prices
from mcpp.reads.reports import By, Period, report_by_period
from mcpp.reads.times import AFTER_ALL, BEFORE_ALL, in_zone, spell_time
from mcpp.web.charts import Unit
from mcpp.web.energy_drawing import RANKED, Drawing, Sums
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.periods import CalendarPeriod
from mcpp.web.sessions import people_of
from mcpp.web.viewer import Viewer, viewer_of
from mcpp.web.wording import Translate, chart_words

router = page_router()

_KILOWATT_HOURS: Final = Unit("kWh", 1)

_BY: Final[Mapping[str, By]] = {"charger": By.CHARGER, "person": By.PERSON, "card": By.ID_TAG}

_COST: Final = "cost"


@dataclass(frozen=True, slots=True)
class View:
    """What an address asks for."""

    period: CalendarPeriod | None
    """None: all time."""
    by: str
    show: str
    """`energy` or `cost`."""
    month_now: CalendarPeriod

    @classmethod
    def of(cls, given: Mapping[str, str], month_now: CalendarPeriod) -> View:
        """What makes no sense in it counts as absent."""
        text = given.get("period", "")
        period = None if text == "all" else CalendarPeriod.parse(text) or month_now
        by = given.get("by", "")
        by = by if by in _BY else next(iter(_BY))
        show = _COST if given.get("show") == _COST else "energy"
        return cls(period, by, show, month_now)

    def address(self, **changed: str) -> str:
        """The page's address for this view, with something changed."""
        given = {"period": "all" if self.period is None else str(self.period), "by": self.by, "show": self.show}
        return "/energy?" + urlencode(given | changed)

    @property
    def now(self) -> CalendarPeriod:
        """The period of its kind that runs."""
        return self.month_now if self.period is None or self.period.month is not None else self.year_now

    @property
    def year_now(self) -> CalendarPeriod:
        """The year that runs."""
        return CalendarPeriod(self.month_now.year)

    @property
    def runs(self) -> bool:
        """Whether it isn't over."""
        return self.period is not None and self.period in {self.month_now, self.year_now}

    @property
    def steps(self) -> Period:
        """What each bar stands for."""
        if self.period is None:
            return Period.YEAR
        return Period.DAY if self.period.month is not None else Period.MONTH

    def href_of(self, subject: str) -> str | None:
        """Where more is said of a charger, a person or a card."""
        match self.by:
            case "charger":
                return f"/chargers/{quote(subject, safe='')}"
            case "card":
                return "/sessions?" + urlencode({"card": subject})
            case _:
                return f"/people/{quote(subject, safe='')}" if subject else "/people"

    def csv_address(self, viewer: Viewer) -> str:
        """Where the API has the same as a file."""
        given = {"by": "id_tag" if self.by == "card" else self.by, "period": self.steps.value}
        if self.period is not None:
            given |= {
                "since": spell_time(self.period.begin(viewer.zone)),
                "until": spell_time(self.period.end(viewer.zone)),
            }
        if viewer.zone_name is not None:
            given["timezone"] = viewer.zone_name
        if self.show == _COST:
            given["amounts"] = "true"
        return "/api/v1/reports/energy?" + urlencode(given | {"format": "csv", "dialect": viewer.dialect.value})


@router.get("/energy")
async def show_energy(request: Request, services: FromServices, renderer: FromRenderer) -> Response:
    """The energy of a period."""
    viewer = viewer_of(request)
    now = services.clock.now()
    today = in_zone(now, viewer.zone).date()
    view = View.of(request.query_params, CalendarPeriod.month_of(now, viewer.zone))
    prices = await read_prices(services.readers)
    currency = prices.of("").currency_on(today) or ""
    texts = renderer.texts(viewer)
    is_cost = view.show == _COST
    sums, before = await _read(services, view, viewer, prices if is_cost else None)
    drawing = Drawing(
        period=view.period,
        sums=sums,
        before=before,
        today=today,
        unit=Unit(currency, 2) if is_cost else _KILOWATT_HOURS,
        words=chart_words(viewer, texts.gettext),
        gettext=texts.gettext,
        ngettext=texts.ngettext,
    )
    context = {
        "view": view,
        "sums": sums,
        "bars": drawing.bars(),
        "has_before": bool(before.by_step),
        "ranking": drawing.ranking(await _names(services, view, sums, texts.gettext), view.href_of),
        "left_out": max(0, len(sums.by_subject) - RANKED),
        "csv": view.csv_address(viewer),
        "before": None if view.period is None else view.period.before,
        "after": None if view.period is None or view.runs else view.period.after,
        "has_prices": prices.has_any,
    }
    return renderer.page(request, "energy.html", context)


async def _names(services: ApiServices, view: View, sums: Sums, _: Translate) -> Mapping[str, str]:
    """Of those whose id isn't their name."""
    match view.by:
        case "charger":
            return await services.charge_points.names(sums.by_subject)
        case "person":
            return {person.id: person.name for person in await people_of(services)} | {"": _("Cards without a name")}
        case _:
            return {}


async def _read(services: ApiServices, view: View, viewer: Viewer, prices: PriceBook | None) -> tuple[Sums, Sums]:
    """What the period amounts to, and the one before: by these prices, without them in kWh."""
    since, until = BEFORE_ALL, AFTER_ALL
    if view.period is not None:
        since, until = view.period.before.begin(viewer.zone), view.period.end(viewer.zone)
    sums, before = Sums(), Sums()
    asked = _BY[view.by], view.steps, viewer.zone, since, until, prices
    async for lines in report_by_period(services.readers, *asked):
        for line in lines:
            whose = sums if view.period is None or line.period.startswith(str(view.period)) else before
            total = line.total
            value = total.energy_wh / 1000 if prices is None else _number(total.amount)
            whose.add(line.period, line.subject, value, total.sessions, total.implausible_sessions)
    return sums, before


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
