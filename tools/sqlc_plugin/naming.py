"""SQL's names as Python spells them."""

from __future__ import annotations

import keyword
import re

_TAKEN = frozenset({"self", "connection", "row", "rows", "count", "index"})
"""Names that generated functions use themselves, and those that a tuple has."""


def snake_case(name: str) -> str:
    """`GetIdTag` to `get_id_tag`, `SuspendedEVSE` to `suspended_evse`."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W+", "_", name).lower()


def constant_case(name: str) -> str:
    return snake_case(name).upper()


def class_name(table: str) -> str:
    """`id_tags` to `IdTag`."""
    return "".join(part.capitalize() for part in table.removesuffix("s").split("_"))


def identifier(name: str) -> str:
    """The name of a field or an argument; `from` becomes `from_`."""
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name
