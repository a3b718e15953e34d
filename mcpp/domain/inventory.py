"""Whether a charge point is to be asked for a report of its device model (OCPP 2.x): once with each firmware."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from mcpp_generated.db.queries import Queries


class Inventory(NamedTuple):
    """How a charge point stands."""

    key: int
    is_due: bool
    """It wasn't asked with the firmware that it has."""
    has_told_states: bool
    """Some state of a connector came since its last boot: some hang where they are asked before that."""


def inventory_of(q: Queries, identity: str) -> Inventory | None:
    """How a charge point stands; None where there is none of that identity."""
    known = q.get_inventory(identity=identity)
    if known is None:
        return None
    return Inventory(
        known.key,
        is_due=known.inventoried_firmware != (known.firmware_version or ""),
        has_told_states=_is_since(known.last_status_at, known.last_boot_at),
    )


def note_inventory(q: Queries, key: int, identity: str) -> None:
    """Keep that a charge point was asked, and answered whatever it did."""
    known = q.get_inventory(identity=identity)
    if known is not None and known.key == key:
        q.set_inventoried(inventoried_firmware=known.firmware_version or "", key=key)


def _is_since(moment: datetime | None, begin: datetime | None) -> bool:
    return moment is not None and (begin is None or moment >= begin)
