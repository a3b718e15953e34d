"""A follower of the domain's events gets those of its kinds only, and misses nothing by it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import pytest

from mcpp.domain.events import Event
from mcpp.ocppj.flow import Subject
from mcpp.telemetry.business import BusinessTelemetry
from mcpp.telemetry.metrics.definitions import Metrics
from mcpp.telemetry.sessions import ChargingSessions, SessionEnd
from tests.events import (
    BOOTED,
    CONNECTED,
    FORGOTTEN,
    HEARTBEAT,
    MEASURED,
    NOW,
    PREPARING,
    RECOVERED,
    STARTED,
    STOPPED,
)
from tests.unit.telemetry.followed import FollowedFleet
from tests.unit.telemetry.recording import Recording

STORIES: dict[str, list[Event]] = {
    "stopped": [CONNECTED, BOOTED, HEARTBEAT, PREPARING, STARTED, MEASURED, STOPPED],
    "recovered": [CONNECTED, PREPARING, STARTED, MEASURED, RECOVERED],
    "still running": [CONNECTED, PREPARING, STARTED, HEARTBEAT, MEASURED],
    "forgotten": [CONNECTED, BOOTED, PREPARING, STARTED, MEASURED, FORGOTTEN],
}


class Follower(Protocol):
    @property
    def kinds(self) -> tuple[type[Event], ...]: ...
    def __call__(self, event: Event) -> None: ...


def follow(follower: Follower, story: Iterable[Event], *, all_kinds: bool) -> None:
    for event in story:
        if all_kinds or type(event) in follower.kinds:
            follower(event)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_the_fleets_figures_need_its_kinds_only(story: list[Event]) -> None:
    def figures(*, all_kinds: bool) -> list[object]:
        fleet = FollowedFleet(statuses=("Available", "Preparing"), error_codes=("NoError",), series_limit=10)
        follow(fleet, story, all_kinds=all_kinds)
        known = next(iter(fleet), None)
        if known is None:
            return []
        totals = (known.boots, known.transactions, known.transaction_seconds, known.energy_wh)
        connectors = [
            (one.live.connector_id, one.live.status, one.status_changes, one.live.energy_wh, one.live.power_watts(NOW))
            for one in known.connectors.values()
        ]
        return [totals, connectors]

    assert figures(all_kinds=False) == figures(all_kinds=True)


def test_a_fleet_without_series_wants_nothing() -> None:
    assert FollowedFleet(statuses=(), error_codes=(), series_limit=0).kinds == ()


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_lines_and_counts_need_their_kinds_only(recording: Recording, story: list[Event]) -> None:
    def written(*, all_kinds: bool) -> tuple[object, object]:
        metrics = Metrics(version="1", actions=(), error_codes=(), stop_reasons=("Local",))
        recording.path.unlink(missing_ok=True)
        with recording.at() as lines:
            follow(BusinessTelemetry(lines, metrics), story, all_kinds=all_kinds)
        counts = [
            sample
            for family in metrics.registry.collect()
            if family.name.startswith("mcpp_transaction")
            for sample in family.samples
        ]
        return [line | {"timestamp": ""} for line in recording.lines()], counts

    assert written(all_kinds=False) == written(all_kinds=True)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_the_sessions_need_their_kinds_only(story: list[Event]) -> None:
    def sessions(*, all_kinds: bool) -> tuple[object, ...]:
        ended: list[SessionEnd] = []
        follower = ChargingSessions(ended.append)
        follow(follower, story, all_kinds=all_kinds)
        subjects = (Subject(connector_id=1), Subject(transaction_id=7))
        return ended, [follower.find("CP-1", subject) for subject in subjects]

    assert sessions(all_kinds=False) == sessions(all_kinds=True)
