"""What charts say by themselves, in the viewer's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mcpp.web.charts import Words
from mcpp.web.viewer import Viewer

Translate: TypeAlias = Callable[[str], str]
"""An English text in the viewer's language."""


def sentence_case(text: str) -> str:
    """With a capital letter in front, the others as they are."""
    return text[:1].upper() + text[1:]


def chart_words(viewer: Viewer, _: Translate) -> Words:
    """The language's short months, signs and words."""
    is_german = viewer.language == "de"
    months = (
        _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"),
        _("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
    )  # fmt: skip
    return Words(
        zone=viewer.zone,
        decimal="," if is_german else ".",
        group="." if is_german else ",",
        months=months,
        day="{month} {day}" if viewer.is_american else _("{day} {month}"),
        clock_format="%I:%M %p" if viewer.is_american else "%H:%M",
        table=_("Table"),
        missing_name=_("no data"),
    )
