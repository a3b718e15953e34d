"""The short form of the soak: once all chargers have left, nothing of them is kept; `make soak` takes an hour."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.soak import soak


async def test_chargers_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    soaked = await soak(tmp_path, seconds=3, chargers=40, seed=1, pace=0.2, visit=0.5, every=0.5)

    assert soaked.faults == []
    assert soaked.answered > 0
    assert max(reading.connected for reading in soaked.readings) > 10
    assert soaked.after.connected == 0
