"""Cursors: what one list writes it reads again, and it takes no other."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.bounds import PAGE
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


async def read_all(rows: list[tuple[int, str]], limit: int) -> list[list[int]]:
    """The numbers on each page of a list whose rows may be large."""
    cursors: Cursors[tuple[int, str], tuple[int]] = newest_first(lambda row: row[0])

    async def fetch(before: tuple[int], count: int) -> list[tuple[int, str]]:
        return [row for row in rows if row[0] < before[0]][:count]

    pages: list[list[int]] = []
    cursor = None
    while not pages or cursor is not None:
        page = await cursors.read(PageQuery(limit=limit, cursor=cursor), fetch)
        pages.append([number for number, _ in page.items])
        cursor = page.next_cursor
    return pages


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("size", [1, PAGE // 2, PAGE // 2 + 1, PAGE * 2])
async def test_a_page_ends_before_its_texts_are_too_many(size: int, limit: int) -> None:
    rows = [(number, "x" * size) for number in reversed(range(7))]
    pages = await read_all(rows, limit)

    assert [number for page in pages for number in page] == [6, 5, 4, 3, 2, 1, 0]
    assert all(len(page) == 1 or len(page) * size <= PAGE for page in pages)
    assert max(map(len, pages)) == min(7, limit, max(1, PAGE // size))


async def test_a_page_of_many_small_rows_is_whole() -> None:
    rows = [(number, "x") for number in reversed(range(1_700))]

    assert list(map(len, await read_all(rows, 1_000))) == [1_000, 700]
    assert await read_all([], 5) == [[]]


def test_a_cursor_of_a_long_text_fits_into_an_address() -> None:
    rows = ["\U0001f50c" * 20_000, "\U0001f50d"]
    first = names.page(rows, PageQuery(limit=1))

    assert first.next_cursor is not None
    (after,) = names.start(PageQuery(limit=1, cursor=first.next_cursor))
    assert rows[0] < after < rows[1]
