"""Stamps that aren't records of their own: gathered in memory, written together every second or so.

A crash loses at most what the charger will say again by its next message.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from mcpp_generated.db.models import StampChargePointsParams
from mcpp_generated.db.queries import Queries


class Stamps(NamedTuple):
    """When a charge point last did what leaves no record."""

    heartbeat_at: datetime | None = None
    meter_values_at: datetime | None = None


class StampBook:
    """The stamps that wait to be written, by the charge point's key. Used on the event loop only."""

    __slots__ = ("heartbeat_at", "meter_values_at")

    def __init__(self) -> None:
        self.heartbeat_at: dict[int, datetime] = {}
        """When the last Heartbeat came in; handlers set it."""
        self.meter_values_at: dict[int, datetime] = {}
        """When the last meter values came in; handlers set it."""

    def waiting(self, key: int) -> Stamps:
        """What isn't written yet of one charge point, for readers that want the newest."""
        return Stamps(self.heartbeat_at.get(key), self.meter_values_at.get(key))

    def all_waiting(self) -> dict[int, Stamps]:
        """All that waits, to be written; until it's `written`, readers find it here."""
        return {key: self.waiting(key) for key in self.heartbeat_at.keys() | self.meter_values_at.keys()}

    def written(self, stored: dict[int, Stamps]) -> None:
        """These are in the database now; newer ones that came since go on waiting."""
        for key, stamps in stored.items():
            if self.heartbeat_at.get(key) == stamps.heartbeat_at:
                self.heartbeat_at.pop(key, None)
            if self.meter_values_at.get(key) == stamps.meter_values_at:
                self.meter_values_at.pop(key, None)


def write_stamps(q: Queries, stamps: dict[int, Stamps]) -> None:
    """Write stamps into their charge points' rows."""
    q.stamp_charge_points(
        StampChargePointsParams(
            key=key, last_heartbeat_at=stamp.heartbeat_at, last_meter_values_at=stamp.meter_values_at
        )
        for key, stamp in stamps.items()
    )
