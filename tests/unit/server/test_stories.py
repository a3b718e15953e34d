"""The story that the running server tells: with what its log file and the older ones beside it have."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from mcpp.server.stories import Stories
from tests.database import BEGIN, Database
from tests.unit.story.charged import Charged

DAYS = 86_400


@pytest.fixture
def charged(tmp_path: Path) -> Iterator[Charged]:
    database = Database(tmp_path / "mcpp.db")
    yield Charged(database)
    database.close()


@pytest.fixture
def log_file(tmp_path: Path, charged: Charged) -> Path:
    """A log whose newest file begins in mid-session; the oldest is of the day before yesterday."""
    charged.charge()
    charged.log.connection(1800, "lost")
    lines = sorted(charged.log.text().splitlines(keepends=True), key=lambda line: str(json.loads(line)["timestamp"]))
    log_file = tmp_path / "mcpp.log"
    log_file.write_text("".join(lines[30:]))
    log_file.with_name("mcpp.log.1").write_text("".join(lines[:30]))
    old = log_file.with_name("mcpp.log.2")
    old.write_text("no JSON\n")
    os.utime(old, (BEGIN.timestamp() - 2 * DAYS,) * 2)
    return log_file


async def told(
    charged: Charged, log_file: Path | None, *, with_log: bool = True, most_lines: int = 1_000
) -> tuple[list[Any], Any]:
    stories = Stories(lambda: nullcontext(charged.q), log_file, most_lines=most_lines)
    story = await stories.tell(charged.id, with_log=with_log)
    assert story is not None
    entries = story["entries"]
    assert isinstance(entries, list)
    return [entry["what"] for entry in entries if isinstance(entry, dict)], story["shortfalls"]


async def test_the_log_file_and_older_ones_are_read_as_far_as_they_may_speak_of_it(
    charged: Charged, log_file: Path
) -> None:
    whats, shortfalls = await told(charged, log_file)
    from_books, _ = await told(charged, log_file, with_log=False)

    assert "connection lost" in whats
    assert whats[0] == "StatusNotification: Available → Preparing"
    assert shortfalls == []
    assert "connection lost" not in from_books
    assert (await told(charged, None))[0] == from_books


async def test_a_log_with_too_many_lines_of_it_is_left_out(charged: Charged, log_file: Path) -> None:
    whats, shortfalls = await told(charged, log_file, most_lines=10)

    assert whats == (await told(charged, None))[0]
    assert shortfalls == ["log_left_out"]
