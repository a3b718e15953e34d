"""All schemas of a version as one, in which every shape is a definition with the specification's name."""

from __future__ import annotations

from typing import TypeAlias

from tools.contract.schemas import PARTS, Part, Schema, Source, file_name
from tools.contract.table import Contract, ContractError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

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
        self._message = ""
        self._local: dict[str, Schema] = {}
        self._first_in: dict[str, str] = {}
        self._used: set[str] = set()

    def add_message(self, action: str, part: Part, schema: Schema) -> None:
        self._message = class_name(action, part)
        self._local = schema.definitions
        description = f"{action}.{'req' if part == 'request' else 'conf'}"
        self.definitions[self._message] = {"description": description, **self._object(self._message, schema)}

    def check_all_used(self) -> None:
        """A name or difference that no schema needs is a slip of the pen, or is left over."""
        if unused := sorted(self._contract.names.keys() - self._used):
            raise self._error(f"no schema has a type at {', '.join(unused)}: correct or remove it under [types]")
        if unused := sorted(self._contract.differences.keys() - self._used):
            raise self._error(f"no schemas differ at {', '.join(unused)}: remove it from [[differences]]")
        if unused := sorted(self._contract.bounds.keys() - self._used):
            raise self._error(f"no schema has an unbounded text at {', '.join(unused)}: remove it from [[bounds]]")
        enums = {name for name, definition in self.definitions.items() if "enum" in definition}
        if unknown := sorted(self._contract.plain_enums - enums):
            raise self._error(f"no enum is named {', '.join(unknown)}: correct or remove it under plain_enums")

    def _object(self, name: str, schema: Schema) -> dict[str, Json]:
        if schema.additional_properties:
            raise self._error(f"{name} allows additional properties, its class would not: teach mcpp/ocppj/wire.py")
        properties: dict[str, Json] = {
            key: self._shape(f"{name}.{key}", value) for key, value in schema.properties.items()
        }
        return {"type": "object", "properties": properties, "required": list(schema.required)}

    def _shape(self, place: str, schema: Schema) -> dict[str, Json]:
        if schema.reference is not None:
            schema = self._local[schema.reference.removeprefix("#/definitions/")]
        if schema.items is not None:
            return self._list(place, schema, schema.items)
        if schema.type == "object" or schema.enum is not None:
            return self._named(place, schema)
        return self._scalar(place, schema, in_list=False)

    def _list(self, place: str, schema: Schema, item: Schema) -> dict[str, Json]:
        if item.type == "string" and item.enum is None:
            items = self._scalar(place, item, in_list=True)
        else:
            items = self._shape(place, item)
        shape: dict[str, Json] = {"type": "array", "items": items}
        return shape if schema.min_items is None else {**shape, "minItems": schema.min_items}

    def _scalar(self, place: str, schema: Schema, *, in_list: bool) -> dict[str, Json]:
        max_length = schema.max_length
        if max_length is None and schema.type == "string" and (bound := self._contract.bounds.get(place)):
            max_length = bound.characters
            self._used.add(place)
        facets = {"format": schema.format, "maxLength": max_length, "multipleOf": schema.multiple_of}
        scalar: dict[str, Json] = {"type": schema.type, **{key: value for key, value in facets.items() if value}}
        if scalar.keys() == {"type"} or (scalar.keys() == {"type", "maxLength"} and not in_list):
            return scalar
        for name, definition in WIRE_TYPES.items():
            if definition == scalar:
                return {"$ref": f"#/$defs/{name}"}
        raise self._error(f"{place}: no type in mcpp/ocppj/wire.py for {scalar}: write one, and add it to WIRE_TYPES")

    def _named(self, place: str, schema: Schema) -> dict[str, Json]:
        name = self._contract.names.get(place)
        if name is None:
            raise self._error(f"the type at {place} has no name: add the place to its name under [types]")
        if name in self._messages:
            raise self._error(f"the type at {place} is named as a message, {name}: choose another name under [types]")
        self._used.add(place)
        if schema.enum is None:
            definition = self._object(name, schema)
        else:
            definition = {"type": "string", "enum": list(schema.enum)}
        self._first_in.setdefault(name, self._message)
        known = self.definitions.setdefault(name, definition)
        self.definitions[name] = self._union(name, name, known, definition)
        return {"$ref": f"#/$defs/{name}"}

    def _union(self, name: str, at: str, left: dict[str, Json], right: dict[str, Json]) -> dict[str, Json]:
        """What either side allows, where the difference is listed."""
        union: dict[str, Json] = {}
        for key in left | right:
            one, other = left.get(key), right.get(key)
            if one == other:
                union[key] = one
            elif isinstance(one, dict) and isinstance(other, dict):
                union[key] = self._union(name, at if key == "properties" else f"{at}.{key}", one, other)
            else:
                self._check_listed(name, f"{at}/{key}")
                if key == "enum" and isinstance(one, list) and isinstance(other, list):
                    union[key] = [*one, *(value for value in other if value not in one)]
                elif key != "minItems":
                    raise self._error(f"no class can hold both sides of {at}/{key}: name the two types apart")
        return union

    def _check_listed(self, name: str, at: str) -> None:
        if at not in self._contract.differences:
            raise self._error(
                f"{self._first_in[name]} and {self._message} differ at {at}: list it with its reason under "
                "[[differences]], or name the two types apart under [types]"
            )
        self._used.add(at)

    def _error(self, message: str) -> ContractError:
        return ContractError(f"{self._contract.path}: {message}")
