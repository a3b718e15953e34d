"""The way of a message stays short: how many hand-written files it may run through, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tools.walk import COMMAND, Walk, measure


@dataclass(frozen=True)
class Limit:
    """Files at most, of `mcpp/`."""

    before_domain: int
    """Until the domain function begins, of a command until its CALL is sent; 0 where no domain function may run."""
    with_events: int
    """Until everybody has had the event."""


LIMITS = {
    # One more than usual: on a slow machine a turn is over before its frames are, and goes on by transport/turns.py.
    "MeterValues": Limit(before_domain=16, with_events=40),
    "StartTransaction": Limit(before_domain=16, with_events=54),
    "StopTransaction": Limit(before_domain=18, with_events=55),
    "StatusNotification": Limit(before_domain=16, with_events=43),
    "Heartbeat": Limit(before_domain=0, with_events=26),
    COMMAND: Limit(before_domain=27, with_events=50),
}


@pytest.fixture(scope="module")
def walks() -> Mapping[str, Walk]:
    return measure()


@pytest.mark.parametrize("kind", LIMITS)
def test_a_message_runs_through_few_files(walks: Mapping[str, Walk], kind: str) -> None:
    walk, limit = walks[kind], LIMITS[kind]
    before = walk.before_domain or []
    assert len(before) <= limit.before_domain, before
    assert len(walk.with_events) <= limit.with_events, walk.with_events


@pytest.mark.parametrize("kind", ["MeterValues", "StartTransaction", "StopTransaction", "StatusNotification"])
def test_a_record_is_seen_on_its_whole_way(walks: Mapping[str, Walk], kind: str) -> None:
    walk = walks[kind]
    assert walk.before_domain is not None
    assert walk.before_domain[0] == walk.until_answer[0] == walk.with_events[0]
    assert walk.before_domain[0].startswith("transport/")
    assert set(walk.before_domain) < set(walk.until_answer) < set(walk.with_events)
    assert any(file.startswith("domain/") for file in walk.until_answer)


def test_a_chore_is_on_no_way(walks: Mapping[str, Walk]) -> None:
    assert all("server/chores.py" not in walk.with_events for walk in walks.values())
