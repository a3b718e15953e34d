"""The pages' buttons in OCPP 1.6."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from mcpp.csms.buttons import Button, ButtonCommand, Buttons, KeyChange, plain


def _connector(_evse_id: int, connector_id: int) -> dict[str, JsonValue]:
    return {"connectorId": connector_id}


def _availability(wanted: str) -> ButtonCommand:
    return ButtonCommand("ChangeAvailability", lambda _, connector_id: {"connectorId": connector_id, "type": wanted})


BUTTONS: Final[Buttons] = {
    Button.START: ButtonCommand("RemoteStartTransaction", _connector, "idTag", 20),
    Button.UNLOCK: ButtonCommand("UnlockConnector", _connector),
    Button.PUT_INTO_SERVICE: _availability("Operative"),
    Button.TAKE_OUT_OF_SERVICE: _availability("Inoperative"),
    Button.RESTART: ButtonCommand("Reset", plain({"type": "Soft"})),
    Button.RESTART_AT_ONCE: ButtonCommand("Reset", plain({"type": "Hard"})),
    Button.READ_CONFIGURATION: ButtonCommand("GetConfiguration", plain({})),
}

KEY_CHANGE: Final = KeyChange("ChangeConfiguration", lambda key: {"key": key}, "value", 500, "status")
