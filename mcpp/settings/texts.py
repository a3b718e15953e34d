"""How settings are named and shown, and how mistakes in them are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Final, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mcpp.settings.values import Documented

ENV_PREFIX: Final = "MCPP_"

_CLIENT_VARIABLES: Final = frozenset({"MCPP_API_URL", "MCPP_API_CA"})
"""Of the commands that talk to a running server; `MCPP_API_TOKEN` serves both."""

_PLUGIN_PREFIX: Final = "MCPP_PLUGIN_"
"""A plugin's own settings; the plugin checks them."""


def flag(name: str) -> str:
    """`--ocpp-port` for `ocpp_port`."""
    return f"--{setting(name)}"


def setting(name: str) -> str:
    """`ocpp-port` for `ocpp_port`: a field's name as people write it."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """`MCPP_OCPP_PORT` for `ocpp_port`."""
    return f"{ENV_PREFIX}{name.upper()}"


def as_text(value: object) -> str:
    """A value as one would set it."""
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def documented(field: FieldInfo) -> Documented:
    """What the documentation adds to a field."""
    return next((item for item in field.metadata if isinstance(item, Documented)), Documented())


def allowed_range(field: FieldInfo) -> str:
    """What a field's value may be, with its unit: `1 to 86400 seconds`; empty where nothing bounds it."""
    bounds = list(_constraints(field.annotation, field.metadata))
    unit = documented(field).unit
    least = next((item.ge for item in bounds if isinstance(item, Ge)), None)
    above = next((item.gt for item in bounds if isinstance(item, Gt)), None)
    most = next((item.le for item in bounds if isinstance(item, Le)), None)
    if most is None:
        shortest = next((item.min_length for item in bounds if isinstance(item, MinLen)), None)
        longest = next((item.max_length for item in bounds if isinstance(item, MaxLen)), None)
        return f"{shortest} to {longest} characters" if shortest and longest else unit
    begin = f"above {above}, up to" if least is None and above is not None else f"{least} to"
    return " ".join(filter(None, (begin, str(most), unit)))


def is_number(field: FieldInfo) -> bool:
    """Whether its value is a number, where it has one."""
    kinds = (field.annotation, *get_args(field.annotation))
    return any(kind in {int, float} or get_args(kind)[:1] in {(int,), (float,)} for kind in kinds)


def _constraints(annotation: object, metadata: Iterable[object]) -> Iterator[object]:
    """The bounds of a field, also those that stand inside of an optional one's type."""
    yield from metadata
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            kind, *inner = get_args(part)
            for item in inner:
                # Field(ge=…) inside of a type is a field of its own.
                yield from item.metadata if isinstance(item, FieldInfo) else (item,)
            yield from _constraints(kind, ())


_CONSEQUENCES: Final = frozenset({"default_factory_not_called"})
"""Errors that only follow from another field's, which is reported."""


def describe_mistakes(errors: Iterable[ErrorDetails]) -> list[str]:
    """A line for each mistake that is one of its own."""
    return [_mistake(details) for details in errors if details["type"] not in _CONSEQUENCES]


def _mistake(details: ErrorDetails) -> str:
    name = str(details["loc"][0])
    return f"{setting(name)}: {_problem(details)} (flag {flag(name)}, variable {variable(name)})"


def _problem(details: ErrorDetails) -> str:
    given = repr(details["input"])  # never a secret's: only its validator refuses it, in words of its own
    context = details.get("ctx", {})
    match details["type"]:
        case "float_parsing" | "float_type":
            return f"{given} is not a number"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{given} is not a whole number"
        case "greater_than_equal":
            return f"{details['input']} is below {context['ge']}"
        case "greater_than":
            return f"{details['input']} is not above {context['gt']}"
        case "less_than_equal":
            return f"{details['input']} is above {context['le']}"
        case "enum":
            return f"{given} is not one of {context['expected']}"
        case "bool_parsing" | "bool_type":
            return f"{given} is neither on nor off"
        case "too_short":
            return "names nothing"
        case "value_error":
            return str(context["error"])
        case _:
            return details["msg"]


def unknown_variables(environment: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """A line for each variable that looks like one of ours and is none; `names` are those of the settings."""
    known = {variable(name) for name in names} | _CLIENT_VARIABLES
    unknown = sorted(
        name
        for name in environment
        if name.upper().startswith(ENV_PREFIX)
        and name.upper() not in known
        and not name.upper().startswith(_PLUGIN_PREFIX)
    )
    return [f"{name}: there is no such setting{_hint(name.upper(), known)}" for name in unknown]


def _hint(name: str, known: set[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f"; did you mean {nearest[0]}?" if nearest else ""
