"""Strict first, repair second: what breaks the contract is repaired by rule where its meaning is clear.

A payload that meets the contract passes in one pydantic pass and never comes here. One that fails is repaired at each
error's location by the first rule that takes the error, then validated again; every repair is reported as a deviation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from mcpp.ocppj.errors import CallFault, ErrorCode
from mcpp.ocppj.flow import Deviation

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

# A repaired payload may show errors that the first ones hid; a payload that needs more rounds isn't understood.
_MAX_ROUNDS: Final = 5

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Location: TypeAlias = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """The value stands for this one."""

    value: Json


@dataclass(frozen=True, slots=True)
class Drop:
    """The field counts as absent."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The value is kept whole though it breaks a constraint; `stand_in`, of the same type, meets it."""

    stand_in: str


Mend: TypeAlias = Replace | Drop | Keep


@dataclass(frozen=True, slots=True)
class Rule:
    """A named way of reading what breaks the contract.

    `errors` are pydantic's error types it looks at, any where None; `mend` returns None where the meaning isn't clear.
    """

    name: str
    errors: frozenset[str] | None
    mend: Callable[[Json, ErrorDetails], Mend | None]


class Number(float):
    """A JSON number that remembers its text, since 230.10 must not become 230.1 where it's meant as text."""

    __slots__ = ("text",)
    text: str

    @classmethod
    def of(cls, text: str) -> Number:
        number = cls(text)
        number.text = text
        return number


def repair(decode: Callable[[bytes], M], payload: bytes, rules: Sequence[Rule]) -> tuple[M, list[Deviation]]:
    """Mend a payload that `decode` refuses by its contract; raises CallFault where no rule helps."""
    document = _parse(payload)
    deviations: list[Deviation] = []
    kept: dict[Location, str] = {}
    for _ in range(_MAX_ROUNDS):
        try:
            value = decode(json.dumps(document).encode())
        except ValidationError as error:
            _mend_all(document, error, rules, deviations, kept)
        else:
            for location, text in kept.items():
                _put_back(value, location, text)
            return value, deviations
    raise CallFault(ErrorCode.FORMAT_VIOLATION, "the payload breaks the contract in too many ways")


def _parse(payload: bytes) -> Json:
    try:
        document: Json = json.loads(payload, parse_float=Number.of, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CallFault(ErrorCode.FORMAT_VIOLATION, f"the payload is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CallFault(ErrorCode.FORMAT_VIOLATION, "the payload is not a JSON object")
    return document


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")


def _mend_all(
    document: Json,
    error: ValidationError,
    rules: Sequence[Rule],
    deviations: list[Deviation],
    kept: dict[Location, str],
) -> None:
    for detail in error.errors(include_url=False, include_input=False):
        location = detail["loc"]
        parent, key = _parent_of(document, location)
        rule, mend, value = _first_that_helps(rules, detail, parent, key)
        if isinstance(mend, Drop) and isinstance(parent, dict) and isinstance(key, str):
            del parent[key]
        elif isinstance(mend, Replace):
            _assign(parent, key, mend.value)
        elif isinstance(mend, Keep) and isinstance(value, str):
            kept[location] = value
            _assign(parent, key, mend.stand_in)
        else:
            raise _fault(detail)
        deviations.append(Deviation(rule, spell_location(location)))


def _first_that_helps(
    rules: Iterable[Rule], detail: ErrorDetails, parent: Json, key: int | str | None
) -> tuple[str, Mend, Json]:
    if key is None:
        raise _fault(detail)
    value = _item(parent, key)
    for rule in rules:
        if rule.errors is not None and detail["type"] not in rule.errors:
            continue
        mend = rule.mend(value, detail)
        if mend is not None:
            return rule.name, mend, value
    raise _fault(detail)


def _parent_of(document: Json, location: Location) -> tuple[Json, int | str | None]:
    """The container that holds the erring value and the value's key in it; no key where it isn't there."""
    parent: Json = document
    for step in location[:-1]:
        parent = _item(parent, step)
    key = location[-1] if location else None
    if isinstance(parent, dict) and key in parent:
        return parent, key
    if isinstance(parent, list) and isinstance(key, int) and key < len(parent):
        return parent, key
    return parent, None


def _item(container: Json, key: int | str) -> Json:
    if isinstance(container, dict) and isinstance(key, str):
        return container.get(key)
    if isinstance(container, list) and isinstance(key, int):
        return container[key]
    return None


def _assign(container: Json, key: int | str | None, value: Json) -> None:
    if isinstance(container, dict) and isinstance(key, str):
        container[key] = value
    if isinstance(container, list) and isinstance(key, int):
        container[key] = value


def _put_back(value: object, location: Location, text: str) -> None:
    """Set a kept text in a validated model, past the constraint that it breaks; the type is the same."""
    for step in location[:-1]:
        value = _attribute(value, step)
    if isinstance(value, BaseModel):
        value.__dict__[_field_name(value, location[-1])] = text
    elif isinstance(value, list) and isinstance(location[-1], int):
        value[location[-1]] = text


def _attribute(value: object, step: int | str) -> object:
    if isinstance(value, BaseModel):
        item: object = getattr(value, _field_name(value, step))
        return item
    if isinstance(value, list | tuple) and isinstance(step, int):
        return value[step]
    raise LookupError(step)


def _field_name(value: BaseModel, alias: int | str) -> str:
    for name, field in type(value).model_fields.items():
        if alias in (field.alias, name):
            return name
    raise LookupError(alias)


def spell_location(location: Location) -> str:
    """A location as people read it: `meterValue[0].sampledValue[2].value`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


_CODES: Final = {
    "missing": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "extra_forbidden": ErrorCode.FORMAT_VIOLATION,
    "too_short": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "too_long": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "enum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "literal_error": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "string_too_long": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "multiple_of": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
}


def _fault(detail: ErrorDetails) -> CallFault:
    """The CALLERROR for an error that no rule mends; anything not listed is a value of the wrong type."""
    code = _CODES.get(detail["type"], ErrorCode.TYPE_CONSTRAINT_VIOLATION)
    where = spell_location(detail["loc"])
    return CallFault(code, f"{where}: {detail['msg']}" if where else detail["msg"])
