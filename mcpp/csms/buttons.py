"""What the pages' buttons ask of a charge point, each version's in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic import JsonValue


class Button(StrEnum):
    """What a person can ask for with one click."""

    START = "start"
    """Of a connector, as what follows; with a card."""
    UNLOCK = "unlock"
    PUT_INTO_SERVICE = "put_into_service"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    RESTART = "restart"
    """Of the whole charge point, as what follows. Sessions are ended in good order."""
    RESTART_AT_ONCE = "restart_at_once"
    """Without an orderly end of sessions."""
    READ_CONFIGURATION = "read_configuration"


class ButtonCommand(NamedTuple):
    """The command of a button."""

    action: str
    payload: Callable[[int, int], dict[str, JsonValue]]
    """Its payload for a connector, by evse_id and connector_id; what the central system allots is left out."""
    card_field: str = ""
    """Where in the payload the card goes, the names on the way with dots between them; empty where none is needed."""
    card_length: int = 0
    """Characters that a card may have."""


class KeyChange(NamedTuple):
    """The command that gives a configuration key, or an attribute of a variable, another value."""

    action: str
    payload: Callable[[str], dict[str, JsonValue] | None]
    """Its payload for a key, without the value; None for what names nothing."""
    value_field: str
    """Where in the payload the value goes, the names on the way with dots between them; a number counts in a list."""
    value_length: int
    """Characters that a value may have."""
    answer_field: str
    """Where in the answer stands what became of it, likewise."""


Buttons = Mapping[Button, ButtonCommand]
"""Those that a version has."""

NO_BUTTONS: Final[Buttons] = MappingProxyType({})


def plain(payload: Mapping[str, JsonValue]) -> Callable[[int, int], dict[str, JsonValue]]:
    """The same payload for every connector."""
    return lambda _evse_id, _connector_id: dict(payload)
