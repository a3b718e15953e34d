"""Tables for people, and the place in a document that they are written to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

_RULES: Final = {"l": "---", "r": "--:"}


def table(head: Sequence[str], columns: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Each column `l`eft or `r`ight."""
    yield _line(head)
    yield _line([_RULES[column] for column in columns])
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def marks(name: str) -> tuple[str, str]:
    """Between them stand the figures of one benchmark."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def write(document: Path, name: str, lines: Iterable[str]) -> None:
    """Put the lines between the marks; what stands around them stays. Raises ValueError where there are no marks."""
    begin, end = marks(name)
    before, found, rest = document.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{document} has no place for figures: {begin} … {end}")
    document.write_text("\n\n".join((before + begin, "\n".join(lines), end + after)), "utf-8")
