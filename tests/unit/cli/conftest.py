"""A directory with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.api import Api, running_api
from tests.unit.cli.command import Mcpp
from tests.unit.cli.ledger import Ledger


@pytest.fixture
def mcpp(tmp_path: Path) -> Mcpp:
    return Mcpp(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The database that commands in the directory find, open for writing as a server's would be."""
    ledger = Ledger(tmp_path / "mcpp.db")
    yield ledger
    ledger.close()


@pytest.fixture
def api() -> Iterator[Api]:
    with running_api() as api:
        yield api
