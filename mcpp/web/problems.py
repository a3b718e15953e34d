"""Why something that a button asked for wasn't done, as the pages say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from mcpp.api.charge_points import STILL_CONNECTED, STILL_HAS_TRANSACTIONS
from mcpp.api.problems import Word
from mcpp.domain.people import CARD_OF_ANOTHER
from mcpp.phrases import translated
from mcpp.web.rendering import Renderer
from mcpp.web.states import msgid

_ON_PAGES: Final[Mapping[str, str]] = {
    CARD_OF_ANOTHER: msgid(
        "The card {card} belongs to {name}. “Take over from now on” gives it to this person, for sessions that begin "
        "from now on."
    ),
    STILL_CONNECTED: msgid("{identity} is connected. Take it off this server first: give it another address, or none."),
    STILL_HAS_TRANSACTIONS: msgid("{identity} has sessions in the books, so it stays: {count}."),
}
"""What the API words by its own parameters, which no page has."""


def word_by(renderer: Renderer) -> Word:
    """Says a problem's detail in the viewer's language; None where that is what the API says anyway."""

    def word(request: Request, detail: str) -> str | None:
        translate = renderer.texts(renderer.viewer(request)).gettext
        said = translated(detail, lambda pattern: translate(_ON_PAGES.get(pattern, pattern)))
        return None if said == detail else said

    return word
