"""Components and variables of the device model, from the wire's words into the domain's and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel

from mcpp.domain.variables import VariableRef
from mcpp.ocppj.actions import encode
from mcpp_generated.db.enums import VariableAttribute
from mcpp_generated.ocpp21.models import AttributeEnumType, ComponentType, EVSEType, VariableType

_CHUNK_MEMBERS: Final = ("requestId", "seqNo", "tbc", "generatedAt")
"""What says which chunk of a report it is, not what is reported."""

_ATTRIBUTES: Final = {told: VariableAttribute(told.value) for told in AttributeEnumType}


def ref_of(component: ComponentType, variable: VariableType, attribute: AttributeEnumType | None = None) -> VariableRef:
    """What an attribute of a variable is called; Actual where none is named (OCPP 2.0.1 part 2, AttributeEnumType)."""
    evse = component.evse
    return VariableRef(
        component=component.name,
        variable=variable.name,
        component_instance=component.instance or "",
        evse_id=0 if evse is None else evse.id,
        connector_id=0 if evse is None else evse.connector_id or 0,
        variable_instance=variable.instance or "",
        attribute=VariableAttribute.ACTUAL if attribute is None else _ATTRIBUTES[attribute],
    )


def component_of(ref: VariableRef) -> ComponentType:
    """The component that a variable belongs to, as the wire names it."""
    evse = EVSEType(id=ref.evse_id, connector_id=ref.connector_id or None) if ref.evse_id else None
    return ComponentType(name=ref.component, instance=ref.component_instance or None, evse=evse)


def variable_of(ref: VariableRef) -> VariableType:
    """The variable, as the wire names it."""
    return VariableType(name=ref.variable, instance=ref.variable_instance or None)


def attribute_of(ref: VariableRef) -> AttributeEnumType:
    """The attribute, as the wire names it."""
    return AttributeEnumType(ref.attribute.value)


def content_of(message: BaseModel, without: Iterable[str] = ()) -> dict[str, Any]:
    """What a message says, as JSON has it, but for some members by their names of the wire."""
    content: dict[str, Any] = json.loads(encode(message))
    for name in without:
        content.pop(name, None)
    return content


def reported_by(chunk: BaseModel) -> dict[str, Any]:
    """What a chunk of a report adds to it, as JSON has it."""
    return content_of(chunk, without=_CHUNK_MEMBERS)
