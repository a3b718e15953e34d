from __future__ import annotations

import pytest

from tools.catalogue import languages, po_path, untranslated, written


@pytest.mark.parametrize("language", languages())
def test_the_catalogue_is_what_the_pages_say_and_all_of_it_is_translated(language: str) -> None:
    """`python -m tools.catalogue` brings it in line and compiles it."""
    text, compiled = written(language)
    path = po_path(language)
    assert path.read_bytes() == text
    assert path.with_suffix(".mo").read_bytes() == compiled
    assert untranslated(language) == []
