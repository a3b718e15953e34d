"""The look for damage at the start ends in time, however large the database is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mcpp.storage.sqlite.integrity import quick_check

SOON = 0.002
"""Seconds; the check of this database takes a hundred times as long."""


def test_a_check_ends_when_its_time_is_over_and_finds_nothing_then(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "large.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
        connection.execute(
            "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 300000) "
            "INSERT INTO numbers SELECT n, printf('%08d', n) FROM number"
        )
        ended = quick_check(connection, SOON)
        whole = quick_check(connection, 600.0)

        assert (ended.fault, ended.is_finished) == (None, False)
        assert (whole.fault, whole.is_finished) == (None, True)
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (300_000,)
