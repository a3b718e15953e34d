"""What must be a type error is one: the cases are checked by mypy, line by line, and never run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

CASES = Path(__file__).parent / "cases"
ROOT = Path(__file__).parents[2]

_EXPECTED = re.compile(r"# E: ([a-z-]+)$")
_REPORTED = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")


def expected_errors(case: Path) -> set[tuple[int, str]]:
    lines = case.read_text(encoding="utf-8").splitlines()
    return {(number, found[1]) for number, line in enumerate(lines, 1) if (found := _EXPECTED.search(line))}


@pytest.fixture(scope="module")
def reported() -> dict[str, set[tuple[int, str]]]:
    """One mypy run over all cases, as `make types` is configured."""
    output, problems, _ = api.run(
        [
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--no-pretty",
            "--hide-error-context",
            *map(str, CASES.glob("*.py")),
        ]
    )
    assert problems == ""
    errors: dict[str, set[tuple[int, str]]] = {}
    for line in output.splitlines():
        if found := _REPORTED.match(line):
            errors.setdefault(Path(found["file"]).name, set()).add((int(found["line"]), found["code"]))
    return errors


@pytest.mark.parametrize("case", sorted(CASES.glob("*.py")), ids=lambda case: str(case.stem))
def test_mypy_reports_exactly_the_marked_lines(case: Path, reported: dict[str, set[tuple[int, str]]]) -> None:
    expected = expected_errors(case)

    assert expected, "a case without an error checks nothing"
    assert reported.get(case.name, set()) == expected
