"""The table of one OCPP version in `contracts/`: its actions, the names of its types, its schemas' digests."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcpp.ocppj.actions import Rewrite, Sender
from tools.contract.naming import constant

Part: TypeAlias = Literal["request", "response"]
PARTS: Final[tuple[Part, Part]] = ("request", "response")


class ContractError(Exception):
    """The contract and the schemas don't agree; the message is one line and says how to mend it."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActionRow(_Row):
    """One action: its feature profile or functional block, who sends its request, the digests of its schemas."""

    profile: str
    sender: Sender
    request: str
    response: str | None = None
    """None for what is never answered (SEND, OCPP 2.1 part 4)."""


class Difference(_Row):
    """A keyword in which the schemas of one shared type differ, and why the class may take what either allows."""

    at: str
    reason: str = Field(min_length=1)


class Bound(_Row):
    """A length for a text that the schemas leave unbounded."""

    at: str
    characters: int = Field(gt=0)
    reason: str = Field(min_length=1)


class Narrower(_Row):
    """Where the version refuses what the one that it widens allows, and what becomes of that."""

    at: list[str] = Field(min_length=1)
    reason: str = Field(min_length=1)


class Suffixes(_Row):
    """What follows the name of an action in the name of its request and of its response; a SEND is named as itself."""

    request: str = "Request"
    response: str = "Response"


class _Document(_Row):
    version: str
    schemas: str
    schema_names: Suffixes = Suffixes()
    message_names: Suffixes = Suffixes()
    plain_enums: list[str] = []
    types: dict[str, list[str]] | Literal["as_defined"]
    members: dict[str, str] = {}
    differences: list[Difference] = []
    bounds: list[Bound] = []
    widens: str | None = None
    narrower: list[Narrower] = []
    rewrites: dict[str, dict[str, Rewrite]] = {}
    actions: dict[str, ActionRow]


@dataclass(frozen=True, slots=True)
class Contract:
    """What `contracts/ocppNN.toml` says."""

    path: Path
    version: str
    schemas: str
    """Folder in the `ocpp` package."""
    schema_names: Suffixes
    """Of the schemas' files."""
    message_names: Suffixes
    """As the specification calls the messages."""
    names: dict[str, str] | None
    """The class of a shape by its place, such as `IdTagInfo.status`; None where the schemas name their shapes."""
    members: dict[str, str]
    """The names of enum members by value, where the rule makes an odd one."""
    plain_enums: frozenset[str]
    """The enums whose values stay texts."""
    differences: dict[str, str]
    """The reason by the keyword that may differ, such as `UnitOfMeasure/enum`."""
    bounds: dict[str, Bound]
    """By the property, such as `SampledValue.value`."""
    widens: str | None
    """The table, such as `ocpp201`, of the version whose messages this one's classes can hold as well."""
    narrower: dict[str, str]
    """The reason by the keyword in which they can't, such as `EVSEType.id/minimum`."""
    rewrites: dict[str, dict[str, Rewrite]]
    """What the central system fills in before it validates a command, by action and property."""
    actions: dict[str, ActionRow]

    @property
    def module(self) -> str:
        """The package in `mcpp_generated`, named as the table."""
        return self.path.stem

    def member(self, value: str) -> str:
        """The name of an enum's member."""
        return self.members.get(value) or constant(value)

    def parts(self, action: str) -> tuple[Part, ...]:
        """Request and response; of a SEND there is but the request."""
        return PARTS if self.is_answered(action) else ("request",)

    def is_answered(self, action: str) -> bool:
        """Whether the action is a CALL with its CALLRESULT, not a SEND."""
        return self.actions[action].response is not None

    def messages(self) -> list[tuple[str, Part]]:
        """Action and part, of every message."""
        return [(action, part) for action in self.actions for part in self.parts(action)]

    def class_name(self, action: str, part: Part) -> str:
        """The model of an action's request or response; of a SEND it's named as the action."""
        return f"{action}{part.capitalize()}" if self.is_answered(action) else action

    def file_name(self, action: str, part: Part) -> str:
        """The name of a schema, without its ending."""
        return f"{action}{getattr(self.schema_names, part)}" if self.is_answered(action) else action

    def message_name(self, action: str, part: Part) -> str:
        """A message as the specification calls it."""
        return f"{action}{getattr(self.message_names, part)}" if self.is_answered(action) else action


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
    for action in document.rewrites.keys() - document.actions.keys():
        raise ContractError(f"{path}: rewrites.{action}: there is no such action")
    return Contract(
        path=path,
        version=document.version,
        schemas=document.schemas,
        schema_names=document.schema_names,
        message_names=document.message_names,
        names=None if document.types == "as_defined" else _by_place(path, document.types),
        members=document.members,
        plain_enums=frozenset(document.plain_enums),
        differences={difference.at: difference.reason for difference in document.differences},
        bounds={bound.at: bound for bound in document.bounds},
        widens=document.widens,
        narrower={place: difference.reason for difference in document.narrower for place in difference.at},
        rewrites=document.rewrites,
        actions=document.actions,
    )


def _by_place(path: Path, types: dict[str, list[str]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, places in types.items():
        for place in places:
            if place in names:
                raise ContractError(f"{path}: {place} is named twice, {names[place]} and {name}: keep one")
            names[place] = name
    return names


def write_digest(text: str, action: str, part: Part, digest: str) -> str:
    """The table's text with one digest replaced; comments and order stay."""
    pattern = re.compile(rf'(^\[actions\.{action}\]\n(?:(?!\[).*\n)*?{part} = ")[^"]*(")', re.MULTILINE)
    return pattern.sub(rf"\g<1>{digest}\g<2>", text, count=1)
