"""The pages' buttons in OCPP 2.0.1 and 2.1. Ids of requests and of remote starts are allotted as for any command."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from mcpp.csms.buttons import Button, ButtonCommand, Buttons, KeyChange, plain
from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.domain.variables import BadKey, read_key
from mcpp_generated.db.enums import VariableAttribute

_CARD: Final = "ISO14443"
"""The type of an RFID card, which is what people choose from: the driver's own one then stops the session, too."""


def _start(evse_id: int, _connector_id: int) -> dict[str, JsonValue]:
    return {"evseId": evse_id, "idToken": {"type": _CARD}}


def _unlock(evse_id: int, connector_id: int) -> dict[str, JsonValue]:
    return {"evseId": evse_id, "connectorId": connector_id}


def _availability(wanted: str) -> ButtonCommand:
    def payload(evse_id: int, connector_id: int) -> dict[str, JsonValue]:
        if evse_id == NO_EVSE:
            return {"operationalStatus": wanted}
        evse: dict[str, JsonValue] = {"id": evse_id}
        return {
            "operationalStatus": wanted,
            "evse": evse if connector_id == CHARGE_POINT else {**evse, "connectorId": connector_id},
        }

    return ButtonCommand("ChangeAvailability", payload)


def _variable(key: str) -> dict[str, JsonValue] | None:
    """SetVariables (part 2, B05) of one attribute, by its key of the device model."""
    try:
        ref = read_key(key)
    except BadKey:
        return None
    component: dict[str, JsonValue] = {"name": ref.component}
    if ref.component_instance:
        component["instance"] = ref.component_instance
    if ref.evse_id:
        evse: dict[str, JsonValue] = {"id": ref.evse_id}
        component["evse"] = {**evse, "connectorId": ref.connector_id} if ref.connector_id else evse
    variable: dict[str, JsonValue] = {"name": ref.variable}
    if ref.variable_instance:
        variable["instance"] = ref.variable_instance
    wanted: dict[str, JsonValue] = {"component": component, "variable": variable}
    if ref.attribute is not VariableAttribute.ACTUAL:
        wanted["attributeType"] = ref.attribute.value
    return {"setVariableData": [wanted]}


BUTTONS: Final[Buttons] = {
    Button.START: ButtonCommand("RequestStartTransaction", _start, "idToken.idToken", 36),
    Button.UNLOCK: ButtonCommand("UnlockConnector", _unlock),
    Button.PUT_INTO_SERVICE: _availability("Operative"),
    Button.TAKE_OUT_OF_SERVICE: _availability("Inoperative"),
    Button.RESTART: ButtonCommand("Reset", plain({"type": "Immediate"})),
    Button.READ_CONFIGURATION: ButtonCommand("GetBaseReport", plain({"reportBase": "FullInventory"})),
}
"""A restart always ends sessions in good order (part 2, B12)."""

KEY_CHANGE: Final = KeyChange(
    "SetVariables", _variable, "setVariableData.0.attributeValue", 1000, "setVariableResult.0.attributeStatus"
)
