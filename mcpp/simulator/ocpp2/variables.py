"""The device model of a virtual charging station: variables of components, and what may be done with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from mcpp_generated.ocpp21.models import (
    AttributeEnumType,
    ComponentType,
    DataEnumType,
    EVSEType,
    GetVariableDataType,
    GetVariableResultType,
    GetVariableStatusEnumType,
    MutabilityEnumType,
    ReportBaseEnumType,
    ReportDataType,
    SetVariableDataType,
    SetVariableResultType,
    SetVariableStatusEnumType,
    VariableAttributeType,
    VariableCharacteristicsType,
    VariableType,
)


class Place(NamedTuple):
    """A component, in lower case: the names of the device model know no case."""

    component: str
    instance: str = ""
    evse_id: int = 0
    connector_id: int = 0


@dataclass
class Variable:
    """One variable; only Actual values are kept."""

    component: ComponentType
    variable: VariableType
    value: str
    kind: DataEnumType = DataEnumType.STRING
    mutability: MutabilityEnumType = MutabilityEnumType.READ_ONLY
    unit: str | None = None
    choices: tuple[str, ...] = ()
    needs_reboot: bool = False

    def takes(self, value: str) -> bool:
        """Whether a value is of its kind, and one of its choices where it has some."""
        if self.kind is DataEnumType.INTEGER:
            return value.removeprefix("-").isdecimal()
        if self.kind is DataEnumType.BOOLEAN:
            return value in ("true", "false")
        if self.kind is DataEnumType.MEMBER_LIST or self.kind is DataEnumType.SEQUENCE_LIST:
            return not self.choices or all(item in self.choices for item in value.split(",") if item)
        return not self.choices or value in self.choices

    def reported(self) -> ReportDataType:
        """As in a report; a secret without its value."""
        is_secret = self.mutability is MutabilityEnumType.WRITE_ONLY
        attribute = VariableAttributeType(
            value=None if is_secret else self.value, mutability=self.mutability, persistent=True, constant=False
        )
        characteristics = VariableCharacteristicsType(
            unit=self.unit,
            data_type=self.kind,
            values_list=",".join(self.choices) or None,
            supports_monitoring=False,
        )
        return ReportDataType(
            component=self.component,
            variable=self.variable,
            variable_attribute=[attribute],
            variable_characteristics=characteristics,
        )


class DeviceModel:
    """All variables of a station, in the order in which they are reported."""

    def __init__(self) -> None:
        self._variables: dict[Place, dict[tuple[str, str], Variable]] = {}

    def __iter__(self) -> Iterator[Variable]:
        return (variable for variables in self._variables.values() for variable in variables.values())

    def add(
        self,
        component: str,
        name: str,
        value: str,
        kind: DataEnumType = DataEnumType.STRING,
        *,
        mutability: MutabilityEnumType = MutabilityEnumType.READ_ONLY,
        instance: str | None = None,
        evse_id: int = 0,
        connector_id: int = 0,
        unit: str | None = None,
        choices: Iterable[str] = (),
        needs_reboot: bool = False,
    ) -> None:
        """A variable; EVSE 0 is none, as is connector 0."""
        evse = EVSEType(id=evse_id, connector_id=connector_id or None) if evse_id else None
        variable = Variable(
            ComponentType(name=component, evse=evse),
            VariableType(name=name, instance=instance),
            value,
            kind,
            mutability,
            unit,
            tuple(choices),
            needs_reboot,
        )
        self._variables.setdefault(_place(variable.component), {})[_name(variable.variable)] = variable

    def value(self, component: str, name: str, instance: str = "") -> str:
        """Of a variable of the station; raises KeyError."""
        return self._variables[Place(component.lower())][name.lower(), instance.lower()].value

    def put(self, component: str, name: str, value: str, *, evse_id: int = 0, connector_id: int = 0) -> None:
        """The station itself changes a value; raises KeyError."""
        self._variables[Place(component.lower(), "", evse_id, connector_id)][name.lower(), ""].value = value

    def get(self, asked: GetVariableDataType) -> GetVariableResultType:
        """What GetVariables is answered for one variable (part 2, B06)."""
        status, found = self._found(asked.component, asked.variable)
        value = None
        if found is not None:
            status = GetVariableStatusEnumType.ACCEPTED
            if asked.attribute_type not in (None, AttributeEnumType.ACTUAL):
                status = GetVariableStatusEnumType.NOT_SUPPORTED_ATTRIBUTE_TYPE
            elif found.mutability is MutabilityEnumType.WRITE_ONLY:
                status = GetVariableStatusEnumType.REJECTED
            else:
                value = found.value
        return GetVariableResultType(
            attribute_status=status,
            attribute_type=asked.attribute_type,
            attribute_value=value,
            component=asked.component,
            variable=asked.variable,
        )

    def set(self, wanted: SetVariableDataType) -> SetVariableResultType:
        """Do what SetVariables asks of one variable (part 2, B05)."""
        missing, found = self._found(wanted.component, wanted.variable)
        status = SetVariableStatusEnumType.ACCEPTED
        if found is None:
            status = SetVariableStatusEnumType(missing.value)
        elif wanted.attribute_type not in (None, AttributeEnumType.ACTUAL):
            status = SetVariableStatusEnumType.NOT_SUPPORTED_ATTRIBUTE_TYPE
        elif found.mutability is MutabilityEnumType.READ_ONLY or not found.takes(wanted.attribute_value):
            status = SetVariableStatusEnumType.REJECTED
        else:
            found.value = wanted.attribute_value
            if found.needs_reboot:
                status = SetVariableStatusEnumType.REBOOT_REQUIRED
        return SetVariableResultType(
            attribute_type=wanted.attribute_type,
            attribute_status=status,
            component=wanted.component,
            variable=wanted.variable,
        )

    def report(self, base: ReportBaseEnumType) -> list[ReportDataType]:
        """What a base report has (part 2, B07)."""
        if base is ReportBaseEnumType.FULL_INVENTORY:
            return [variable.reported() for variable in self]
        if base is ReportBaseEnumType.CONFIGURATION_INVENTORY:
            return [each.reported() for each in self if each.mutability is not MutabilityEnumType.READ_ONLY]
        return [each.reported() for each in self if each.variable.name in _SUMMARY]

    def select(self, components: Iterable[tuple[ComponentType, VariableType | None]]) -> list[ReportDataType]:
        """The variables of these components, or only those that are named (part 2, B08)."""
        wanted = list(components)
        return [
            each.reported()
            for each in self
            if not wanted
            or any(
                _place(component) == _place(each.component)
                and (variable is None or _name(variable) == _name(each.variable))
                for component, variable in wanted
            )
        ]

    def _found(
        self, component: ComponentType, variable: VariableType
    ) -> tuple[GetVariableStatusEnumType, Variable | None]:
        variables = self._variables.get(_place(component))
        if variables is None:
            return GetVariableStatusEnumType.UNKNOWN_COMPONENT, None
        return GetVariableStatusEnumType.UNKNOWN_VARIABLE, variables.get(_name(variable))


_SUMMARY: Final = frozenset({"AvailabilityState", "Available", "Problem"})


def _place(component: ComponentType) -> Place:
    evse = component.evse
    return Place(
        component.name.lower(),
        (component.instance or "").lower(),
        0 if evse is None else evse.id,
        0 if evse is None else evse.connector_id or 0,
    )


def _name(variable: VariableType) -> tuple[str, str]:
    return variable.name.lower(), (variable.instance or "").lower()
