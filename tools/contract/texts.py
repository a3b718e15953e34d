"""Writes `texts.py`: enums whose values stay texts, as types."""

from __future__ import annotations

from tools.contract.bundle import Bundle
from tools.contract.table import Contract


def texts_package(contract: Contract) -> str:
    """Where the models find these types."""
    return f"mcpp_generated.{contract.module}.texts"


def texts_module(contract: Contract, bundle: Bundle, header: str) -> str:
    """The source text, not yet formatted."""
    lines = [header, "from __future__ import annotations", "from typing import Literal, TypeAlias"]
    for name in sorted(contract.plain_enums):
        values = bundle.definitions[name]["enum"]
        assert isinstance(values, list)
        lines.append(f"{name}: TypeAlias = Literal[{', '.join(map(repr, values))}]")
    return "\n".join(lines) + "\n"
