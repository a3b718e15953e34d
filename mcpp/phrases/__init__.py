"""Texts for people with the facts in them, so that pages can say them in another language.

A phrase is its English text, and a str everywhere; API, logs and commands show it as such. The pages translate its
pattern (a message id of their catalogues) and fill in the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

Translate: TypeAlias = Callable[[str], str]
"""An English pattern in the reader's language."""

Fact: TypeAlias = str | int | None

_VERBATIM: Final = "{text}"

DECIMAL_POINT: Final = "."
"""In a figure; a message id too."""


class Figure(str):
    """A number with its unit, such as `1.250 kWh`."""

    __slots__ = ()


class Phrase(str):
    """An English text that is made of a pattern and facts."""

    __slots__ = ("facts", "pattern")

    pattern: str
    facts: Mapping[str, Fact]
    """What the pattern names in braces: what is a phrase or figure is translated with it, all else is as it is."""

    def __new__(cls, pattern: str, /, **facts: Fact) -> Phrase:
        """`pattern` is a literal, or out of a table that `tools.catalogue` knows, so that it's translated."""
        made = super().__new__(cls, pattern.format(**facts))
        made.pattern, made.facts = pattern, facts
        return made

    def __deepcopy__(self, _: object) -> Phrase:
        return self

    def __reduce__(self) -> tuple[Callable[[str, str, Mapping[str, Fact]], Phrase], tuple[object, ...]]:
        return _made, (str(self), self.pattern, self.facts)


def _made(text: str, pattern: str, facts: Mapping[str, Fact]) -> Phrase:
    made = str.__new__(Phrase, text)
    made.pattern, made.facts = pattern, facts
    return made


def reworded(text: str, pattern: str, /, **facts: Fact) -> Phrase:
    """A text that a library wrote, with a pattern of ours that says the same: the pages show that one only."""
    return _made(text, pattern, facts)


def quoted(text: str) -> str:
    """What others say, in quotes on the pages; nothing stays nothing."""
    return reworded(text, "“{original}”", original=text) if text else ""


def as_is(text: str) -> Phrase:
    """A name within a phrase that a language may have a word for; braces mean nothing."""
    return _made(text, text.replace("{", "{{").replace("}", "}}"), {})


def verbatim(text: str) -> Phrase:
    """A figure, or a name that is the same in every language."""
    return Phrase(_VERBATIM, text=text)


def chained(parts: Sequence[str], separator: str = "; ") -> str:
    """Parts in a row, as a phrase if all of them are, so that nothing is translated by half."""
    if not all(isinstance(part, Phrase) for part in parts):
        return separator.join(parts)
    facts = {f"part{number}": part for number, part in enumerate(parts)}
    return Phrase(separator.join(f"{{{name}}}" for name in facts), **facts)


def phrase_of(error: BaseException) -> str:
    """What an error says, as a phrase where it's one."""
    said = error.args[0] if error.args else None
    return said if isinstance(said, Phrase) else str(error)


def translated(text: str, translate: Translate) -> str | None:
    """A phrase in the reader's language; None for a text that isn't one."""
    if not isinstance(text, Phrase):
        return None
    return translate(text.pattern).format(**{name: _fact(fact, translate) for name, fact in text.facts.items()})


def _fact(fact: Fact, translate: Translate) -> Fact:
    if isinstance(fact, Figure):
        return fact.replace(DECIMAL_POINT, translate(DECIMAL_POINT))
    return translated(fact, translate) or fact if isinstance(fact, Phrase) else fact
