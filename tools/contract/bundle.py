"""All schemas of a version as one, in which every shape is a definition with the specification's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tools.contract.schemas import Schema, Source
from tools.contract.table import Contract, ContractError, Part

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

WIRE_TYPES: dict[str, dict[str, Json]] = {
    "mcpp.ocppj.wire.Number": {"type": "number"},
    "mcpp.ocppj.wire.Tenths": {"type": "number", "multipleOf": 0.1},
    "mcpp.ocppj.wire.Timestamp": {"type": "string", "format": "date-time"},
    "mcpp.ocppj.wire.Uri": {"type": "string", "format": "uri"},
    "pydantic.JsonValue": {},
}
"""Scalars that are written by hand, and where."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the modules of a version are written from."""

    definitions: dict[str, dict[str, Json]]
    """By the name of the class."""
    scalars: dict[str, dict[str, Json]]
    """Texts, integers and numbers with bounds that a field can't say, by the names that they are given."""
    wire_types: dict[str, str]
    """Where types are that are written by hand, by their names."""


def bundle(contract: Contract, sources: dict[str, Source]) -> Bundle:
    """A definition per class; raises ContractError where names and schemas don't fit."""
    bundler = _Bundler(contract)
    for action, part in contract.messages():
        bundler.add_message(action, part, sources[contract.file_name(action, part)].parse())
    bundler.check_all_used()
    return Bundle(
        {name: bundler.definitions[name] for name in sorted(bundler.definitions)},
        {name: bundler.scalars[name] for name in sorted(bundler.scalars)},
        {place.rpartition(".")[2]: place for place in WIRE_TYPES},
    )


_ALLOWED = {
    "string": frozenset({"maxLength"}),
    "integer": frozenset({"minimum", "maximum"}),
    "number": frozenset({"minimum", "maximum"}),
    "boolean": frozenset[str](),
}
"""The facets that a field or a generated scalar can say."""


def _whole(bound: float | None) -> float | None:
    return int(bound) if bound is not None and bound.is_integer() else bound


class _Bundler:
    def __init__(self, contract: Contract) -> None:
        self.definitions: dict[str, dict[str, Json]] = {}
        self.scalars: dict[str, dict[str, Json]] = {}
        self._contract = contract
        self._messages = {contract.class_name(action, part) for action, part in contract.messages()}
        self._message = ""
        self._local: dict[str, Schema] = {}
        self._first_in: dict[str, str] = {}
        self._used: set[str] = set()

    def add_message(self, action: str, part: Part, schema: Schema) -> None:
        self._message = self._contract.class_name(action, part)
        self._local = schema.definitions
        description = self._contract.message_name(action, part)
        self.definitions[self._message] = {"description": description, **self._object(self._message, schema)}

    def check_all_used(self) -> None:
        """A name or difference that no schema needs is a slip of the pen, or is left over."""
        if self._contract.names and (unused := sorted(self._contract.names.keys() - self._used)):
            raise self._error(f"no schema has a type at {', '.join(unused)}: correct or remove it under [types]")
        if unused := sorted(self._contract.differences.keys() - self._used):
            raise self._error(f"no schemas differ at {', '.join(unused)}: remove it from [[differences]]")
        if unused := sorted(self._contract.bounds.keys() - self._used):
            raise self._error(f"no schema has an unbounded text at {', '.join(unused)}: remove it from [[bounds]]")
        enums = {name: definition["enum"] for name, definition in self.definitions.items() if "enum" in definition}
        if unknown := sorted(self._contract.plain_enums - enums.keys()):
            raise self._error(f"no enum is named {', '.join(unknown)}: correct or remove it under plain_enums")
        values: set[str] = set()
        for name, listed in enums.items():
            assert isinstance(listed, list)
            texts = list(map(str, listed))
            if len(set(map(self._contract.member, texts))) < len(texts) and name not in self._contract.plain_enums:
                raise self._error(f"two values of {name} get one name: name one of them under [members]")
            values.update(texts)
        if unused := sorted(self._contract.members.keys() - values):
            raise self._error(f"no enum has the value {', '.join(unused)}: correct or remove it under [members]")

    def _object(self, name: str, schema: Schema) -> dict[str, Json]:
        properties: dict[str, Json] = {
            key: self._shape(f"{name}.{key}", value) for key, value in schema.properties.items()
        }
        shape: dict[str, Json] = {"type": "object", "properties": properties, "required": list(schema.required)}
        return {**shape, "additionalProperties": True} if schema.additional_properties else shape

    def _shape(self, place: str, schema: Schema) -> dict[str, Json]:
        defined_as = None
        if schema.reference is not None:
            defined_as = schema.reference.removeprefix("#/definitions/")
            schema = self._local[defined_as]
        if schema.items is not None:
            return self._list(place, schema, schema.items)
        if schema.type == "object" or schema.enum is not None:
            return self._named(place, schema, defined_as)
        return self._scalar(place, schema, in_list=False)

    def _list(self, place: str, schema: Schema, item: Schema) -> dict[str, Json]:
        if item.type in ("string", "integer") and item.enum is None:
            items = self._scalar(place, item, in_list=True)
        else:
            items = self._shape(place, item)
        bounds: dict[str, Json] = {"minItems": schema.min_items, "maxItems": schema.max_items}
        return {"type": "array", "items": items, **{key: value for key, value in bounds.items() if value is not None}}

    def _scalar(self, place: str, schema: Schema, *, in_list: bool) -> dict[str, Json]:
        max_length = schema.max_length
        if max_length is None and schema.type == "string" and (bound := self._contract.bounds.get(place)):
            max_length = bound.characters
            self._used.add(place)
        facets: dict[str, Json] = {
            "type": schema.type,
            "format": schema.format,
            "maxLength": max_length,
            "multipleOf": schema.multiple_of,
            "minimum": _whole(schema.minimum),
            "maximum": _whole(schema.maximum),
        }
        scalar: dict[str, Json] = {key: value for key, value in facets.items() if value is not None}
        for name, definition in WIRE_TYPES.items():
            if definition == scalar:
                return {"$ref": f"#/$defs/{name.rpartition('.')[2]}"}
        allowed = _ALLOWED.get(str(schema.type), frozenset())
        if not scalar.keys() - {"type"} <= allowed:
            raise self._error(f"{place}: {scalar} is unknown: teach tools/contract/scalars.py, or write its type")
        # Of a list's items and of numbers a field can't say the bounds.
        if (in_list and len(scalar) > 1) or schema.type == "number":
            return {"$ref": f"#/$defs/{self._scalar_name(scalar)}"}
        return scalar

    def _scalar_name(self, scalar: dict[str, Json]) -> str:
        """`Text50`, `IntegerFrom0`, `NumberFrom0To100`."""
        if scalar["type"] == "string":
            name = f"Text{scalar['maxLength']}"
        else:
            words = {"minimum": "From", "maximum": "To"}
            bounds = (f"{word}{scalar[key]}" for key, word in words.items() if key in scalar)
            name = "".join([str(scalar["type"]).capitalize(), *bounds])
        self.scalars[name] = scalar
        return name

    def _named(self, place: str, schema: Schema, defined_as: str | None) -> dict[str, Json]:
        names = self._contract.names
        name = defined_as if names is None else names.get(place)
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
