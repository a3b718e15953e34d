"""Sorted horizontal bars: who took how much. The figure's table is the chart: a bar in each of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from mcpp.web.charts.figure import Column, Text, data_cell, figure, head, joined, percent
from mcpp.web.charts.scale import Unit
from mcpp.web.charts.words import Words

_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Ranked:
    """Somebody or something, and what falls to it."""

    name: Text
    value: float | None
    beside: tuple[Text, ...] = ()
    """What else is said of it."""
    href: str | None = None
    """Its own page: an address of this server."""


def ranking(
    data: Sequence[Ranked],
    unit: Unit,
    words: Words,
    *,
    caption: Text,
    columns: tuple[Text, Text],
    beside: tuple[Text, ...] = (),
    rest: Text = "",
    shown: int = _SHOWN,
) -> Markup:
    """A figure of bars, the greatest first; those behind the first `shown` fold under `rest`."""
    ordered = sorted(data, key=lambda one: -1.0 if one.value is None else one.value, reverse=True)
    greatest = max((one.value for one in ordered if one.value is not None), default=0.0)
    headings = [Column(columns[0]), Column(unit.of(columns[1]), is_number=True)]
    headings += [Column(name, is_number=True) for name in beside]
    table = _table(headings, ordered[:shown], unit, words, greatest)
    behind = ordered[shown:]
    if behind:
        folded = Markup('<details class="table"><summary>{}</summary>{}</details>')
        table += folded.format(rest, _table(headings, behind, unit, words, greatest))
    return figure("ranking", caption, table, (), Markup(""))


def _table(columns: Sequence[Column], data: Sequence[Ranked], unit: Unit, words: Words, greatest: float) -> Markup:
    rows = joined(_row(one, unit, words, greatest) for one in data)
    return Markup('<table class="ranking">{}<tbody>{}</tbody></table>').format(head(columns), rows)


def _row(one: Ranked, unit: Unit, words: Words, greatest: float) -> Markup:
    name = Markup('<bdi class="name">{}</bdi>').format(one.name)
    if one.href is not None:
        name = Markup('<a href="{}">{}</a>').format(one.href, name)
    share = 100 * max(0.0, one.value or 0.0) / greatest if greatest > 0 else 0.0
    bar = Markup(
        '<svg class="rank" aria-hidden="true" focusable="false"><rect class="bar" width="{}" height="100%"/></svg>'
    )
    cells = joined(Markup('<td class="number">{}</td>').format(cell) for cell in one.beside)
    return Markup('<tr><th scope="row">{}{}</th><td class="number">{}</td>{}</tr>').format(
        name, bar.format(percent(share)), data_cell(one.value, unit, words), cells
    )
