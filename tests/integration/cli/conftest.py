"""A directory with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database import Database
from tests.integration.cli.api import Api, running_api
from tests.integration.cli.command import Mcpp


@pytest.fixture
def mcpp(tmp_path: Path) -> Mcpp:
    return Mcpp(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The database that commands in the directory find, open for writing as a server's would be."""
    database = Database(tmp_path / "mcpp.db")
    yield database
    database.close()


@pytest.fixture
def api() -> Iterator[Api]:
    with running_api() as api:
        yield api
