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

    def over(self, older: Stamps) -> Stamps:
        """These, with what only the older ones know."""
        return Stamps(self.heartbeat_at or older.heartbeat_at, self.meter_values_at or older.meter_values_at)


_NONE = Stamps()


class StampBook:
    """The stamps that wait to be written, by the charge point's key. Used on the event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[int, Stamps] = {}

    def heartbeat(self, key: int, at: datetime) -> None:
        """A Heartbeat came in."""
        self._waiting[key] = Stamps(at, self.waiting(key).meter_values_at)

    def meter_values(self, key: int, at: datetime) -> None:
        """Meter values came in."""
        self._waiting[key] = Stamps(self.waiting(key).heartbeat_at, at)

    def waiting(self, key: int) -> Stamps:
        """What isn't written yet of one charge point, for readers that want the newest."""
        return self._waiting.get(key, _NONE)

    def take(self) -> dict[int, Stamps]:
        """All that waits, to be written; the book is empty afterwards."""
        taken, self._waiting = self._waiting, {}
        return taken

    def put_back(self, taken: dict[int, Stamps]) -> None:
        """Stamps that could not be written wait again, under those that came since."""
        for key, stamps in taken.items():
            self._waiting[key] = self.waiting(key).over(stamps)


def write_stamps(q: Queries, stamps: dict[int, Stamps]) -> None:
    """Write stamps into their charge points' rows."""
    q.stamp_charge_points(
        StampChargePointsParams(
            key=key, last_heartbeat_at=stamp.heartbeat_at, last_meter_values_at=stamp.meter_values_at
        )
        for key, stamp in stamps.items()
    )
