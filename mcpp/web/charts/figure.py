"""What all charts have in common: the figure with its caption, its key and its table; grid, axes, SVG's frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from markupsafe import Markup, escape

from mcpp.web.charts.scale import Scale, Unit
from mcpp.web.charts.words import Words

Text: TypeAlias = str | Markup
"""What is escaped, unless it's markup already."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table under a chart."""

    heading: Text
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What one look of a chart's shapes means."""

    look: str
    """A class of ours."""
    name: Text


def joined(parts: Iterable[Markup]) -> Markup:
    """Pieces of markup, one after the other."""
    return Markup("").join(parts)


def percent(value: float) -> str:
    """As an attribute has it: two decimals, of a figure of 1,000 pixels a tenth of one."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


_FIGURE: Final = Markup('<figure class="chart chart-{}"><figcaption>{}</figcaption>{}{}{}</figure>')
_SVG: Final = Markup('<svg class="plot" role="img" focusable="false"><title>{}</title><desc>{}</desc>{}</svg>')
_GRID: Final = Markup(
    '<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/><text class="y" x="0" y="{}" dx="-0.5em" dy="0.35em">{}</text>'
)
_UNIT: Final = Markup('<text class="y" x="0" y="0" dx="-0.5em" dy="-1em">{}</text>')


def figure(kind: str, caption: Text, chart: Markup, key: Sequence[Key], table: Markup) -> Markup:
    """The whole: caption, key, chart, and what stands below it."""
    return _FIGURE.format(kind, caption, _key(key), chart, table)


def svg(title: Text, description: Text, shapes: Iterable[Markup]) -> Markup:
    """The drawing, with a name and a description for those who don't see it."""
    return _SVG.format(title, description, joined(shapes))


def grid(scale: Scale, unit: Unit, words: Words) -> Markup:
    """Lines at the ticks, with their values before them and the unit above."""
    lines = [_UNIT.format(unit.name)]
    for tick in scale.ticks:
        y = percent(scale.y(tick))
        lines.append(_GRID.format("base" if tick == 0 else "grid", y, y, y, words.number(tick, scale.digits)))
    return joined(lines)


def data_cell(value: float | None, unit: Unit, words: Words) -> Markup:
    """A value in a table: as people read it, and exactly for those who copy it."""
    if value is None:
        return Markup('<span title="{}">{}</span>').format(words.missing_name, words.missing)
    return Markup('<data value="{}">{}</data>').format(value, words.number(value, unit.digits))


def folded_table(columns: Sequence[Column], rows: Iterable[Sequence[Text]], words: Words, caption: Text) -> Markup:
    """The table under a chart; the first cell of a row is its heading."""
    table = Markup(
        '<details class="table"><summary>{}</summary>'
        '<div class="scroll" role="region" tabindex="0" aria-label="{}">'
        "<table>{}<tbody>{}</tbody></table></div></details>"
    )
    return table.format(words.table, caption, head(columns), joined(_row(columns, row) for row in rows))


def head(columns: Sequence[Column]) -> Markup:
    """The headings of a table."""
    cell = Markup('<th scope="col"{}>{}</th>')
    return Markup("<thead><tr>{}</tr></thead>").format(joined(cell.format(_class(c), c.heading) for c in columns))


def _row(columns: Sequence[Column], cells: Sequence[Text]) -> Markup:
    first, *others = zip(columns, cells, strict=True)
    return Markup('<tr><th scope="row"{}>{}</th>{}</tr>').format(
        _class(first[0]), first[1], joined(Markup("<td{}>{}</td>").format(_class(c), cell) for c, cell in others)
    )


def _class(column: Column) -> Markup:
    return Markup(' class="number"') if column.is_number else Markup("")


def _key(key: Sequence[Key]) -> Markup:
    if not key:
        return Markup("")
    item = Markup(
        '<li><svg class="swatch" aria-hidden="true"><rect class="{}" width="100%" height="100%"/></svg>{}</li>'
    )
    return Markup('<ul class="key">{}</ul>').format(joined(item.format(one.look, escape(one.name)) for one in key))
