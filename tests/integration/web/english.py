"""Finds English in what a German page says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_SAID_BY: Final = ("alt", "aria-label", "placeholder", "title", "data-ask", "data-ask-yes", "data-name")

_UNSEEN: Final = frozenset({"script", "style", "code"})
"""Code is in nobody's language."""

_QUOTED: Final = re.compile(r"„[^“]*“|'[^']*'")

_ENGLISH: Final = re.compile(
    r"\b(the|is|isn|isn't|it|its|not|of|should|must be|has|have|and|with|can't|cannot|doesn|from|for|this|been|no|to|"
    r"input|field|failed|invalid|missing|unsupported|unable|expected|required|handshake|certificate|refused)\b",
    re.IGNORECASE,
)
"""Words that no German sentence has."""


class _Said(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._unseen += tag in _UNSEEN
        self.texts += [text for name in _SAID_BY if (text := given.get(name))]
        if tag == "span" and given.get("lang") == "en":
            self.texts.append("the text that follows is marked as English")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen and data.strip():
            self.texts.append(data)


def english_in(page: str) -> list[str]:
    """The texts of a page, and what it says of its elements, that are English; what it quotes may be."""
    said = _Said()
    said.feed(page)
    return [text.strip() for text in said.texts if is_english(text)]


def is_english(text: str) -> bool:
    """Whether a text has English outside of what it quotes."""
    return _ENGLISH.search(_QUOTED.sub("„“", text)) is not None
