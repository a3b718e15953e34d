"""Fixtures of the domain's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.domain.books import Books


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books()
    yield books
    books.connection.close()
