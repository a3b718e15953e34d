"""Text that others made up, on its way to a terminal."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_NO_WIDTH = frozenset({"Mn", "Me"})
"""Categories of characters that are drawn over the one before."""


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with what can't be seen written as JSON's `\uXXXX`: no control character reaches the terminal.

    That holds for C1 controls, marks that reverse the direction of writing, and lone surrogates. `keep`: characters
    that stay as they are.
    """
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def width_of(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def fitted(text: str, width: int) -> str:
    """As much of a printable text as fits into so many columns; what is missing shows as an ellipsis."""
    if width_of(text) <= width:
        return text
    room, kept = width - 1, ""
    for character in text:
        room -= _columns_of(character)
        if room < 0:
            break
        kept += character
    return (kept.rstrip() + "…")[: max(width, 0)]


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A printable text in so many columns, or more where it's longer; `right`: it ends there, as numbers do."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def _columns_of(character: str) -> int:
    if category(character) in _NO_WIDTH:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
