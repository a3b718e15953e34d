"""A fleet's figures with the live state that they ask, each told of what happens in turn, as the server does it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mcpp.domain.events import Event
from mcpp.reads.live import LiveReadings
from mcpp.reads.stored_fleet import StoredChargePoint
from mcpp.telemetry.fleet.state import Fleet


class FollowedFleet(Fleet):
    def __init__(self, *, statuses: Collection[str], error_codes: Collection[str], series_limit: int) -> None:
        self.live = LiveReadings()
        super().__init__(self.live, statuses=statuses, error_codes=error_codes, series_limit=series_limit)

    def load(self, stored: Iterable[StoredChargePoint]) -> None:
        known = list(stored)
        self.live.load(known)
        super().load(known)

    def __call__(self, event: Event) -> None:
        self.live(event)
        super().__call__(event)
