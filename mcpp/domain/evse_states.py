"""How a connector of an EVSE stands in the domain's words, where its charger tells two things of it.

The connector reports whether it's taken, the transaction how far the charging is. Each is told when it changes, and
either may come first. The domain's words, OCPP 1.6's, need both:

| reported | transaction | domain |
| --- | --- | --- |
| Unavailable, Faulted | whatever | the same |
| Reserved | none | Reserved |
| Available | none, or one that charged before | Available |
| Available | one that waits for its car | Preparing |
| Occupied | none yet | Preparing |
| Occupied | Charging, SuspendedEV, SuspendedEVSE | the same |
| Occupied | EVConnected, Idle before it charged | Preparing |
| Occupied | EVConnected, Idle after it charged; it's over | Finishing |

An event of a transaction that is newer than the report says that the connector is taken, whatever that said.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from mcpp.domain.statuses import ConnectorStatus, had_transaction


class ReportedStatus(StrEnum):
    """What a connector reports of itself (OCPP 2.0.1 ConnectorStatusEnumType)."""

    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    """Taken by a cable, a car or a card."""
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargingState(StrEnum):
    """How far the charging in a transaction is (OCPP 2.0.1 ChargingStateEnumType)."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    """The car is there, and no energy is offered: not yet or no more."""
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"
    """No car is there: not yet or no more."""


_IN_CHARGE: Final = {
    ChargingState.CHARGING: ConnectorStatus.CHARGING,
    ChargingState.SUSPENDED_EV: ConnectorStatus.SUSPENDED_EV,
    ChargingState.SUSPENDED_EVSE: ConnectorStatus.SUSPENDED_EVSE,
}
_OUT_OF_ORDER: Final = {
    ReportedStatus.UNAVAILABLE: ConnectorStatus.UNAVAILABLE,
    ReportedStatus.FAULTED: ConnectorStatus.FAULTED,
}


def status_after_report(
    reported: ReportedStatus, before: str | None, *, runs: bool, state: ChargingState | None
) -> ConnectorStatus:
    """The status of a connector that reports its own.

    `before` is the status until now; `runs` whether a transaction does, and `state` what that told last.
    """
    if (out := _OUT_OF_ORDER.get(reported)) is not None:
        return out
    if reported is ReportedStatus.AVAILABLE:
        waits = runs and state in {None, ChargingState.IDLE} and not had_transaction(before)
        return ConnectorStatus.PREPARING if waits else ConnectorStatus.AVAILABLE
    if reported is ReportedStatus.RESERVED and not runs:
        return ConnectorStatus.RESERVED
    if not runs:
        return _without_current(before)
    return _in_transaction(before, state)


def status_after_event(reported: str | None, before: str | None, state: ChargingState | None) -> ConnectorStatus:
    """The status of a connector whose transaction runs and has told of itself; `reported` is the connector's word."""
    if reported is not None and reported in _OUT_OF_ORDER:
        return _OUT_OF_ORDER[ReportedStatus(reported)]
    return _in_transaction(before, state)


def status_after_end(reported: str | None, state: ChargingState | None) -> ConnectorStatus:
    """The status of a connector whose transaction has ended just now."""
    if reported is not None and reported in _OUT_OF_ORDER:
        return _OUT_OF_ORDER[ReportedStatus(reported)]
    if reported == ReportedStatus.AVAILABLE or (reported is None and state is ChargingState.IDLE):
        return ConnectorStatus.AVAILABLE
    return ConnectorStatus.FINISHING


def _in_transaction(before: str | None, state: ChargingState | None) -> ConnectorStatus:
    # Some chargers never tell a state: what they begin charges, as far as anybody knows.
    if state is None:
        return ConnectorStatus.CHARGING
    return _IN_CHARGE.get(state) or _without_current(before)


def _without_current(before: str | None) -> ConnectorStatus:
    """Of a car that draws no current: it hasn't yet, or it has been served."""
    return ConnectorStatus.FINISHING if had_transaction(before) else ConnectorStatus.PREPARING
