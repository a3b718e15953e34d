"""docs/deviations.md has every rule, and none that there isn't."""

from __future__ import annotations

import re
from pathlib import Path

from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocppj.crowded import MOST_ENTRIES
from mcpp.ocppj.readers import MOST_STEPS
from mcpp.ocppj.rules import Rule
from mcpp.ocppj.work import MOST_TOLD

DOCUMENT = (Path(__file__).parents[3] / "docs" / "deviations.md").read_text("utf-8")


def test_the_table_has_the_rules_in_their_order() -> None:
    assert re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", DOCUMENT.partition("## ")[0], re.MULTILINE) == list(Rule)


def test_the_bounds_are_those_of_the_code() -> None:
    for bound in (MOST_ENTRIES, MOST_STEPS, MOST_TOLD):
        assert f"{bound:,}" in DOCUMENT


def test_every_field_that_something_stands_for_is_named() -> None:
    table = DOCUMENT.partition("## What stands")[2].partition("## ")[0]

    for model, name in REPAIRS.stand_ins:
        assert f"`{model.model_fields[name].alias or name}`" in table
