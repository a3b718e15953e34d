"""Every query has a caller: what nobody asks is deleted, a reader that nobody calls isn't generated."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import mcpp
from mcpp_generated.db.queries import Queries
from mcpp_generated.db.readers import Readers

HANDLES = frozenset({"q", "queries"})
"""What a handle on queries or readers is called in the program."""


def program(room: str = ".") -> Iterator[ast.AST]:
    """Every node of its source, or of a room's."""
    for file in (Path(inspect.getfile(mcpp)).parent / room).rglob("*.py"):
        yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def called_on_a_handle(node: ast.AST) -> str | None:
    """`get_id_tag` of `q.get_id_tag`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in HANDLES:
        return node.attr
    return None


def methods(handle: type[Queries] | type[Readers]) -> set[str]:
    names = {name for name, _ in inspect.getmembers(handle, inspect.isfunction) if not name.startswith("_")}
    assert names
    return names


def test_every_query_has_a_caller() -> None:
    assert methods(Queries) - {called_on_a_handle(node) for node in program()} == set()


def test_every_reader_is_called_by_the_read_side() -> None:
    called = {called_on_a_handle(node) for node in program("reads")}

    assert methods(Readers) - called == set()
