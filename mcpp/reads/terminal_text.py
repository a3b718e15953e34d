"""Text that others made up, on its way to a terminal."""

from __future__ import annotations


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with what can't be seen written as JSON's `\uXXXX`: no control character reaches the terminal.

    That holds for C1 controls, marks that reverse the direction of writing, and lone surrogates. `keep`: characters
    that stay as they are.
    """
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
