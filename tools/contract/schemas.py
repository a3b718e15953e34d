"""The official JSON schemas as the installed `ocpp` package carries them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.contract.table import Contract, ContractError, Part


class Schema(BaseModel):
    """The part of JSON Schema (drafts 4 and 6) that OCPP's schemas use; another keyword is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["object", "array", "string", "integer", "number", "boolean"] | None = None
    reference: str | None = Field(None, alias="$ref")
    definitions: dict[str, Schema] = {}
    properties: dict[str, Schema] = {}
    required: tuple[str, ...] = ()
    additional_properties: bool = Field(True, alias="additionalProperties")
    items: Schema | None = None
    min_items: int | None = Field(None, alias="minItems")
    max_items: int | None = Field(None, alias="maxItems")
    enum: tuple[str, ...] | None = None
    format: Literal["date-time", "uri"] | None = None
    max_length: int | None = Field(None, alias="maxLength")
    multiple_of: float | None = Field(None, alias="multipleOf")
    minimum: float | None = None
    maximum: float | None = None

    # Without effect on what is valid; `additionalItems` has none beside a single schema for all items, and what
    # `default` says of an absent property is for its reader.
    default: Any = None
    description: str | None = None
    comment: str | None = None
    draft: str | None = Field(None, alias="$schema")
    id: str | None = Field(None, alias="$id")
    title: str | None = None
    java_type: str | None = Field(None, alias="javaType")
    additional_items: bool | None = Field(None, alias="additionalItems")


@dataclass(frozen=True, slots=True)
class Source:
    """One schema file."""

    name: str
    """File name without its ending, such as `AuthorizeResponse`."""
    text: str

    @property
    def digest(self) -> str:
        """Of the canonical JSON, so that only a change of content changes it."""
        canonical = json.dumps(json.loads(self.text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    def parse(self) -> Schema:
        """Raises ContractError where the schema uses what the generator doesn't know."""
        try:
            return Schema.model_validate_json(self.text)
        except ValidationError as error:
            first = error.errors()[0]
            raise ContractError(
                f"{self.name}.json: {'.'.join(map(str, first['loc']))}: {first['msg']}: "
                "teach tools/contract/schemas.py and bundle.py what it means"
            ) from error


def folder(contract: Contract) -> Traversable:
    """Where the installed package keeps the version's schemas; raises ContractError where there are none."""
    try:
        directory = files("ocpp") / contract.schemas / "schemas"
    except ModuleNotFoundError as error:
        raise ContractError("the ocpp package isn't installed: run `make setup`") from error
    if not directory.is_dir():
        raise ContractError(f"{contract.path}: the ocpp package has no folder {contract.schemas}: correct `schemas`")
    return directory


def read(contract: Contract, directory: Traversable) -> dict[str, Source]:
    """All schemas by name; raises ContractError where they and the table's actions aren't the same set."""
    sources = {
        entry.name.removesuffix(".json"): Source(entry.name.removesuffix(".json"), entry.read_text("utf-8-sig"))
        for entry in directory.iterdir()
        if entry.name.endswith(".json")
    }
    expected = {contract.file_name(action, part) for action, part in contract.messages()}
    if missing := sorted(expected - sources.keys()):
        raise ContractError(
            f"{contract.path}: no schema for {', '.join(missing)} in the ocpp package: "
            "remove the action or install the version of the package that has it"
        )
    if extra := sorted(sources.keys() - expected):
        raise ContractError(
            f"{contract.path}: no action for the schema {', '.join(extra)} in the ocpp package: add it under [actions]"
        )
    return {name: sources[name] for name in sorted(sources)}


def check_rewrites(contract: Contract, sources: dict[str, Source]) -> None:
    """Raises ContractError where the table rewrites a property that its request doesn't have."""
    for action, rewrites in contract.rewrites.items():
        known = sources[contract.file_name(action, "request")].parse().properties
        for name in rewrites.keys() - known.keys():
            raise ContractError(
                f"{contract.path}: rewrites.{action}.{name}: no such property; there are {', '.join(sorted(known))}"
            )


def digests(contract: Contract, sources: dict[str, Source]) -> list[tuple[str, Part, str, str]]:
    """Action, part, digest in the table and digest of the schema, for each schema."""
    return [
        (action, part, getattr(contract.actions[action], part), sources[contract.file_name(action, part)].digest)
        for action, part in contract.messages()
    ]


def check_digests(contract: Contract, sources: dict[str, Source]) -> None:
    """Raises ContractError where the installed schemas aren't those that the table was written for."""
    changed = [
        contract.file_name(action, part)
        for action, part, known, actual in digests(contract, sources)
        if known != actual
    ]
    if changed:
        raise ContractError(
            f"{contract.path}: the installed ocpp package has another schema for {', '.join(changed)}: "
            "look at the change, then run `python -m tools.contract digests --write`"
        )
