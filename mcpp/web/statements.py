"""`/people/{id}/statement` and `/statements`: a month's statements, to be read and printed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import Request
from starlette.responses import Response

from mcpp.api.services import ApiServices, FromServices
from mcpp.reads import people
from mcpp.reads.people import PersonRecord
from mcpp.reads.statements import CorrectionReason, Month, Statement, read_statement, read_statements
from mcpp.reads.times import in_zone
from mcpp.story.phrases import IMPLAUSIBLE
from mcpp.web.pages import FromRenderer, page_router
from mcpp.web.people import amounts_of
from mcpp.web.periods import CalendarPeriod
from mcpp.web.rendering import Renderer
from mcpp.web.viewer import Viewer, viewer_of

router = page_router()


@router.get("/people/{person_id}/statement")
async def show_statement(
    request: Request, services: FromServices, renderer: FromRenderer, person_id: str, month: str = ""
) -> Response:
    """A person's statement of a month; by default of the last one that is over."""
    viewer = viewer_of(request)
    now = services.clock.now()
    wanted = _month(month, services, viewer)
    person = await people.find(services.readers, person_id, in_zone(now, viewer.zone).date())
    statement = await read_statement(services.readers, person_id, Month.read(str(wanted)), viewer.zone, now)
    if person is None or statement is None:
        return renderer.page(request, "missing.html", {}, HTTPStatus.NOT_FOUND)
    return await _answer(request, services, renderer, wanted, [statement], person)


@router.get("/statements")
async def show_statements(
    request: Request, services: FromServices, renderer: FromRenderer, month: str = ""
) -> Response:
    """Everybody's statements of a month, each on a sheet of its own."""
    viewer = viewer_of(request)
    wanted = _month(month, services, viewer)
    found = await read_statements(services.readers, Month.read(str(wanted)), viewer.zone, services.clock.now())
    return await _answer(request, services, renderer, wanted, found, None)


def _month(given: str, services: ApiServices, viewer: Viewer) -> CalendarPeriod:
    wanted = CalendarPeriod.parse(given)
    if wanted is not None and wanted.month is not None:
        return wanted
    return CalendarPeriod.month_of(services.clock.now(), viewer.zone).before


async def _answer(
    request: Request,
    services: ApiServices,
    renderer: Renderer,
    month: CalendarPeriod,
    statements: Sequence[Statement],
    person: PersonRecord | None,
) -> Response:
    viewer = viewer_of(request)
    now = services.clock.now()
    _ = renderer.texts(viewer).gettext
    spelled = amounts_of(renderer, viewer)
    chargers = {line.charge_point_id for it in statements for line in (*it.sessions, *it.implausible)}
    chargers |= {line.charge_point_id for it in statements for line in it.corrections}
    context = {
        "person": person,
        "month": month,
        "is_month_now": month == CalendarPeriod.month_of(now, viewer.zone),
        "address": f"{request.url.path}?month=",
        "statements": statements,
        "names": await services.charge_points.names(chargers),
        "kwh": spelled.kwh,
        "amount": spelled.amount,
        "price_text": spelled.price,
        "implausible": IMPLAUSIBLE,
        "reasons": {
            CorrectionReason.LATE: _("Its end became known late"),
            CorrectionReason.CARD_NAMED: _("Its card got its holder"),
            CorrectionReason.REPLACED: _("Its end was replaced by a better one"),
            CorrectionReason.CORRECTED: _("Corrected by hand"),
        },
        "now": now,
        "zone_name": viewer.zone_name or str(in_zone(now, None).tzname()),
    }
    return renderer.page(request, "statement.html", context)
