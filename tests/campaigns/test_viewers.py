"""The short form of the viewers; `make viewers` has twenty of them, and judges what a charger waits."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.viewers import watch


async def test_viewers_are_told_what_happens_and_nothing_fails(tmp_path: Path) -> None:
    watched = await watch(tmp_path, viewers=3, chargers=4, seconds=3, seed=1)

    assert watched.faults == []
    assert watched.watched.answers > 0
