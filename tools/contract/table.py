"""The table of one OCPP version in `contracts/`: its actions, the names of its types, its schemas' digests."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcpp.ocppj.actions import Rewrite, Sender


class ContractError(Exception):
    """The contract and the schemas don't agree; the message is one line and says how to mend it."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActionRow(_Row):
    """One action: its feature profile, who sends its request, and the digests of its two schemas."""

    profile: str
    sender: Sender
    request: str
    response: str


class Difference(_Row):
    """A keyword in which the schemas of one shared type differ, and why the class may take what either allows."""

    at: str
    reason: str = Field(min_length=1)


class Bound(_Row):
    """A length for a text that the schemas leave unbounded."""

    at: str
    characters: int = Field(gt=0)
    reason: str = Field(min_length=1)


class _Document(_Row):
    version: str
    schemas: str
    plain_enums: list[str] = []
    types: dict[str, list[str]]
    differences: list[Difference] = []
    bounds: list[Bound] = []
    rewrites: dict[str, dict[str, Rewrite]] = {}
    actions: dict[str, ActionRow]


@dataclass(frozen=True, slots=True)
class Contract:
    """What `contracts/ocppNN.toml` says."""

    path: Path
    version: str
    schemas: str
    """Folder in the `ocpp` package."""
    names: dict[str, str]
    """The class of a shape by its place, such as `IdTagInfo.status`."""
    plain_enums: frozenset[str]
    """The enums whose values stay texts."""
    differences: dict[str, str]
    """The reason by the keyword that may differ, such as `UnitOfMeasure/enum`."""
    bounds: dict[str, Bound]
    """By the property, such as `SampledValue.value`."""
    rewrites: dict[str, dict[str, Rewrite]]
    """What the central system fills in before it validates a command, by action and property."""
    actions: dict[str, ActionRow]

    @property
    def module(self) -> str:
        """The package in `mcpp_generated`, named as the table."""
        return self.path.stem


def load_all(folder: Path) -> list[Contract]:
    """The tables of all versions; raises ContractError where there is none."""
    paths = sorted(folder.glob("ocpp*.toml"))
    if not paths:
        raise ContractError(f"{folder}: no table of the form ocppNN.toml")
    return [load(path) for path in paths]


def load(path: Path) -> Contract:
    """Read a table; raises ContractError where it isn't well formed."""
    try:
        document = _Document.model_validate(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ContractError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    names: dict[str, str] = {}
    for name, places in document.types.items():
        for place in places:
            if place in names:
                raise ContractError(f"{path}: {place} is named twice, {names[place]} and {name}: keep one")
            names[place] = name
    for action in document.rewrites.keys() - document.actions.keys():
        raise ContractError(f"{path}: rewrites.{action}: there is no such action")
    return Contract(
        path=path,
        version=document.version,
        schemas=document.schemas,
        names=names,
        plain_enums=frozenset(document.plain_enums),
        differences={difference.at: difference.reason for difference in document.differences},
        bounds={bound.at: bound for bound in document.bounds},
        rewrites=document.rewrites,
        actions=document.actions,
    )


def write_digest(text: str, action: str, part: Literal["request", "response"], digest: str) -> str:
    """The table's text with one digest replaced; comments and order stay."""
    pattern = re.compile(rf'(^\[actions\.{action}\]\n(?:(?!\[).*\n)*?{part} = ")[^"]*(")', re.MULTILINE)
    return pattern.sub(rf"\g<1>{digest}\g<2>", text, count=1)
