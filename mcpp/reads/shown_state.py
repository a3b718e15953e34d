"""In which state a connector is shown: one word of a closed set, the same in the summary, on the pages and in commands.

Out of the reported status, whether its charge point is connected, its transaction and its reservation. What stands
first in `shown_state` wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from mcpp.domain.statuses import ConnectorStatus


class ShownState(StrEnum):
    """How a connector is shown, or a charge point that hasn't told of any."""

    CHARGING = "charging"
    """A transaction runs, and nothing says that no energy flows."""
    PLUGGED_IN = "plugged_in"
    """Somebody is there, but no energy flows: not yet, just now, or no more."""
    FREE = "free"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    """Out of service, or not known to be in it: a connected charger that has reported no status yet."""
    FAULTED = "faulted"
    OFFLINE = "offline"
    """Its charge point isn't connected; what it was last is no longer known to hold."""
    NEVER_CONNECTED = "never_connected"
    """Its charge point was registered ahead of time, and has never come."""


_BY_STATUS: Final[Mapping[str, ShownState]] = {
    ConnectorStatus.FAULTED: ShownState.FAULTED,
    ConnectorStatus.UNAVAILABLE: ShownState.UNAVAILABLE,
    ConnectorStatus.CHARGING: ShownState.CHARGING,
    ConnectorStatus.SUSPENDED_EV: ShownState.PLUGGED_IN,
    ConnectorStatus.SUSPENDED_EVSE: ShownState.PLUGGED_IN,
    ConnectorStatus.FINISHING: ShownState.PLUGGED_IN,
}
"""What these statuses say, whether a transaction is known to run or not."""


def shown_state(
    *,
    connected: bool,
    has_connected: bool,
    status: str | None,
    has_transaction: bool = False,
    is_reserved: bool = False,
) -> ShownState:
    """The state of a connector.

    `connected` is its charge point now, `has_connected` at any time; `status` as it last reported (OCPP 1.6 §7.7).
    """
    if not connected:
        return ShownState.OFFLINE if has_connected else ShownState.NEVER_CONNECTED
    said = None if status is None else _BY_STATUS.get(status)
    if said is not None:
        return said
    # Chargers report the end of Preparing late, and some report no change at all.
    if has_transaction:
        return ShownState.CHARGING
    if status == ConnectorStatus.PREPARING:
        return ShownState.PLUGGED_IN
    if is_reserved or status == ConnectorStatus.RESERVED:
        return ShownState.RESERVED
    return ShownState.FREE if status == ConnectorStatus.AVAILABLE else ShownState.UNAVAILABLE
