"""How a connector is called and in which order connectors stand, the same for pages, commands, notices and stories.

OCPP 1.6 numbers connectors; since 2.0 a charger has EVSEs, each with connectors of its own, of which one can be used at
a time. So it's the EVSE that people speak of; its connector is named only where it has several.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeAlias

from mcpp.domain.memory import CHARGE_POINT, NO_EVSE

Numbers: TypeAlias = tuple[int, int]
"""evse_id and connector_id, the first NO_EVSE where the version of OCPP knows connectors only."""

STATION: Final[Numbers] = (NO_EVSE, CHARGE_POINT)
"""The charge point as a whole."""

CONNECTOR_TEXTS: Final = (
    "the whole charger",
    "connector {connector}",
    "EVSE {evse}",
    "EVSE {evse}, connector {connector}",
    "EVSE {evse} #{connector}",
)
"""All that a name can be, to be translated."""

_STATION, _CONNECTOR, _EVSE, _EVSE_AND_CONNECTOR, _EVSE_AND_NUMBER = CONNECTOR_TEXTS


def shown_numbers(numbers: Iterable[Numbers]) -> list[Numbers]:
    """Which connectors of a charge point are shown, each for itself, in their order.

    What stands for the charge point as a whole is shown where no connector is known; what stands for an EVSE as a whole
    is none.
    """
    return sorted(known for known in numbers if known[1] != CHARGE_POINT) or [STATION]


def evse_as_a_whole(numbers: Numbers) -> Numbers:
    """What stands for all connectors of the same EVSE, as orders and reservations may; itself without an EVSE."""
    return numbers if numbers[0] == NO_EVSE else (numbers[0], CHARGE_POINT)


def has_several(evse_id: int, connectors: Collection[Numbers]) -> bool:
    """Whether an EVSE has several connectors among these of its charge point."""
    return sum(evse == evse_id and connector != CHARGE_POINT for evse, connector in connectors) > 1


def connector_name(
    connector_id: int, evse_id: int = NO_EVSE, *, several: bool | None = None, translate: Callable[[str], str] = str
) -> str:
    """A connector within a sentence: `connector 1`; of an EVSE `EVSE 1`, with its connector where it has several.

    Where nobody knows whether it has, `several` is None: then a connector is named that isn't the first.
    """
    text = _name_of(connector_id, evse_id, connector_id > 1 if several is None else several)
    return translate(text).format(evse=evse_id, connector=connector_id)


def connector_number(
    connector_id: int, evse_id: int = NO_EVSE, *, several: bool | None = None, translate: Callable[[str], str] = str
) -> str:
    """The same where there is little room: `1`, `EVSE 1` or `EVSE 1 #2`."""
    if evse_id == NO_EVSE:
        return str(connector_id)
    is_named = connector_id > 1 if several is None else several
    text = _EVSE_AND_NUMBER if is_named and connector_id != CHARGE_POINT else _EVSE
    return translate(text).format(evse=evse_id, connector=connector_id)


def connector_mark(connector_id: int, evse_id: int = NO_EVSE, *, several: bool | None = None) -> str:
    """The same behind the name of a charge point: `#1`, `EVSE 1` or `EVSE 1 #2`."""
    number = connector_number(connector_id, evse_id, several=several)
    return f"#{number}" if evse_id == NO_EVSE else number


def _name_of(connector_id: int, evse_id: int, is_named: bool) -> str:
    if evse_id == NO_EVSE:
        return _STATION if connector_id == CHARGE_POINT else _CONNECTOR
    return _EVSE_AND_CONNECTOR if is_named and connector_id != CHARGE_POINT else _EVSE
