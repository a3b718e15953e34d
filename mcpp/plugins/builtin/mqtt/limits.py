"""The limits of current that the broker's clients set, as last accepted; remembered across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from mcpp.plugins import Site

_KEY: Final = "limits:"
"""Begins the key under which those of a charge point are remembered; its identity follows."""


class Limits:
    """In A per phase, by connector."""

    def __init__(self) -> None:
        self._limits: dict[str, dict[str, float]] = {}

    def load(self, memory: Mapping[str, JsonValue]) -> None:
        """Begin with what is remembered."""
        for key, value in memory.items():
            if key.startswith(_KEY) and isinstance(value, dict):
                kept = {place: amperes for place, amperes in value.items() if isinstance(amperes, int | float)}
                self._limits[key.removeprefix(_KEY)] = kept

    def of(self, charge_point_id: str, evse_id: int, connector_id: int) -> float | None:
        """None where none is set."""
        return self._limits.get(charge_point_id, {}).get(_place(evse_id, connector_id))

    async def keep(
        self, charge_point_id: str, evse_id: int, connector_id: int, amperes: Decimal | None, site: Site
    ) -> None:
        """A limit was accepted; None: it's lifted."""
        limits = self._limits.setdefault(charge_point_id, {})
        limits.pop(_place(evse_id, connector_id), None)
        if amperes is not None:
            limits[_place(evse_id, connector_id)] = int(amperes) if amperes == int(amperes) else float(amperes)
        await site.remember(_KEY + charge_point_id, dict(limits))

    async def forget(self, charge_point_id: str, site: Site) -> None:
        """The charge point was deleted."""
        if self._limits.pop(charge_point_id, None) is not None:
            await site.remember(_KEY + charge_point_id, None)


def _place(evse_id: int, connector_id: int) -> str:
    return f"{evse_id}/{connector_id}"
