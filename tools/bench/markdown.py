"""Tables for people, and the place in a document that they are written to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"

_RULES: Final = {"l": "---", "r": "--:"}


def table(head: Sequence[str], columns: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Each column `l`eft or `r`ight."""
    yield _line(head)
    yield _line([_RULES[column] for column in columns])
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(document: Path, lines: Iterable[str]) -> None:
    """Put the lines between the marks; what stands around them stays. Raises ValueError where there are no marks."""
    before, begin, rest = document.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no place for figures: {BEGIN} … {END}")
    document.write_text("\n\n".join((before + begin, "\n".join(lines), end + after)), "utf-8")
