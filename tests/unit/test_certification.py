"""docs/certification.md names tests that there are, and every case that they name."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
OCPP2: Final = ROOT / "tests" / "integration" / "ocpp2"
STATIONS: Final = OCPP2 / "certification"
DOCUMENT: Final = (ROOT / "docs" / "certification.md").read_text("utf-8")

ROW: Final = re.compile(r"^\| (TC_[A-P]_\d\d) \| [^|]+ \| (mandatory|conditional) \| ([^|]+) \| (`[^`]+`|not: .+) \|$")
A_CASE: Final = re.compile(r"TC_[A-P]_\d\d")


class Case(NamedTuple):
    """A row of the table."""

    name: str
    need: str
    about: str
    shown_by: str

    @property
    def test(self) -> str | None:
        return None if self.shown_by.startswith("not: ") else self.shown_by.strip("`")


CASES: Final = [Case(*row.groups()) for line in DOCUMENT.splitlines() if (row := ROW.match(line))]


@cache
def written(file: Path) -> dict[str, str]:
    """The source of each test of a file, by its name."""
    source = file.read_text("utf-8")
    functions = (it for it in ast.parse(source).body if isinstance(it, ast.AsyncFunctionDef | ast.FunctionDef))
    return {it.name: ast.get_source_segment(source, it) or "" for it in functions if it.name.startswith("test_")}


@cache
def cases_in(file: Path) -> frozenset[str]:
    """The cases that a file of tests names."""
    texts = (it.value for it in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(it, ast.Constant))
    return frozenset(found for text in texts if isinstance(text, str) for found in A_CASE.findall(text))


def found(test: str, folder: Path) -> tuple[Path, str]:
    """The file and the name of a test; fails where there is none."""
    path, _, name = test.partition("::")
    file = ROOT / path if path.startswith("tests/") else folder / path
    name = name.partition("[")[0]
    assert name in written(file), test
    return file, name


def test_every_case_is_there_once_and_most_that_are_mandatory_have_a_test() -> None:
    mandatory = [case for case in CASES if case.need == "mandatory"]
    shown = [case for case in mandatory if case.test]

    assert len({case.name for case in CASES}) == len(CASES) == 229
    assert len(re.findall("^\\| TC_", DOCUMENT, re.MULTILINE)) == len(CASES)
    assert (len(mandatory), len(shown) >= 150) == (199, True)
    assert f"Of {len(mandatory)} cases" in DOCUMENT
    assert f"\n{len(shown)} have a test" in DOCUMENT


def test_every_test_that_shows_a_case_is_there_and_names_it() -> None:
    for case in CASES:
        if case.test is None:
            continue
        file, name = found(case.test, STATIONS)
        if file.parent != STATIONS:
            continue
        if case.test.endswith(f"[{case.name}]"):
            assert case.name in cases_in(file), case.test
        else:
            assert case.name in written(file)[name], case.test


def test_every_case_that_a_test_names_is_shown_by_it() -> None:
    shown = {case.name: (case.test or "").partition("::")[0] for case in CASES}

    for file in STATIONS.glob("test_*.py"):
        assert {shown[case] for case in cases_in(file)} == {file.name}


def test_each_departure_of_real_clients_has_its_test() -> None:
    rows = re.findall(r"^\|[^|]+\|[^|]+\| `(test_[^`]+)` \|$", DOCUMENT.partition("## What real clients do")[2], re.M)

    assert len(rows) >= 10
    for test in rows:
        found(test, OCPP2)
