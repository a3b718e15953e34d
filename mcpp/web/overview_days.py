"""The last days as bars."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Final

from markupsafe import Markup

from mcpp.reads.days import Day
from mcpp.web.charts import Bar, Unit, bars
from mcpp.web.viewer import Viewer
from mcpp.web.wording import chart_words

_UNIT: Final = Unit("kWh", 1)


def days_chart(days: Sequence[Day], viewer: Viewer, texts: gettext.NullTranslations) -> Markup | None:
    """A bar for each day, the last of which isn't over; the caption says it in words. None where nothing flowed."""
    _ = texts.gettext
    words = chart_words(viewer, _)
    drawn = []
    for day in days:
        # Noon of the day, which is that day in the words' zone, too.
        name = words.date(datetime.combine(day.date, time(12), words.zone).astimezone(UTC))
        value = day.booked.energy_wh / 1000
        drawn.append(Bar(label=str(day.date.day), name=name, value=value, runs=day is days[-1]))
    most = max(drawn, key=lambda bar: bar.value or 0)
    total = _UNIT.spell(sum(bar.value or 0 for bar in drawn), words)
    if not most.value:
        return None
    caption = _("{total} in {count} days; most on {day}: {most}").format(
        total=total, count=len(drawn), day=most.name, most=_UNIT.spell(most.value, words)
    )
    return bars(
        drawn, _UNIT, words, title=_("Energy of the last days"), caption=caption, columns=(_("Day"), _("Energy"))
    )
