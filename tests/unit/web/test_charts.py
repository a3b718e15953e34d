"""Charts: what their tables say is what was given, and no text becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from mcpp.web.charts import Bar, Key, Ranked, Step, Stretch, Unit, Words, bars, ranking, step_area, strip
from mcpp.web.charts.scale import scale_of, time_ticks

KWH = Unit("kWh", 2)
WORDS = Words()
BEGIN = datetime(2026, 3, 29, tzinfo=UTC)
HOSTILE = "<script>alert('1')</script>\"&\u202e" + "x" * 300


def _bars(data: list[Bar]) -> Markup:
    return bars(data, KWH, WORDS, title=HOSTILE, caption=HOSTILE, columns=(HOSTILE, "Energy"), before=HOSTILE)


def _area(data: list[Step]) -> Markup:
    return step_area(
        data,
        Unit("kW", 1),
        WORDS,
        title=HOSTILE,
        caption=HOSTILE,
        time="Time",
        mean="Mean",
        least="Least",
        greatest="Greatest",
        band=HOSTILE,
        beside=("Energy",),
    )


def _steps(values: list[float | None]) -> list[Step]:
    spans = [(BEGIN + timedelta(minutes=index), value) for index, value in enumerate(values)]
    return [
        Step(at, at + timedelta(minutes=1), v, None if v is None else v - 1, None if v is None else v + 1, (HOSTILE,))
        for at, v in spans
    ]


def _ranking() -> Markup:
    data = [Ranked(HOSTILE, 1.0, href="/people/1?a=1&b=2"), Ranked("Bob", None), Ranked("Ada", 12.5, (HOSTILE,))]
    return ranking(
        data, KWH, WORDS, caption=HOSTILE, columns=("Who", "Energy"), beside=("Note",), shown=2, rest=HOSTILE
    )


def _strip() -> Markup:
    data = [Stretch(BEGIN, BEGIN + timedelta(hours=3), "charging", HOSTILE)]
    return strip(
        data,
        WORDS,
        begin=BEGIN,
        end=BEGIN + timedelta(days=1),
        title=HOSTILE,
        caption=HOSTILE,
        key=[Key("charging", HOSTILE)],
        columns=("From", "To", "State"),
    )


def _exact(chart: ElementTree.Element) -> list[float]:
    """The numbers in the table, as exactly as they were given."""
    return [float(cell.attrib["value"]) for cell in chart.iter("data")]


def _shares(chart: ElementTree.Element, shape: str, look: str, attribute: str) -> list[float]:
    found = (one for one in chart.iter(shape) if look in one.get("class", "").split())
    return [float(one.attrib[attribute].rstrip("%")) for one in found]


@pytest.mark.parametrize("chart", [_bars([Bar(HOSTILE, HOSTILE, 1.0)]), _area(_steps([1.0])), _ranking(), _strip()])
def test_a_text_is_never_markup_and_a_figure_never_styles_or_runs_by_itself(chart: Markup) -> None:
    figure = ElementTree.fromstring(chart)
    elements = list(figure.iter())
    assert figure.tag == "figure"
    assert not {one.tag for one in elements} & {"script", "style"}
    assert not [name for one in elements for name in one.attrib if name == "style" or name.startswith("on")]
    texts = "".join(figure.itertext())
    assert HOSTILE in texts
    assert [one.get("role") for one in figure.iter("svg") if one.get("aria-hidden") is None] in (
        ["img", None],
        ["img"],
        [],
    )


@given(st.lists(st.none() | st.floats(0, 1e7), max_size=40))
def test_the_table_of_bars_has_every_value(values: list[float | None]) -> None:
    figure = ElementTree.fromstring(
        _bars([Bar(str(index), f"Day {index}", value) for index, value in enumerate(values)])
    )
    assert _exact(figure) == [value for value in values if value is not None]
    assert [row.findtext("th") for row in figure.findall(".//tbody/tr")] == [f"Day {i}" for i in range(len(values))]


def test_bars_are_as_high_as_their_values_and_nothing_is_drawn_of_what_is_not_known() -> None:
    figure = ElementTree.fromstring(
        _bars([Bar("1", "1", 10.0, 5.0), Bar("2", "2", 5.0), Bar("3", "3", 0.0), Bar("4", "4", None)])
    )
    assert _shares(figure, "rect", "bar", "height") == [100.0, 100.0, 50.0], "the key, then the bars"
    assert _shares(figure, "line", "zero", "y1") == [100.0]
    assert _shares(figure, "line", "mark", "y1") == [50.0]
    assert "4: no data" in [title.text for title in figure.iter("title")]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=30))
def test_a_step_area_keeps_its_values_and_gaps(values: list[float | None]) -> None:
    figure = ElementTree.fromstring(_area(_steps(values)))
    assert _exact(figure) == [n for value in values if value is not None for n in (value, value - 1, value + 1)]
    line = next((path.attrib["d"] for path in figure.iter("path") if path.get("class") == "mean"), "")
    runs = re.findall("1+", "".join("0" if value is None else "1" for value in values))
    assert line.count("M") == len(runs)


def test_who_took_most_comes_first_and_the_others_are_folded() -> None:
    figure = ElementTree.fromstring(_ranking())
    names = ["".join(cell.itertext()) for cell in figure.iter("th") if cell.get("scope") == "row"]
    assert names == ["Ada", HOSTILE, "Bob"]
    assert _shares(figure, "rect", "bar", "width") == [100.0, 8.0, 0.0]
    assert [link.get("href") for link in figure.iter("a")] == ["/people/1?a=1&b=2"]


def test_a_strip_places_a_state_in_its_day() -> None:
    figure = ElementTree.fromstring(_strip())
    assert _shares(figure, "rect", "charging", "width")[-1] == 12.5


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_an_axis_has_few_round_ticks_around_all_values(values: list[float]) -> None:
    scale = scale_of(values)
    low, high = min(0, *values), max(0, *values)
    unseen = 1e-6 + 1e-8 * (high - low)  # of a pixel
    assert scale.ticks[0] <= low + unseen
    assert scale.ticks[-1] >= high - unseen
    assert 2 <= len(scale.ticks) <= 7
    labels = [WORDS.number(tick, scale.digits) for tick in scale.ticks]
    assert len(set(labels)) == len(labels)


def _labels(begin: datetime, length: timedelta, zone: str) -> Iterator[str]:
    return (tick.label for tick in time_ticks(begin, begin + length, Words(zone=ZoneInfo(zone))))


def test_times_on_the_axis_are_those_of_the_viewers_clock() -> None:
    spring = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert list(_labels(spring, timedelta(hours=12), "Europe/Berlin")) == [
        "29 Mar", "04:00", "06:00", "08:00", "10:00", "12:00"
    ]  # fmt: skip
    assert next(_labels(spring, timedelta(hours=2), "Asia/Kolkata")) == "04:30"
    assert list(_labels(spring, timedelta(days=10), "Europe/Berlin"))[:2] == ["29 Mar", "31 Mar"]
    assert list(_labels(datetime(2025, 6, 15, tzinfo=UTC), timedelta(days=300), "UTC")) == [
        "Jul",
        "Sep",
        "Nov",
        "2026",
        "Mar",
    ]


def test_numbers_are_spelled_as_the_viewer_writes_them() -> None:
    german = Words(decimal=",", group=".")
    assert german.number(12345.678, 2) == "12.345,68"
    assert german.number(-0.001, 2) == "0,00"
    assert Unit("kWh", 1).spell(-2.25, WORDS) == "\N{MINUS SIGN}2.2\N{NO-BREAK SPACE}kWh"
