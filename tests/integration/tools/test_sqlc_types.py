"""What the generated code looks like: the types of tables, rows, parameters and results."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from typing import get_type_hints

import pytest

from tests.integration.tools.sites import Modules
from tests.integration.tools.workbench import Workbench

USE = """
import sqlite3
import aiosqlite
from .queries import Queries
from .readers import Readers
from .sqlite.queries import SqliteQueries
from .sqlite.readers import SqliteReaders

def queries(connection: sqlite3.Connection) -> Queries:
    return SqliteQueries(connection)

def readers(connection: aiosqlite.Connection) -> Readers:
    return SqliteReaders(connection)
"""


def test_types_of_a_table(modules: Modules) -> None:
    kind = modules["enums"].SiteKind

    expected = {
        "id": int,
        "name": str,
        "kind": kind,
        "past_kind": kind | None,
        "is_public": bool,
        "is_lit": bool | None,
        "price": Decimal,
        "discount": Decimal | None,
        "opened_at": datetime,
        "closed_at": datetime | None,
        "area": float | None,
        "photo": bytes | None,
    }
    assert expected == get_type_hints(modules["models"].Site)


@pytest.mark.parametrize(
    ("query", "returned"),
    [
        ("add_site", "int"),
        ("add_unknown_site", "Site | None"),
        ("add_bare_site", "int"),
        ("rename_site", "None"),
        ("close_sites", "int"),
        ("drop_site", "list[DropSiteRow]"),
        ("add_readings", "int"),
        ("get_site", "Site | None"),
        ("list_sites_by_time", "list[Site]"),
        ("list_sites_by_past_kind", "list[int]"),
        ("count_sites", "int"),
        ("has_site", "bool"),
        ("last_opening", "datetime | None"),
        ("get_past_kind", "SiteKind | None"),
        ("sum_up", "SumUpRow"),
    ],
)
def test_returned_type(modules: Modules, query: str, returned: str) -> None:
    signature = inspect.signature(getattr(modules["queries"].Queries, query))

    assert returned == signature.return_annotation


@pytest.mark.parametrize(
    ("query", "parameter", "annotation"),
    [
        ("add_site", "closed_at", "datetime | None"),
        ("add_site", "opened_at", "datetime"),
        ("rename_site", "id", "int"),
        ("list_sites_by_time", "moment", "datetime"),
        ("list_sites_by_key", "ids", "Sequence[int]"),
        ("list_other_sites", "kinds", "Sequence[SiteKind]"),
        ("list_sites_by_past_kind", "past_kind", "SiteKind | None"),
        ("list_sites_before", "opened_at", "datetime"),
        ("list_sites_before", "id", "int"),
        ("list_sites_before", "page_size", "int"),
        ("add_readings", "rows", "Iterable[AddReadingsParams]"),
    ],
)
def test_parameter_type(modules: Modules, query: str, parameter: str, annotation: str) -> None:
    signature = inspect.signature(getattr(modules["queries"].Queries, query))

    assert annotation == signature.parameters[parameter].annotation


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("ListReadingsRow", {"name": str, "read_at": datetime | None, "value": str | None}),
        ("SumUpRow", {"amount": int, "room": float, "least_name": str | None}),
        ("ListPeaksRow", {"name": str, "read_at": datetime | None, "amount": int, "peak": float | None}),
        ("AddReadingsParams", {"site_id": int, "read_at": datetime, "value": str}),
    ],
)
def test_types_of_a_row(modules: Modules, row: str, expected: dict[str, object]) -> None:
    assert expected == get_type_hints(getattr(modules["models"], row))


def test_a_row_is_frozen_and_carries_nothing_else(modules: Modules) -> None:
    row = modules["models"].DropSiteRow(id=1, name="North")

    with pytest.raises(AttributeError):
        row.name = "South"
    assert not hasattr(row, "__dict__")


def test_members_of_an_enum(modules: Modules) -> None:
    members = {member.name: member.value for member in modules["enums"].SiteKind}

    assert members == {"CAR_PARK": "car-park", "DEPOT": "Depot", "SUSPENDED_EVSE": "SuspendedEVSE"}


def test_docstring_is_the_comment(modules: Modules) -> None:
    assert inspect.getdoc(modules["queries"].Queries.add_site) == "Add a site.\nGives its key."


@pytest.mark.parametrize("module", ["models", "queries", "readers", "enums"])
def test_no_engine_shows_on_the_side_of_its_users(bench: Workbench, module: str) -> None:
    assert "sqlite" not in (bench.output / f"{module}.py").read_text()


def test_generated_code_is_strictly_typed_and_the_implementations_have_every_query(bench: Workbench) -> None:
    (bench.output / "use.py").write_text(USE)
    command = [sys.executable, "-m", "mypy", "--strict", "--disallow-any-explicit", "--config-file=", "--cache-dir"]
    checked = subprocess.run(
        [*command, str(bench.root / "cache"), str(bench.output)], capture_output=True, text=True, check=False
    )

    assert (checked.stdout.splitlines()[-1:], checked.returncode) == (
        ["Success: no issues found in 13 source files"],
        0,
    )
