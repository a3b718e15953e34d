"""Numbers are given once, each kind's by itself."""

from __future__ import annotations

from mcpp.domain.allotments import allot
from tests.unit.domain.books import Books


def test_each_kind_counts_by_itself(books: Books) -> None:
    given = [allot(books.q, kind) for kind in ("request", "request", "remote_start", "reservation", "request")]

    assert given == [1, 2, 1, 1, 3]
