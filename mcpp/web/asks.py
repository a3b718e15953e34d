"""What buttons ask of a charge point, in the words of the version that it speaks: where to, and with what payload."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeAlias
from urllib.parse import quote

from pydantic import JsonValue

from mcpp.api.services import ApiServices
from mcpp.csms.buttons import NO_BUTTONS, Button
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE


class Ask(NamedTuple):
    """A command, ready to be sent by the page."""

    address: str
    body: str
    """As JSON."""
    card_field: str
    """Where in it the card goes, with dots between the names on the way; empty where none is needed."""
    card_length: int


Asks: TypeAlias = Mapping[Button, Ask]
"""What can be asked of a charge point or connector; what its version can't is missing."""


class KeyAsk(NamedTuple):
    """A command that gives a key another value, ready to be sent by the page."""

    address: str
    body: str
    """As JSON, without the value."""
    value_field: str
    """Where in it the value goes."""
    value_length: int
    answer_field: str
    """Where in the answer stands what became of it."""


class AsksOf(Protocol):
    """What can be asked of a charge point, or of one of its connectors."""

    def __call__(self, charge_point_id: str, connector_id: int = CHARGE_POINT, evse_id: int = NO_EVSE, /) -> Asks: ...


def asks_of(services: ApiServices) -> AsksOf:
    """By the version that each speaks now; nothing can be asked of one that isn't connected."""

    def asks(charge_point_id: str, connector_id: int = CHARGE_POINT, evse_id: int = NO_EVSE, /) -> Asks:
        buttons = services.buttons.get(services.live.version_of(charge_point_id) or "", NO_BUTTONS)
        return {
            button: Ask(
                _address(charge_point_id, command.action),
                _as_json(command.payload(evse_id, connector_id)),
                command.card_field,
                command.card_length,
            )
            for button, command in buttons.items()
        }

    return asks


def key_asks_of(services: ApiServices, charge_point_id: str) -> Callable[[str], KeyAsk | None]:
    """How each key of a charge point's configuration is changed; None where it can't be asked now."""
    change = services.key_changes.get(services.live.version_of(charge_point_id) or "")

    def asks(key: str) -> KeyAsk | None:
        payload = None if change is None else change.payload(key)
        if change is None or payload is None:
            return None
        return KeyAsk(
            _address(charge_point_id, change.action),
            _as_json(payload),
            change.value_field,
            change.value_length,
            f"response.{change.answer_field}",
        )

    return asks


def _address(charge_point_id: str, action: str) -> str:
    return f"/api/v1/charge-points/{quote(charge_point_id, safe='')}/commands/{action}"


def _as_json(payload: Mapping[str, JsonValue]) -> str:
    return json.dumps(payload, separators=(",", ":"))
