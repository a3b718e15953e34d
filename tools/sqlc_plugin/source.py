"""Pieces of Python source that the generated modules share."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

from tools.sqlc_plugin import naming
from tools.sqlc_plugin.package import Field, Model, Query
from tools.sqlc_plugin.types import Type

FUTURE = "from __future__ import annotations\n"
TYPES = "from collections.abc import Iterable, Sequence\nfrom datetime import datetime\nfrom decimal import Decimal\n"


def module(doc: str, *parts: str) -> str:
    return "\n\n".join([f'"""{doc}"""\n', *parts])


def import_from(name: str, names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"from {name} import {listed}\n" if listed else ""


def _annotation(field: Field) -> str:
    return f"Sequence[{field.type.python}]" if field.is_slice else field.type.annotation


def method(query: Query) -> str:
    """The first line of a query's method, without `def` and the colon."""
    if query.is_batch:
        arguments = ["self", f"rows: Iterable[{query.name}Params]"]
    elif query.parameters:
        arguments = ["self", "*", *(f"{field.name}: {_annotation(field)}" for field in query.parameters)]
    else:
        arguments = ["self"]
    return f"{naming.snake_case(query.name)}({', '.join(arguments)}) -> {_returned(query)}"


def _returned(query: Query) -> str:
    if query.result is None:
        return "None" if query.command == ":exec" else "int"
    row = query.result.name if isinstance(query.result, Model) else query.result.type.annotation
    if query.command == ":many":
        return f"list[{row}]"
    may_be_none = not query.always_gives_a_row and not row.endswith(" | None")
    return f"{row} | None" if may_be_none else row


def docstring(query: Query) -> str:
    return indent(f'"""{quoted(query.doc)}"""\n', "    ")


def quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def converted_scalar(query: Query) -> Type | None:
    """The type of a bare value that the engine spells in another way."""
    if isinstance(query.result, Field) and query.result.type.kind != "plain":
        return query.result.type
    return None
