"""Who took how much this month, as sorted bars."""

from __future__ import annotations

import gettext
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from markupsafe import Markup

from mcpp.api.services import ApiServices
from mcpp.reads.people import read_names
from mcpp.reads.reports import By, Period, energy_report
from mcpp.web.charts import Ranked, Unit, ranking
from mcpp.web.energy_drawing import isolated
from mcpp.web.periods import CalendarPeriod
from mcpp.web.viewer import Viewer
from mcpp.web.wording import chart_words

MOST_SESSIONS: Final = 5_000
"""Of the month: adding up more takes longer than all the rest of the page, and the page of the energy does it."""

_SHOWN: Final = 6
_UNIT: Final = Unit("kWh", 1)


async def takers_chart(
    services: ApiServices, viewer: Viewer, now: datetime, texts: gettext.NullTranslations
) -> Markup | None:
    """By person, or by card as long as no person is known; None where no session ended."""
    _ = texts.gettext
    month = CalendarPeriod.month_of(now, viewer.zone)
    names = await read_names(services.readers)
    by = By.PERSON if names else By.ID_TAG
    since, until = month.begin(viewer.zone), month.end(viewer.zone)
    lines = await energy_report(services.readers, by, Period.MONTH, viewer.zone, since, until)
    taken = {line.subject: line.total.energy_wh / 1000 for line in lines}
    if not taken:
        return None
    shown = names | {"": _("Cards without a name")} if names else {}
    words = chart_words(viewer, _)
    ranked = [Ranked(shown.get(subject, subject), value, (), _address(by, subject)) for subject, value in taken.items()]
    first = max(taken, key=lambda subject: taken[subject])
    whole = sum(taken.values())
    share = words.number(100 * taken[first] / whole if whole else 0, 0)
    caption = _("{name} comes first: {amount}, {percent} % of all.").format(
        name=isolated(shown.get(first, first)), amount=_UNIT.spell(taken[first], words), percent=share
    )
    columns = (_("Name"), _("Energy"))
    return ranking(ranked, _UNIT, words, caption=caption, columns=columns, rest=_("All others"), shown=_SHOWN)


def _address(by: By, subject: str) -> str:
    if by is By.ID_TAG:
        return "/sessions?" + urlencode({"card": subject})
    return f"/people/{quote(subject, safe='')}" if subject else "/people"
