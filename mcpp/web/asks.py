"""What buttons ask of a charge point, in the words of the version that it speaks: where to, and with what payload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias
from urllib.parse import quote

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


class AsksOf(Protocol):
    """What can be asked of a charge point, or of one of its connectors."""

    def __call__(self, charge_point_id: str, connector_id: int = CHARGE_POINT, evse_id: int = NO_EVSE, /) -> Asks: ...


def asks_of(services: ApiServices) -> AsksOf:
    """By the version that each speaks now; nothing can be asked of one that isn't connected."""

    def asks(charge_point_id: str, connector_id: int = CHARGE_POINT, evse_id: int = NO_EVSE, /) -> Asks:
        buttons = services.buttons.get(services.live.version_of(charge_point_id) or "", NO_BUTTONS)
        commands = f"/api/v1/charge-points/{quote(charge_point_id, safe='')}/commands"
        return {
            button: Ask(
                f"{commands}/{command.action}",
                json.dumps(command.payload(evse_id, connector_id), separators=(",", ":")),
                command.card_field,
                command.card_length,
            )
            for button, command in buttons.items()
        }

    return asks
