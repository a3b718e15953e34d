"""Plugins remember across restarts, each for itself."""

from __future__ import annotations

from mcpp.domain.plugin_memory import recall, remember
from tests.unit.domain.books import Books


def test_the_last_value_of_a_key_counts_and_each_plugin_has_its_own(books: Books) -> None:
    remember(books.q, "load_limit", "CP-1/1", {"least": "6.0"})
    remember(books.q, "load_limit", "CP-1/1", {"least": "10.5", "most": "16"})
    remember(books.q, "load_limit", "CP-2/1", ["a", 1, True])
    remember(books.q, "configure", "CP-1/1", "other")

    assert recall(books.q, "load_limit") == {"CP-1/1": {"least": "10.5", "most": "16"}, "CP-2/1": ["a", 1, True]}
    assert recall(books.q, "configure") == {"CP-1/1": "other"}


def test_none_forgets(books: Books) -> None:
    remember(books.q, "configure", "CP-1", "refused")
    remember(books.q, "configure", "CP-1", None)
    remember(books.q, "configure", "CP-2", None)

    assert recall(books.q, "configure") == {}
