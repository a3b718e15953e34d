"""Every query has a caller: what nobody asks is deleted, a reader that nobody awaits isn't generated."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import mcpp
from mcpp_generated.db import readers
from mcpp_generated.db.queries import Queries

HANDLES = frozenset({"q", "queries"})
"""What a handle on the queries is called in the program."""

READERS = frozenset({"readers"})


def names_used(*receivers: str) -> set[str]:
    """The attributes that the program looks up on a name, such as `get_id_tag` of `q.get_id_tag(…)`."""
    return {
        node.attr
        for file in Path(inspect.getfile(mcpp)).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in receivers
    }


def generated_readers() -> set[str]:
    functions = inspect.getmembers(readers, inspect.iscoroutinefunction)
    return {name for name, function in functions if function.__module__ == readers.__name__}


def test_every_query_has_a_caller() -> None:
    queries = {name for name, _ in inspect.getmembers(Queries, inspect.isfunction) if not name.startswith("_")}

    assert queries
    assert queries - names_used(*HANDLES, *READERS) == set()


def test_every_reader_has_a_caller() -> None:
    assert generated_readers() - names_used(*READERS) == set()
    assert generated_readers()
