"""How one attribute of a variable of the device model is named, in one text: `Connector@1.2.AvailabilityState`.

    Component[instance]@evse.connector.Variable[instance]#Attribute

What a charge point doesn't tell is left out with its signs, and so is the attribute `Actual`:
`OCPPCommCtrlr.HeartbeatInterval`, `OCPPCommCtrlr.MessageTimeout[Default]`, `EVSE@1.Power#MaxSet`. A sign that belongs
to a name is written as `%` and two hexadecimal digits, as in a URL; in brackets only `%` and brackets are. Letter case
doesn't matter where keys are compared: names are identifierStrings (OCPP 2.0.1 part 2).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mcpp_generated.db.enums import VariableAttribute


class BadKey(ValueError):
    """A text that names no variable; says what would."""


class VariableRef(NamedTuple):
    """One attribute of a variable."""

    component: str
    variable: str
    component_instance: str = ""
    evse_id: int = 0
    """0: of the charge point as a whole."""
    connector_id: int = 0
    """0: of the EVSE as a whole."""
    variable_instance: str = ""
    attribute: VariableAttribute = VariableAttribute.ACTUAL

    @property
    def key(self) -> str:
        """Its spelling; `read_key` reads it."""
        place = ""
        if self.evse_id or self.connector_id:
            place = f"@{self.evse_id}" + (f".{self.connector_id}" if self.connector_id else "")
        attribute = "" if self.attribute is VariableAttribute.ACTUAL else f"#{self.attribute.value}"
        return (
            f"{_written(self.component)}{_instance(self.component_instance)}{place}"
            f".{_written(self.variable)}{_instance(self.variable_instance)}{attribute}"
        )


_ATTRIBUTES: Final = {attribute.value.casefold(): attribute for attribute in VariableAttribute}

_SIGN: Final = re.compile(r"[\x00-\x20\x7f%.@#\[\]]")
_SIGN_IN_BRACKETS: Final = re.compile(r"[\x00-\x1f\x7f%\[\]]")
_ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")

_NAME: Final = r"(?:[^%.@#\[\]]|%[0-9A-Fa-f]{2})*"
_KEY: Final = re.compile(
    rf"(?P<component>{_NAME})(?:\[(?P<component_instance>[^\[\]]*)\])?"
    r"(?:@(?P<evse_id>-?[0-9]{1,19})(?:\.(?P<connector_id>-?[0-9]{1,19})(?=\.))?)?"
    rf"\.(?P<variable>{_NAME})(?:\[(?P<variable_instance>[^\[\]]*)\])?(?:#(?P<attribute>[A-Za-z]+))?"
)


def read_key(text: str) -> VariableRef:
    """What a key names. Raises BadKey."""
    found = _KEY.fullmatch(text.strip())
    attribute = None if found is None else _ATTRIBUTES.get((found["attribute"] or "Actual").casefold())
    if found is None or attribute is None:
        raise BadKey(
            f"{text[:100]!r} names no variable: write Component.Variable, or with all that a name may have "
            "Component[instance]@evse.connector.Variable[instance]#Target"
        )
    return VariableRef(
        component=_read(found["component"]),
        variable=_read(found["variable"]),
        component_instance=_read(found["component_instance"]),
        evse_id=int(found["evse_id"] or 0),
        connector_id=int(found["connector_id"] or 0),
        variable_instance=_read(found["variable_instance"]),
        attribute=attribute,
    )


def _instance(name: str) -> str:
    return f"[{_SIGN_IN_BRACKETS.sub(_escaped, name)}]" if name else ""


def _written(name: str) -> str:
    return _SIGN.sub(_escaped, name)


def _escaped(sign: re.Match[str]) -> str:
    return f"%{ord(sign[0]):02X}"


def _read(text: str | None) -> str:
    return _ESCAPED.sub(lambda digits: chr(int(digits[1], 16)), text or "")
