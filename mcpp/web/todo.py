"""What needs somebody, as the pages say it: a sentence in the viewer's language, and one button or link."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from mcpp.csms.buttons import Button
from mcpp.domain.authorization import AuthorizationStatus
from mcpp.phrases import translated
from mcpp.reads.attention import TEXTS, Attention, AttentionAction, AttentionCode, Gravity
from mcpp.web.asks import Ask, AsksOf
from mcpp.web.charger_words import fault_in_words
from mcpp.web.states import msgid


@dataclass(frozen=True, slots=True)
class Todo:
    """One item of the list."""

    sentence: Markup
    gravity: Gravity
    word: str
    """What the gravity is called."""
    item: Attention
    charger_address: str | None
    """Of the charger's page."""
    label: str
    """Of the action."""
    about: str
    """What the action is about, for those who come to it alone, from one button to the next; may be empty."""
    address: str
    """Where the action leads, for a link."""
    restart: Ask | None
    """Where the action is a button: a restart, which is asked about first."""


_LABELS: Final[Mapping[AttentionAction, str]] = {
    AttentionAction.RESTART: msgid("Restart"),
    AttentionAction.LOOK_AT_CHARGER: msgid("Look at the charger"),
    AttentionAction.CONNECT_HELP: msgid("How to connect it"),
    AttentionAction.CLOSE_TRANSACTION: msgid("Close the session"),
    AttentionAction.CONFIGURE: msgid("Configure it"),
    AttentionAction.LOOK_AT_SESSION: msgid("Look at the session"),
    AttentionAction.CORRECT: msgid("Correct it"),
    AttentionAction.ASSIGN: msgid("Assign them"),
    AttentionAction.LOOK_AT_CONFORMANCE: msgid("See what they are"),
    AttentionAction.NAME_CARD: msgid("Name it"),
    AttentionAction.RENEW_CERTIFICATE: msgid("Renew it"),
    AttentionAction.FREE_DISK: msgid("See what is stored"),
    AttentionAction.SET_CLOCK: msgid("See the clock"),
}

_WORDS: Final[Mapping[Gravity, str]] = {
    Gravity.URGENT: msgid("Urgent"),
    Gravity.WARNING: msgid("Warning"),
    Gravity.NOTICE: msgid("Notice"),
}

_FOLDS: Final[Mapping[AttentionAction, str]] = {
    AttentionAction.LOOK_AT_CHARGER: "",
    AttentionAction.RESTART: "",
    AttentionAction.CONFIGURE: "#configuration",
    AttentionAction.ASSIGN: "#unmatched",
    AttentionAction.LOOK_AT_CONFORMANCE: "#conformance",
    AttentionAction.RENEW_CERTIFICATE: "#certificates",
}
"""Where on the charger's page."""

_SERVER: Final = "/settings#server"
"""Where its database, its clock and its own certificates are shown."""

_OWN_CERTIFICATE: Final = msgid("See which one")
"""A certificate of the server's own is renewed by hand."""

_LET_IN: Final = msgid("it may charge")
_REFUSED: Final = msgid("refused")

_OF_SESSIONS: Final = {AttentionAction.CLOSE_TRANSACTION, AttentionAction.LOOK_AT_SESSION, AttentionAction.CORRECT}

_ELSEWHERE: Final[Mapping[AttentionAction, str]] = {
    AttentionAction.CONNECT_HELP: "/connect",
    AttentionAction.NAME_CARD: "/people",
    AttentionAction.FREE_DISK: _SERVER,
    AttentionAction.SET_CLOCK: _SERVER,
    AttentionAction.RENEW_CERTIFICATE: _SERVER,
}


def todo(item: Attention, texts: gettext.NullTranslations, asks: AsksOf, *, leads_to_charger: bool = True) -> Todo:
    """How an item is shown; `asks` is what can be asked of a charger, whose name leads to its page if asked for."""
    action = item.action
    is_own = action is AttentionAction.RENEW_CERTIFICATE and item.charge_point_id is None
    is_restart = action is AttentionAction.RESTART and item.charge_point_id is not None
    restart = asks(item.charge_point_id).get(Button.RESTART) if is_restart and item.charge_point_id else None
    return Todo(
        sentence=_sentence(item, texts, leads_to_charger=leads_to_charger),
        gravity=item.gravity,
        word=texts.gettext(_WORDS[item.gravity]),
        item=item,
        charger_address=None if item.charge_point_id is None else charger_address(item.charge_point_id),
        label=texts.gettext(
            _OWN_CERTIFICATE
            if is_own
            else _LABELS[action if restart or not is_restart else AttentionAction.LOOK_AT_CHARGER]
        ),
        about=item.params.get("id_tag" if action is AttentionAction.NAME_CARD else "name", ""),
        address=_address(item),
        restart=restart,
    )


def charger_address(charge_point_id: str) -> str:
    """Of a charger's page."""
    return f"/chargers/{quote(charge_point_id, safe='')}"


def _sentence(item: Attention, texts: gettext.NullTranslations, *, leads_to_charger: bool) -> Markup:
    # The sentence is ours; what stands in it is others', and may be written from right to left.
    whole = Markup(texts.gettext(TEXTS[item.code]).replace("&", "&amp;"))  # noqa: S704  # nosec B704  ours
    said = {name: translated(value, texts.gettext) or value for name, value in item.params.items()}
    if item.code is AttentionCode.FAULTED:
        said["error"] = fault_in_words(said["error"], texts.gettext)
    if item.code is AttentionCode.UNKNOWN_CARD:
        said["status"] = texts.gettext(_LET_IN if said["status"] == AuthorizationStatus.ACCEPTED else _REFUSED)
    shown = {name: Markup("<bdi>{}</bdi>").format(value) for name, value in said.items()}
    if leads_to_charger and item.charge_point_id is not None and "name" in shown:
        shown["name"] = Markup('<a href="{}">{}</a>').format(charger_address(item.charge_point_id), shown["name"])
    return whole.format_map(shown)


def _address(item: Attention) -> str:
    action = item.action
    transaction_id = item.params.get("transaction_id")
    if action in _OF_SESSIONS and transaction_id is not None:
        return f"/sessions/{transaction_id}"
    if action in _FOLDS and item.charge_point_id is not None:
        return charger_address(item.charge_point_id) + _FOLDS[action]
    if action is AttentionAction.NAME_CARD and "id_tag" in item.params:
        return f"/people?learnt={quote(item.params['id_tag'], safe='')}"
    return _ELSEWHERE.get(action, "/settings")
