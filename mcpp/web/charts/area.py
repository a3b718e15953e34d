"""A step area over time: from the least to the greatest value of each span, and the mean as a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from mcpp.web.charts.figure import Column, Key, Text, data_cell, figure, folded_table, grid, joined, percent, svg
from mcpp.web.charts.scale import Scale, Unit, scale_of, time_ticks
from mcpp.web.charts.words import Words

MOST: Final = 300
_SIDE: Final = 2_000
"""Units of the paths' own coordinates, stretched over the whole plot."""


@dataclass(frozen=True, slots=True)
class Step:
    """A span of time, and the values in it; None where none is known."""

    begin: datetime
    end: datetime
    mean: float | None
    least: float | None = None
    greatest: float | None = None
    beside: tuple[Text, ...] = ()
    """What else the table says of it."""


@dataclass(frozen=True, slots=True)
class _Names:
    mean: Text
    least: Text
    greatest: Text


def step_area(
    data: Sequence[Step],
    unit: Unit,
    words: Words,
    *,
    title: Text,
    caption: Text,
    time: Text,
    mean: Text,
    least: Text,
    greatest: Text,
    band: Text,
    beside: tuple[Text, ...] = (),
) -> Markup:
    """A figure of steps in the order of time; what follows `caption` are headings of the table and names in the key.

    Where no step has a least and a greatest value that differ, there's only the mean, filled to 0.
    """
    assert len(data) <= MOST
    scale = scale_of([value for step in data for value in (step.mean, step.least, step.greatest)])
    has_band = any(step.least is not None and step.least != step.greatest for step in data)
    columns = [Column(time), Column(unit.of(mean), is_number=True)]
    if has_band:
        columns += [Column(unit.of(name), is_number=True) for name in (least, greatest)]
    columns += [Column(name, is_number=True) for name in beside]
    shapes = [grid(scale, unit, words)]
    if data:
        shapes += [_paths(data, scale, has_band), *_hits(data, unit, words), *_times(data, words)]
    key = [Key("mean", mean), Key("band", band)] if has_band else []
    rows = (_cells(step, unit, words, has_band) for step in data)
    return figure("area", caption, svg(title, caption, shapes), key, folded_table(columns, rows, words, title))


def _cells(step: Step, unit: Unit, words: Words, has_band: bool) -> list[Text]:
    values = (step.mean, step.least, step.greatest) if has_band else (step.mean,)
    return [words.moment(step.begin), *(data_cell(value, unit, words) for value in values), *step.beside]


def _share(at: datetime, data: Sequence[Step]) -> float:
    """Where a time lies between the first step's begin, 0, and the last one's end, 1."""
    whole = data[-1].end - data[0].begin
    return (at - data[0].begin) / whole if whole > timedelta() else 0.0


def _paths(data: Sequence[Step], scale: Scale, has_band: bool) -> Markup:
    """Band, area and line, each with a gap where nothing is known."""
    area, line, band = [], [], []
    for run in _runs(data):
        means = [step.mean for step in run if step.mean is not None]
        forth = _stairs(run, data, means, scale)
        base = f"V{_y(0, scale)}H{_x(run[0].begin, data)}Z"
        area.append(f"M{forth}{base}")
        line.append(f"M{forth}")
        upper = _stairs(
            run, data, [m if s.greatest is None else s.greatest for s, m in zip(run, means, strict=True)], scale
        )
        lows = [m if s.least is None else s.least for s, m in zip(run, means, strict=True)]
        back = "".join(
            f"V{_y(low, scale)}H{_x(step.begin, data)}" for step, low in zip(reversed(run), reversed(lows), strict=True)
        )
        band.append(f"M{upper}{back}Z")
    path = Markup('<path class="{}" d="{}"/>')
    paths = [path.format("area", "".join(area))]
    paths += [path.format("band", "".join(band))] if has_band else []
    paths.append(path.format("mean", "".join(line)))
    return Markup(
        '<svg class="paths" width="100%" height="100%" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(_SIDE, _SIDE, joined(paths))


def _runs(data: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps with a value that follow each other at once."""
    run: list[Step] = []
    for step in data:
        if run and (step.mean is None or step.begin > run[-1].end):
            yield run
            run = []
        if step.mean is not None:
            run.append(step)
    if run:
        yield run


def _stairs(run: Sequence[Step], data: Sequence[Step], values: Sequence[float], scale: Scale) -> str:
    """The way along the top of a run; the first point without its command."""
    parts = [f"{_x(run[0].begin, data)} {_y(values[0], scale)}"]
    for step, value in zip(run, values, strict=True):
        parts.append(f"V{_y(value, scale)}H{_x(step.end, data)}")
    return "".join(parts)


def _x(at: datetime, data: Sequence[Step]) -> int:
    return round(_SIDE * _share(at, data))


def _y(value: float, scale: Scale) -> int:
    return round(_SIDE * scale.y(value) / 100)


def _hits(data: Sequence[Step], unit: Unit, words: Words) -> Iterator[Markup]:
    """What says a step's values to those who point at it."""
    hit = Markup('<rect class="hit" x="{}" width="{}" y="0" height="100%"><title>{}</title></rect>')
    for step in data:
        if step.mean is None:
            continue
        text = f"{words.moment(step.begin)}: {unit.spell(step.mean, words)}"
        if step.least is not None and step.greatest is not None and step.least != step.greatest:
            text += f" ({words.number(step.least, unit.digits)}\N{EN DASH}{unit.spell(step.greatest, words)})"
        left, right = 100 * _share(step.begin, data), 100 * _share(step.end, data)
        yield hit.format(percent(left), percent(right - left), text)


def _times(data: Sequence[Step], words: Words) -> Iterator[Markup]:
    for tick in time_ticks(data[0].begin, data[-1].end, words):
        share = 100 * _share(tick.at, data)
        yield time_label(share, tick.label, is_narrow=tick.is_narrow)


def time_label(share: float, label: str, *, is_narrow: bool) -> Markup:
    """A time on the axis, with its line; near an edge it's moved in, so that nothing is cut."""
    looks = ["x"] + ([] if is_narrow else ["wide"]) + (["first"] if share < 4 else ["last"] if share > 96 else [])
    shape = Markup(
        '<line class="time" x1="{0}" x2="{0}" y1="0" y2="100%"/>'
        '<text class="{1}" x="{0}" y="100%" dy="1.4em">{2}</text>'
    )
    return shape.format(percent(share), " ".join(looks), label)
