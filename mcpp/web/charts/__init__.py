"""Charts as SVG, drawn on the server: data in, a `<figure>` with its caption and its table out.

Nothing in them needs a script or an inline style: shapes are placed by percentages and coloured by classes, so that
text keeps its size however wide the figure is, and the tokens for light and dark apply. Every text is escaped here.
"""

from mcpp.web.charts.area import Step, step_area
from mcpp.web.charts.bars import Bar, bars
from mcpp.web.charts.figure import Column, Key
from mcpp.web.charts.ranking import Ranked, ranking
from mcpp.web.charts.scale import Unit
from mcpp.web.charts.strip import Stretch, strip
from mcpp.web.charts.words import Words

__all__ = [
    "Bar",
    "Column",
    "Key",
    "Ranked",
    "Step",
    "Stretch",
    "Unit",
    "Words",
    "bars",
    "ranking",
    "step_area",
    "strip",
]
