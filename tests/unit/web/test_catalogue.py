from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tools.catalogue import languages, po_path, untranslated, written


@pytest.mark.parametrize("language", languages())
def test_the_catalogue_is_what_the_pages_say_and_all_of_it_is_translated(language: str) -> None:
    """`python -m tools.catalogue` brings it in line and compiles it."""
    text, compiled = written(language)
    path = po_path(language)
    assert path.read_bytes() == text
    assert path.with_suffix(".mo").read_bytes() == compiled
    assert untranslated(language) == []


@pytest.mark.parametrize("language", languages())
def test_a_translation_names_no_fact_that_its_text_has_not(language: str) -> None:
    with po_path(language).open("rb") as file:
        texts = {it.id: str(it.string) for it in read_po(file, locale=language) if isinstance(it.id, str) and it.id}

    assert [text for text, said in texts.items() if not _fields(said) <= _fields(text)] == []


def _fields(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
