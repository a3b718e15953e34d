"""Cursors: what one list writes it reads again, and it takes no other."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.reads.paging import BadCursor, Cursors, PageQuery, by_name, newest_first

names: Cursors[str, tuple[str]] = by_name(str)
numbers: Cursors[int, tuple[int]] = newest_first(int)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(st.lists(texts, unique=True), st.integers(1, 5))
def test_the_pages_of_a_list_are_the_list(rows: list[str], limit: int) -> None:
    rows.sort()
    seen: list[str] = []
    cursor = None
    while True:
        query = PageQuery(limit=limit, cursor=cursor)
        (after,) = names.start(query)
        page = names.page([row for row in rows if row > after][: limit + 1], query)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == rows


@pytest.mark.parametrize("cursor", ["", "x", "bm9uZQ", "WyJDUC0xIiwxXQ", "é", "W10", "WzFd."])
def test_what_is_no_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        names.start(PageQuery(cursor=cursor))


def test_a_number_that_the_database_cannot_hold() -> None:
    cursor = names.page(["x", "y"], PageQuery(limit=1)).next_cursor
    with pytest.raises(BadCursor):
        numbers.start(PageQuery(cursor=cursor))
    with pytest.raises(BadCursor):
        numbers.start(PageQuery(cursor="WzkyMjMzNzIwMzY4NTQ3NzU4MDhd"))  # [9223372036854775808]
    assert numbers.start(PageQuery(cursor="WzkyMjMzNzIwMzY4NTQ3NzU4MDdd")) == (2**63 - 1,)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_is_refused(text: str) -> None:
    with suppress(BadCursor):
        assert isinstance(names.start(PageQuery(cursor=text))[0], str)
