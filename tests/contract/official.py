"""The official JSON schemas as judge of what is valid, beside the models that must agree with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft4Validator, Draft6Validator, FormatChecker, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from pydantic import BaseModel

from mcpp.ocppj.actions import decode
from mcpp_generated.ocpp16.actions import ACTIONS
from tools.contract import schemas, table

JsonTree: TypeAlias = "bool | int | Decimal | str | list[JsonTree] | dict[str, JsonTree] | None"

ROOT = Path(__file__).parents[2]
CONTRACT = table.load(ROOT / "contracts" / "ocpp16.toml")
SOURCES = schemas.read(CONTRACT, schemas.folder(CONTRACT))


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


@dataclass(frozen=True)
class Message:
    """A request or a response."""

    action: str
    part: table.Part

    def __str__(self) -> str:
        return CONTRACT.class_name(self.action, self.part)

    @property
    def schema(self) -> schemas.Schema:
        return _schema(self)

    @property
    def model(self) -> type[BaseModel]:
        action = ACTIONS[self.action]
        return action.request if self.part == "request" else action.response

    def decode(self, payload: bytes) -> BaseModel:
        return decode(self.model, payload)

    def official_errors(self, payload: bytes) -> list[ValidationError]:
        return list(_validator(self).iter_errors(parse(payload)))


def _source(message: Message) -> schemas.Source:
    return SOURCES[CONTRACT.file_name(message.action, message.part)]


@cache
def _schema(message: Message) -> schemas.Schema:
    return _source(message).parse()


@cache
def _validator(message: Message) -> Validator:
    schema = json.loads(_source(message).text, parse_float=Decimal)
    draft = _Draft6 if "draft-06" in schema["$schema"] else Draft4Validator
    return draft(schema, format_checker=FormatChecker())


MESSAGES = [Message(action, part) for action, part in CONTRACT.messages()]
