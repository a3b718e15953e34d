"""The official JSON schemas as judge of what is valid, beside the models that must agree with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from jsonschema import Draft4Validator, Draft6Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from pydantic import BaseModel

from mcpp.ocppj.actions import AnyAction, AnySend, decode
from mcpp_generated.ocpp16 import actions as actions16
from mcpp_generated.ocpp16 import models as models16
from mcpp_generated.ocpp21 import actions as actions21
from mcpp_generated.ocpp21 import models as models21
from mcpp_generated.ocpp201 import actions as actions201
from mcpp_generated.ocpp201 import models as models201
from tools.contract import schemas, table

JsonTree: TypeAlias = "bool | int | Decimal | str | list[JsonTree] | dict[str, JsonTree] | None"

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, eq=False)
class Version:
    """A table with its schemas, and what was generated from them."""

    contract: table.Contract
    models: ModuleType
    actions: Mapping[str, AnyAction]
    sends: Mapping[str, AnySend]

    @cached_property
    def sources(self) -> dict[str, schemas.Source]:
        return schemas.read(self.contract, schemas.folder(self.contract))

    @cached_property
    def messages(self) -> list[Shape]:
        return [
            Shape(self, self.contract.class_name(action, part), self.contract.file_name(action, part))
            for action, part in self.contract.messages()
        ]

    @cached_property
    def definitions(self) -> list[Shape]:
        """Every object that is defined, as the first schema has it that does; the generator says that all are alike."""
        first: dict[str, Shape] = {}
        for message in self.messages:
            for name, schema in message.root.definitions.items():
                if schema.type == "object":
                    first.setdefault(name, Shape(self, name, message.file, is_message=False))
        return list(first.values())


def _version(name: str, models: ModuleType, actions: Mapping[str, AnyAction], sends: Mapping[str, AnySend]) -> Version:
    return Version(table.load(ROOT / "contracts" / f"{name}.toml"), models, actions, sends)


def dump(tree: JsonTree) -> bytes:
    """Compact JSON; a Decimal is written as the number that it is."""
    return _text(tree).encode()


def _text(tree: JsonTree) -> str:
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_text(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(_text, tree)) + "]"
    return str(tree) if isinstance(tree, Decimal) else json.dumps(tree, ensure_ascii=False)


def parse(text: bytes) -> Any:
    """JSON with exact numbers: as a binary float 8.1 would be no multiple of 0.1."""
    return json.loads(text, parse_float=Decimal)


def _is_integer(_: object, value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


# Draft 6 calls 1.0 an integer; jsonschema knows it of floats, but not of decimals.
_Draft6 = extend(  # type: ignore[no-untyped-call]  # the stubs of jsonschema leave it untyped
    Draft6Validator, type_checker=Draft6Validator.TYPE_CHECKER.redefine("integer", _is_integer)
)


@cache
def _parse(source: schemas.Source) -> schemas.Schema:
    return source.parse()


@dataclass(frozen=True, eq=False)
class Shape:
    """A message, or an object that messages share."""

    version: Version
    name: str
    """Of its class."""
    file: str
    """The name of a schema that has it."""
    is_message: bool = True

    def __str__(self) -> str:
        return f"{self.version.contract.version} {self.name}"

    @property
    def root(self) -> schemas.Schema:
        return _parse(self.version.sources[self.file])

    @property
    def schema(self) -> schemas.Schema:
        return self.root if self.is_message else self.root.definitions[self.name]

    @property
    def model(self) -> type[BaseModel]:
        model: type[BaseModel] = getattr(self.version.models, self.name)
        return model

    def decode(self, payload: bytes) -> BaseModel:
        return decode(self.model, payload)

    def official_errors(self, payload: bytes) -> list[ValidationError]:
        return list(self._validator.iter_errors(parse(payload)))

    @cached_property
    def _validator(self) -> Validator:
        schema = json.loads(self.version.sources[self.file].text, parse_float=Decimal)
        draft = _Draft6 if "draft-06" in schema["$schema"] else Draft4Validator
        if not self.is_message:
            schema = {**schema["definitions"][self.name], "definitions": schema["definitions"]}
        return draft(schema, format_checker=FormatChecker())


OCPP16 = _version("ocpp16", models16, actions16.ACTIONS, {})
OCPP201 = _version("ocpp201", models201, actions201.ACTIONS, {})
OCPP21 = _version("ocpp21", models21, actions21.ACTIONS, actions21.SENDS)
VERSIONS = [OCPP16, OCPP201, OCPP21]
