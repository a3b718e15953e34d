"""Why something that a button asked for wasn't done, as the pages say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fastapi import Request

from mcpp.api.charge_points import STILL_CONNECTED, STILL_HAS_TRANSACTIONS
from mcpp.api.problems import Word
from mcpp.domain.people import CARD_OF_ANOTHER
from mcpp.phrases import translated
from mcpp.web.rendering import Renderer
from mcpp.web.states import msgid
from mcpp.web.terms import CERTIFICATE_STATES

_ON_PAGES: Final[Mapping[str, str]] = {
    CARD_OF_ANOTHER: msgid(
        "The card {card} belongs to {name}. “Take over from now on” gives it to this person, for sessions that begin "
        "from now on."
    ),
    STILL_CONNECTED: msgid("{identity} is connected. Take it off this server first: give it another address, or none."),
    STILL_HAS_TRANSACTIONS: msgid("{identity} has sessions in the books, so it stays: {count}."),
    **CERTIFICATE_STATES,
}
"""What the API words by its own parameters, which no page has."""

FIELDS: Final[Mapping[str, str]] = {
    "path.id": msgid("Identity"),
    "path.person_id": msgid("Person"),
    "path.name": msgid("Name"),
    "body.name": msgid("Name"),
    "body.display_name": msgid("Name"),
    "body.password": msgid("Password"),
    "body.cards": msgid("Cards"),
    "body.note": msgid("Note"),
    "correct body.note": msgid("Why"),
    "body.price_per_kwh": msgid("Price per kWh"),
    "body.price_since": msgid("Valid from"),
    "body.role": msgid("Is allowed to"),
    "body.token": msgid("Token"),
    "body.transaction_id": msgid("Session"),
    "body.energy_wh": msgid("Energy in kWh"),
    "body.who": msgid("Your name"),
    "idTag": msgid("Card"),
    "idToken.idToken": msgid("Card"),
    "value": msgid("Value"),
    "setVariableData.attributeValue": msgid("Value"),
}
"""What the forms call what they send, by where the API finds it; first by its address' last word, if that is here."""

_NUMBER: Final = re.compile(r"\.\d+|\[\d+\]")
"""Of an entry in a list."""


def word_by(renderer: Renderer) -> Word:
    """Says a problem's detail in the viewer's language; None where that is what the API says anyway."""

    def word(request: Request, detail: str) -> str | None:
        translate = renderer.texts(renderer.viewer(request)).gettext
        asked = request.url.path.rpartition("/")[2]
        said = translated(detail, lambda pattern: translate(_on_page(pattern, asked)))
        return None if said == detail else said

    return word


def _on_page(pattern: str, asked: str) -> str:
    field = _NUMBER.sub("", pattern)
    return _ON_PAGES.get(pattern) or FIELDS.get(f"{asked} {field}") or FIELDS.get(field, pattern)
