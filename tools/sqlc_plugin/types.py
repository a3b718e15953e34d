"""Types of columns: SQLite's four, and what the options make of them in Python."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from tools.sqlc_plugin.request import Options
from tools.sqlc_plugin.statement import STORAGES, Storage

Kind = Literal["plain", "datetime", "bool", "decimal", "enum"]

_PLAIN: dict[Storage, str] = {"INTEGER": "int", "REAL": "float", "TEXT": "str", "BLOB": "bytes"}
_STORED_AS: dict[Kind, Storage] = {"datetime": "INTEGER", "bool": "INTEGER", "decimal": "TEXT", "enum": "TEXT"}


@dataclass(frozen=True, slots=True)
class Type:
    """A column's type in SQLite and in Python."""

    kind: Kind
    storage: Storage
    python: str
    """`int`, `datetime` or the name of an enum; without `| None`."""
    nullable: bool

    @property
    def annotation(self) -> str:
        return f"{self.python} | None" if self.nullable else self.python

    @property
    def stored(self) -> str:
        """As the sqlite3 module returns and takes it."""
        return f"{_PLAIN[self.storage]} | None" if self.nullable else _PLAIN[self.storage]


def storage_of(type_name: str) -> Storage | None:
    """The storage behind a type as sqlc names it; None for `ANY`, `NUMERIC` and the like."""
    return STORAGES.get("INTEGER" if type_name == "INT" else type_name)


class TypeTable:
    """The options' `types`: which Python type a column has."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._used: set[str] = set()

    def find(self, owner: str, name: str, storage: Storage, *, nullable: bool) -> Type:
        """The type of `owner.name`; raises ValueError where the options contradict themselves or the storage."""
        keys = self._keys(f"{owner}.{name}")
        self._used.update(keys)
        names = {self._options.types[key] for key in keys}
        if not names:
            return Type("plain", storage, _PLAIN[storage], nullable)
        if len(names) > 1:
            raise ValueError(f"options give several types: {', '.join(sorted(names))}")
        kind, python = self._kind(names.pop())
        if storage != _STORED_AS[kind]:
            raise ValueError(f"{python} is stored as {_STORED_AS[kind]}, and this is {storage}")
        return Type(kind, storage, python, nullable)

    def unused(self) -> list[str]:
        return [key for key in self._options.types if key not in self._used]

    def _keys(self, path: str) -> list[str]:
        if path in self._options.types:
            return [path]
        return [key for key in self._options.types if "*" in key and fnmatchcase(path, key)]

    def _kind(self, name: str) -> tuple[Kind, str]:
        if name in self._options.enums:
            return "enum", name
        match name:
            case "datetime" | "bool":
                return name, name
            case "decimal":
                return "decimal", "Decimal"
        raise ValueError(f"options name the unknown type {name}")
