"""Writes `scalars.py`: what a field can't say of the items of a list, or of a number, as types."""

from __future__ import annotations

from tools.contract.bundle import Bundle, Json
from tools.contract.table import Contract


def scalars_package(contract: Contract) -> str:
    """Where the models find these types."""
    return f"mcpp_generated.{contract.module}.scalars"


def scalars_module(bundle: Bundle, header: str) -> str:
    """The source text, not yet formatted."""
    lines = [
        header,
        "from __future__ import annotations",
        "from decimal import Decimal",
        "from typing import Annotated, TypeAlias",
        "from pydantic import Field",
        "from mcpp.ocppj.wire import DecimalNumber",
        *(f"{name}: TypeAlias = {_annotated(scalar)}" for name, scalar in bundle.scalars.items()),
    ]
    return "\n".join(lines) + "\n"


def _annotated(scalar: dict[str, Json]) -> str:
    match scalar:
        case {"type": "string", "maxLength": length}:
            return f"Annotated[str, Field(max_length={length})]"
        case {"type": "integer", **bounds}:
            return f"Annotated[int, Field({_arguments(bounds, minimum='ge', maximum='le')})]"
        case {"type": "number", **bounds}:
            exact: dict[str, Json] = {key: f"Decimal({bound})" for key, bound in bounds.items()}
            return f"Annotated[Decimal, DecimalNumber({_arguments(exact, minimum='minimum', maximum='maximum')})]"
        case _:
            raise AssertionError(scalar)


def _arguments(bounds: dict[str, Json], **names: str) -> str:
    return ", ".join(f"{name}={bounds[key]}" for key, name in names.items() if key in bounds)
