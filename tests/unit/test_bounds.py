"""Texts are cut in bytes, between characters, and show that they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp import bounds


@given(text=st.text(max_size=60), most=st.integers(3, 80))
def test_what_is_cut_fits_is_marked_and_begins_as_it_did(text: str, most: int) -> None:
    kept = bounds.cut(text, most)

    assert len(kept.encode()) <= most
    assert kept == text or (len(text.encode()) > most and kept.endswith("…") and text.startswith(kept[:-1]))
    assert (kept == text) is not bounds.is_over(text, most)


def test_as_much_is_kept_as_there_is_room_for() -> None:
    assert bounds.cut("A" * 10, 10) == "A" * 10
    assert bounds.cut("A" * 11, 10) == "A" * 7 + "…"
    assert bounds.cut("ä" * 6, 10) == "äää…"
    assert bounds.cut("😀" * 3, 10) == "😀…"


@pytest.mark.parametrize(
    ("longest", "kept"), [(0, 256), (20, 256), (50, 256), (51, 1024), (255, 1024), (256, 16384), (5500, 16384)]
)
def test_the_bound_of_a_text_follows_the_contract_s(longest: int, kept: int) -> None:
    assert bounds.text_bound(longest) == kept
