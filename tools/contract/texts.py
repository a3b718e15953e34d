"""Writes `texts.py`: enums whose values stay texts, as types."""

from __future__ import annotations

from tools.contract.bundle import Json
from tools.contract.table import Contract


def texts_package(contract: Contract) -> str:
    """Where the models find these types."""
    return f"mcpp_generated.{contract.module}.texts"


def texts_module(contract: Contract, bundle: dict[str, Json], header: str) -> str:
    """The source text, not yet formatted."""
    lines = [header, "from __future__ import annotations", "from typing import Literal, TypeAlias"]
    definitions = bundle["$defs"]
    assert isinstance(definitions, dict)
    for name in sorted(contract.plain_enums):
        definition = definitions[name]
        assert isinstance(definition, dict)
        values = definition["enum"]
        assert isinstance(values, list)
        lines.append(f"{name}: TypeAlias = Literal[{', '.join(map(repr, values))}]")
    return "\n".join(lines) + "\n"
