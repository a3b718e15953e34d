"""No oddity is forgotten."""

from __future__ import annotations

import ast
from itertools import groupby
from pathlib import Path

import pytest

from tests.integration.field_notes.rows import ROWS
from tests.integration.field_notes.rows import test_name as name_of


@pytest.mark.parametrize("module", ROWS)
def test_each_row_has_its_tests_in_order(module: str) -> None:
    """And each of them says in its docstring where it was seen."""
    names = [name_of(title) for title in ROWS[module]]
    written = _tests_in(Path(__file__).with_name(f"{module}.py"))
    rows = [max((name for name in names if test.name.startswith(name)), key=len, default=test.name) for test in written]

    assert [row for row, _ in groupby(rows)] == names
    assert [test.name for test in written if not ast.get_docstring(test)] == []


def _tests_in(file: Path) -> list[ast.AsyncFunctionDef | ast.FunctionDef]:
    tree = ast.parse(file.read_text())
    functions = (node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef))
    return [function for function in functions if function.name.startswith("test_")]
