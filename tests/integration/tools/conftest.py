"""Fixtures of the tests of generated code: made once for each file, run on a database for each test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tools.sites import QUERIES, READERS, Modules
from tests.integration.tools.workbench import OPTIONS, Workbench, connect


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    bench = Workbench(tmp_path_factory.mktemp("sqlc"))
    assert bench.generate(QUERIES, {**OPTIONS, "readers": READERS}) == 0
    return bench


@pytest.fixture(scope="module")
def modules(bench: Workbench) -> Iterator[Modules]:
    with bench.package() as modules:
        yield modules


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path)
    yield connection
    connection.close()


@pytest.fixture
def queries(modules: Modules, connection: sqlite3.Connection) -> Any:
    return modules["sqlite.queries"].SqliteQueries(connection)
