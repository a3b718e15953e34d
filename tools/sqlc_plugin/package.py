"""What is to be written: queries and rows whose every type is certain."""

from __future__ import annotations

from dataclasses import dataclass

from tools.sqlc_plugin.types import Type


class Refused(Exception):
    """No certain type can be given: one line for each place, with the spelling that works."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a result, or a parameter, under its name in Python."""

    name: str
    type: Type
    is_slice: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A row of several columns."""

    name: str
    doc: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Query:
    name: str
    command: str
    sql: str
    doc: str
    parameters: tuple[Field, ...]
    """In the order of their numbers in the SQL."""
    result: Model | Field | None
    """A row, a bare value, or nothing."""
    writes: bool
    always_gives_a_row: bool
    has_reader: bool = False
    """It is read outside the writer, too."""

    @property
    def is_batch(self) -> bool:
        return self.command == ":batchexec"


@dataclass(frozen=True, slots=True)
class Package:
    queries: tuple[Query, ...]
    models: tuple[Model, ...]
    enums: dict[str, list[str]]
