"""All schemas of a version as one, in which every shape is a definition with the specification's name."""

from __future__ import annotations

from typing import TypeAlias

from tools.contract.schemas import PARTS, Part, Schema, Source, file_name
from tools.contract.table import Contract, ContractError

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

WIRE_TYPES: dict[str, dict[str, Json]] = {
    "CiString50": {"type": "string", "maxLength": 50},
    "Tenths": {"type": "number", "multipleOf": 0.1},
    "Timestamp": {"type": "string", "format": "date-time"},
    "Uri": {"type": "string", "format": "uri"},
}
"""Scalars that `mcpp.ocppj.wire` defines by hand; strings with a length only where a field can't say it: in lists."""


def class_name(action: str, part: Part) -> str:
    """The model of an action's request or response."""
    return f"{action}{part.capitalize()}"


def bundle(contract: Contract, sources: dict[str, Source]) -> dict[str, Json]:
    """One JSON schema with a definition per class; raises ContractError where names and schemas don't fit."""
    bundler = _Bundler(contract)
    for action in contract.actions:
        for part in PARTS:
            bundler.add_message(action, part, sources[file_name(action, part)].parse())
    bundler.check_all_used()
    definitions: dict[str, Json] = {name: bundler.definitions[name] for name in sorted(bundler.definitions)}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {**definitions, **WIRE_TYPES}}


class _Bundler:
    def __init__(self, contract: Contract) -> None:
        self.definitions: dict[str, dict[str, Json]] = {}
        self._contract = contract
        self._messages = {class_name(action, part) for action in contract.actions for part in PARTS}
        self._named: set[str] = set()
        self._differing: set[str] = set()
        self._first_place: dict[str, str] = {}

    def add_message(self, action: str, part: Part, schema: Schema) -> None:
        name = class_name(action, part)
        suffix = "req" if part == "request" else "conf"
        definition = self._object(name, schema, schema.definitions)
        self.definitions[name] = {"description": f"{action}.{suffix}", **definition}

    def check_all_used(self) -> None:
        """A name or difference that no schema needs is a slip of the pen, or is left over."""
        if unused := sorted(self._contract.names.keys() - self._named):
            raise self._error(f"no schema has a type at {', '.join(unused)}: correct or remove it under [types]")
        if unused := sorted(self._contract.differences.keys() - self._differing):
            raise self._error(f"no schemas differ at {', '.join(unused)}: remove it from [[differences]]")

    def _object(self, name: str, schema: Schema, definitions: dict[str, Schema]) -> dict[str, Json]:
        if schema.additional_properties:
            raise self._error(f"{name} allows additional properties, its class would not: teach tools/contract/bundle.py")
        properties: dict[str, Json] = {
            key: self._shape(f"{name}.{key}", value, definitions) for key, value in schema.properties.items()
        }
        return {"type": "object", "properties": properties, "required": list(schema.required)}

    def _shape(self, place: str, schema: Schema, definitions: dict[str, Schema]) -> dict[str, Json]:
        if schema.reference is not None:
            schema = definitions[schema.reference.removeprefix("#/definitions/")]
        if schema.items is not None:
            return self._list(place, schema, schema.items, definitions)
        if schema.type == "object" or schema.enum is not None:
            return self._type(place, schema, definitions)
        return self._scalar(place, schema, in_list=False)

    def _list(self, place: str, schema: Schema, item: Schema, definitions: dict[str, Schema]) -> dict[str, Json]:
        if item.type == "string" and item.enum is None:
            items = self._scalar(place, item, in_list=True)
        else:
            items = self._shape(place, item, definitions)
        shape: dict[str, Json] = {"type": "array", "items": items}
        return shape if schema.min_items is None else {**shape, "minItems": schema.min_items}

    def _scalar(self, place: str, schema: Schema, *, in_list: bool) -> dict[str, Json]:
        facets = {"format": schema.format, "maxLength": schema.max_length, "multipleOf": schema.multiple_of}
        scalar: dict[str, Json] = {"type": schema.type, **{key: value for key, value in facets.items() if value}}
        plain = scalar.keys() == {"type"} or (scalar.keys() == {"type", "maxLength"} and not in_list)
        if plain:
            return scalar
        for name, definition in WIRE_TYPES.items():
            if definition == scalar:
                return {"$ref": f"#/$defs/{name}"}
        raise self._error(f"{place}: no type in mcpp/ocppj/wire.py for {scalar}: write one, and name it in WIRE_TYPES")

    def _type(self, place: str, schema: Schema, definitions: dict[str, Schema]) -> dict[str, Json]:
        name = self._contract.names.get(place)
        if name is None:
            raise self._error(f"the type at {place} has no name: add the place to its name under [types]")
        if name in self._messages:
            raise self._error(f"the type at {place} is named as a message, {name}: choose another name under [types]")
        self._named.add(place)
        definition: dict[str, Json]
        if schema.enum is None:
            definition = self._object(name, schema, definitions)
        else:
            definition = {"type": "string", "enum": list(schema.enum)}
        first = self._first_place.setdefault(name, place)
        known = self.definitions.setdefault(name, definition)
        self.definitions[name] = self._merge(name, known, definition, (first, place))
        return {"$ref": f"#/$defs/{name}"}

    def _merge(
        self, at: str, left: dict[str, Json], right: dict[str, Json], places: tuple[str, str]
    ) -> dict[str, Json]:
        """What either side allows, where the difference is listed."""
        merged: dict[str, Json] = {}
        for key in left | right:
            mine, other = left.get(key), right.get(key)
            if mine == other:
                merged[key] = mine
            elif key == "properties" and isinstance(mine, dict) and isinstance(other, dict):
                merged[key] = self._merge_properties(at, mine, other, places)
            else:
                self._check_listed(f"{at}/{key}", places)
                if key == "enum" and isinstance(mine, list) and isinstance(other, list):
                    merged[key] = [*mine, *(value for value in other if value not in mine)]
                elif key != "minItems":
                    raise self._error(f"{at}/{key}: the generator has no union of it: name the two types apart")
        return merged

    def _merge_properties(
        self, at: str, left: dict[str, Json], right: dict[str, Json], places: tuple[str, str]
    ) -> dict[str, Json]:
        merged: dict[str, Json] = {}
        for name in left | right:
            mine, other = left.get(name), right.get(name)
            if not isinstance(mine, dict) or not isinstance(other, dict):
                raise self._error(f"{at}.{name} is only in one of {' and '.join(places)}: name the two types apart")
            merged[name] = self._merge(f"{at}.{name}", mine, other, places)
        return merged

    def _check_listed(self, at: str, places: tuple[str, str]) -> None:
        if at not in self._contract.differences:
            raise self._error(
                f"{' and '.join(places)} differ at {at}: list it with its reason under [[differences]], "
                "or name the two types apart under [types]"
            )
        self._differing.add(at)

    def _error(self, message: str) -> ContractError:
        return ContractError(f"{self._contract.path}: {message}")
