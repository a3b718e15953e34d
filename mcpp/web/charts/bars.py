"""Bars: what each day, month or year amounts to, beside the same of the period before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from mcpp.web.charts.figure import Column, Key, Text, data_cell, figure, folded_table, grid, joined, percent, svg
from mcpp.web.charts.scale import Scale, Unit, scale_of
from mcpp.web.charts.words import Words

MOST: Final = 300
_MOST_LABELS: Final = 16
_MOST_LABELS_NARROW: Final = 7
_WIDTH: Final = 0.74
"""Of a bar, as a part of its place."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    label: str
    """On the axis; short."""
    name: str
    """In full: where somebody points at it, and in the table."""
    value: float | None
    """None where it isn't known, or lies in the future."""
    before: float | None = None
    """The same of the period before."""
    runs: bool = False
    """Its period isn't over."""
    cell: Markup | None = None
    """The name in the table, where it's more than text."""


def bars(
    data: Sequence[Bar],
    unit: Unit,
    words: Words,
    *,
    title: Text,
    caption: Text,
    columns: tuple[Text, Text],
    before: Text | None = None,
    now: Text | None = None,
) -> Markup:
    """A figure of bars, with `columns` as the table's headings of names and values.

    `before` and `now` name the two periods where both are shown.
    """
    assert len(data) <= MOST
    scale = scale_of([bar.value for bar in data] + [bar.before for bar in data])
    place = 100 / max(1, len(data))
    shapes = [grid(scale, unit, words)]
    shapes += [_bar(bar, index * place, place, scale, unit, words) for index, bar in enumerate(data)]
    shapes += _labels(data, place)
    table_columns = [Column(columns[0]), Column(unit.of(now or columns[1]), is_number=True)]
    key = []
    if before is not None:
        table_columns.append(Column(unit.of(before), is_number=True))
        key = [Key("bar", now or columns[1]), Key("mark", before)]
    rows = [
        [
            bar.cell or bar.name,
            data_cell(bar.value, unit, words),
            *([data_cell(bar.before, unit, words)] if before else []),
        ]
        for bar in data
    ]
    table = folded_table(table_columns, rows, words, title)
    return figure("bars", caption, svg(title, caption, shapes), key, table)


def _bar(bar: Bar, left: float, place: float, scale: Scale, unit: Unit, words: Words) -> Markup:
    value = words.missing_name if bar.value is None else unit.spell(bar.value, words)
    hint = f"{bar.name}: {value}"
    if bar.before is not None:
        hint += f" ({unit.spell(bar.before, words)})"
    x, width = left + place * (1 - _WIDTH) / 2, place * _WIDTH
    shapes = [Markup('<rect class="hit" x="{}" width="{}" y="0" height="100%"/>').format(percent(left), percent(place))]
    if bar.value is not None:
        top, bottom = scale.y(max(bar.value, 0)), scale.y(min(bar.value, 0))
        if bar.value == 0:
            shape = Markup('<line class="zero" x1="{}" x2="{}" y1="{}" y2="{}"/>')
            shapes.append(shape.format(percent(x), percent(x + width), percent(bottom), percent(bottom)))
        else:
            shape = Markup('<rect class="bar{}" x="{}" width="{}" y="{}" height="{}"/>')
            look = " runs" if bar.runs else ""
            shapes.append(shape.format(look, percent(x), percent(width), percent(top), percent(bottom - top)))
    if bar.before is not None:
        shape = Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        y = percent(scale.y(bar.before))
        ends = percent(left + place * 0.04), percent(left + place * 0.96)
        shapes += [shape.format(look, *ends, y, y) for look in ("halo", "mark")]
    return Markup("<g><title>{}</title>{}</g>").format(hint, joined(shapes))


def _labels(data: Sequence[Bar], place: float) -> list[Markup]:
    """Under so many of the bars as there's room for, fewer on a phone."""
    wide = max(1, math.ceil(len(data) / _MOST_LABELS))
    narrow = wide * max(1, math.ceil(math.ceil(len(data) / wide) / _MOST_LABELS_NARROW))
    label = Markup('<text class="x{}" x="{}" y="100%" dy="1.4em">{}</text>')
    return [
        label.format("" if index % narrow == 0 else " wide", percent((index + 0.5) * place), bar.label)
        for index, bar in enumerate(data)
        if index % wide == 0
    ]
