"""A strip: what was, from when to when. States differ in colour and height, and are named below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from mcpp.web.charts.area import time_label
from mcpp.web.charts.figure import Column, Key, Text, figure, folded_table, joined, percent, svg
from mcpp.web.charts.scale import time_ticks
from mcpp.web.charts.words import Words

MOST: Final = 300

_EDGES: Final = {
    "charging": (0, 100),
    "plugged_in": (40, 100),
    "reserved": (58, 100),
    "free": (76, 100),
    "faulted": (0, 70),
    "offline": (0, 45),
    "unavailable": (0, 24),
}
"""How far below the upper edge a look begins and ends, in percent: what can be used stands, what can't hangs, so that
nobody needs colours to tell them apart. What isn't known is a line."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time in one state."""

    begin: datetime
    end: datetime
    look: str
    """A class of ours: a state as pages show it."""
    name: Text
    """The state in words, or what was in that time."""


def strip(
    data: Sequence[Stretch],
    words: Words,
    *,
    begin: datetime,
    end: datetime,
    title: Text,
    caption: Text,
    key: Sequence[Key],
    columns: tuple[Text, Text, Text],
) -> Markup:
    """A figure of the stretches from `begin` to `end`; `columns` are the table's headings of begin, end and name."""
    assert len(data) <= MOST
    whole = max(end - begin, timedelta(microseconds=1))

    def place(at: datetime) -> float:
        return 100 * (min(max(at, begin), end) - begin) / whole

    shapes = [Markup('<line class="base" x1="0" x2="100%" y1="100%" y2="100%"/>')]
    for stretch in data:
        left, right = place(stretch.begin), place(stretch.end)
        top, bottom = _EDGES.get(stretch.look, (97, 100))
        hint = f"{words.span(stretch.begin, stretch.end)}: "
        shape = Markup('<rect class="state {}" x="{}" width="{}" y="{}" height="{}"><title>{}{}</title></rect>')
        shapes.append(
            shape.format(
                stretch.look,
                percent(left),
                percent(right - left),
                percent(top),
                percent(bottom - top),
                hint,
                stretch.name,
            )
        )
    shapes += [
        time_label(place(tick.at), tick.label, is_narrow=tick.is_narrow) for tick in time_ticks(begin, end, words)
    ]
    rows = ([words.moment(one.begin), words.moment(one.end), one.name] for one in data)
    table = folded_table([Column(heading) for heading in columns], rows, words, title)
    return figure("strip", caption, joined([svg(title, caption, shapes)]), key, table)
