"""No version's word, a state, an action or the spelling of an error, stands outside its room.

What such a word means is decided in the domain, which has words of its own: enums in `mcpp/domain`. That they are
spelled as OCPP 1.6 does is the domain's choice; a text that merely looks like one is what this test finds.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Final, NamedTuple, get_args

import pytest

import mcpp
from mcpp.ocpp16.errors import COUNTED_AS
from mcpp_generated.ocpp16 import models, texts
from mcpp_generated.ocpp16.actions import ACTIONS

ROOT: Final = Path(mcpp.__file__).parent

ROOMS: Final = ("ocpp16/", "ocpp2/", "simulator/ocpp2/")

HOMES_OF_MEASUREMENTS: Final = (
    "domain/evidence.py",
    "domain/measurements.py",
    "domain/phases.py",
    "domain/samples.py",
)

DOCUMENTATION: Final = frozenset({"description", "examples"})
"""Arguments that only readers of the OpenAPI document see."""


UNITS_FOR_PEOPLE: Final = frozenset({"kW", "kWh"})


class Word(NamedTuple):
    file: str
    """Below mcpp/."""
    text: str


EXEMPT: Final[Mapping[Word, str]] = MappingProxyType(
    {
        **{Word("certificates/ocsp.py", f"SHA{bits}"): "a hash's name" for bits in (256, 384, 512)},
        Word("certificates/responses.py", "SHA256"): "a hash's name",
        Word("plugins/builtin/mqtt/discovery.py", "W"): "Home Assistant's unit_of_measurement",
        Word("plugins/builtin/mqtt/discovery.py", "kWh"): "Home Assistant's unit_of_measurement",
        Word("plugins/builtin/mqtt/discovery.py", "A"): "Home Assistant's unit_of_measurement",
        Word("web/charts/area.py", "V"): "a vertical line of SVG's",
        Word("web/states.py", "Charging"): "what people read",
        Word("web/states.py", "Faulted"): "what people read",
        Word("web/states.py", "Reserved"): "what people read",
    }
)


def enum_values(module: ModuleType) -> Iterator[tuple[type[Enum], str]]:
    for item in vars(module).values():
        if isinstance(item, type) and issubclass(item, Enum) and item.__module__ == module.__name__:
            yield from ((item, str(member.value)) for member in item)


# ChargingRateUnitType's words are units, as samples have them.
STATES: Final = frozenset(text for kind, text in enum_values(models) if kind is not models.ChargingRateUnitType)
WORDS_OF_MEASUREMENTS: Final = frozenset(text for kind in vars(texts).values() for text in get_args(kind)) - STATES
"""What samples say of themselves: units, phases and the like, weighed in one place of the domain."""

WORDS: Final = STATES | frozenset(ACTIONS) | frozenset(COUNTED_AS)


class Finder(ast.NodeVisitor):
    """Collects the texts of a module, but for those that decide nothing or are the domain's own words."""

    def __init__(self, *, in_domain: bool) -> None:
        self._in_domain = in_domain
        self.texts: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.texts.append(node.value)
        elif isinstance(node.value, bytes):
            self.texts.append(node.value.decode(errors="replace"))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        is_enum = any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in node.bases)
        for statement in node.body:
            is_member = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
            if not (self._in_domain and is_enum and is_member):
                self.visit(statement)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in DOCUMENTATION:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        is_list_of_names = any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
        if not is_list_of_names:
            self.generic_visit(node)


def words_in(file: str, source: str) -> set[Word]:
    """A version's words in a module of ours, by its path below mcpp/."""
    finder = Finder(in_domain=file.startswith("domain/"))
    finder.visit(ast.parse(source))
    words = WORDS if file in HOMES_OF_MEASUREMENTS else WORDS | WORDS_OF_MEASUREMENTS
    if file.startswith("web/"):  # it spells energy and power for people
        words -= UNITS_FOR_PEOPLE
    return {Word(file, text) for text in finder.texts if text in words}


def words_outside_their_rooms() -> set[Word]:
    files = (path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*.py")))
    outside = [file for file in files if not file.startswith(ROOMS)]
    assert len(outside) > 100, "the walk finds the package"
    return {word for file in outside for word in words_in(file, (ROOT / file).read_text())}


def test_no_versions_word_stands_outside_its_room() -> None:
    assert words_outside_their_rooms() - set(EXEMPT) == set()


def test_no_exemption_outlives_its_reason() -> None:
    assert set(EXEMPT) - words_outside_their_rooms() == set()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('if event.status == "Preparing": start()', "Preparing"),
        ('FREE = frozenset({None, "Available"})', "Available"),
        ('match status:\n    case "SuspendedEVSE": pass', "SuspendedEVSE"),
        ('class Status(StrEnum):\n    FAULTED = "Faulted"', "Faulted"),
        ('is_error = event.error_code != "NoError"', "NoError"),
        ('line["action"] == "StartTransaction"', "StartTransaction"),
        ("needle in block or b'Heartbeat' in block", "Heartbeat"),
        ('labels = {"NotImplemented": 1}', "NotImplemented"),
        ('labels = ["FormationViolation"]', "FormationViolation"),
        ('stop(reason="EVDisconnected")', "EVDisconnected"),
        ('kind.measurand == "Power.Active.Import"', "Power.Active.Import"),
        ('factors = {"kW": 1000}', "kW"),
    ],
)
def test_a_word_in_a_plugin_is_found(source: str, text: str) -> None:
    assert words_in("plugins/builtin/example.py", source) == {Word("plugins/builtin/example.py", text)}


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("domain/statuses.py", 'class ConnectorStatus(StrEnum):\n    AVAILABLE = "Available"'),
        ("domain/measurements.py", 'POWER = "Power.Active.Import"'),
        ("api/models.py", 'status: str = Field(examples=["Charging"])'),
        ("plugins/__init__.py", '__all__ = ["Scheduled"]'),
    ],
)
def test_the_domains_own_words_and_documentation_are_none(file: str, source: str) -> None:
    assert words_in(file, source) == set()


def test_a_state_in_the_domain_is_found_outside_its_enums() -> None:
    assert words_in("domain/recovery.py", 'FREE = "Available"') == {Word("domain/recovery.py", "Available")}
