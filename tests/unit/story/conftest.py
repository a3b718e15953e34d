"""A session that was charged, in a real database and a log made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.ledger import Ledger
from tests.unit.story.charged import Charged


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "mcpp.db")
    yield ledger
    ledger.close()


@pytest.fixture
def charged(ledger: Ledger) -> Charged:
    return Charged(ledger)
