"""A small table and a typed handle on it: what the writer's tests store: pairs of rows, whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mcpp.storage.engine import Durability
from mcpp.storage.sqlite.database import WriterConnection, open_writer
from mcpp.storage.sqlite.migrations import Migration, migrate

SCHEMA = """
CREATE TABLE half (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    pair      INTEGER NOT NULL,
    submitter TEXT NOT NULL,
    side      TEXT NOT NULL CHECK (side IN ('left', 'right')),
    ballast   BLOB,
    UNIQUE (pair, side)
) STRICT;
CREATE TABLE promise (
    half INTEGER NOT NULL REFERENCES half (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TABLE taken (id INTEGER PRIMARY KEY) STRICT;
INSERT INTO taken VALUES (1);
"""


class Pairs:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def add_half(self, pair: int, submitter: str, side: str, ballast: int = 0) -> None:
        self.connection.execute(
            "INSERT INTO half (pair, submitter, side, ballast) VALUES (?, ?, ?, zeroblob(?))",
            (pair, submitter, side, ballast),
        )

    def break_promise(self) -> None:
        """Makes the commit fail: the foreign key is checked only then."""
        self.connection.execute("INSERT INTO promise (half) VALUES (-1)")

    def lose_transaction(self) -> None:
        """Raises sqlite3.IntegrityError, after SQLite has rolled back the whole transaction."""
        self.connection.execute("INSERT OR ROLLBACK INTO taken VALUES (1)")


def add_pair(q: Pairs, pair: int, submitter: str = "", ballast: int = 0) -> int:
    q.add_half(pair, submitter, "left", ballast)
    q.add_half(pair, submitter, "right")
    return pair


def open_pairs(path: Path, durability: Durability = Durability.NORMAL) -> WriterConnection:
    connection = open_writer(path, durability)
    migrate(connection, [Migration(1, "pairs", SCHEMA)])
    return connection


def stored_halves(path: Path) -> list[tuple[int, str, str]]:
    """Pair, submitter and side of every row, in the order of writing, seen by a connection of its own."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT pair, submitter, side FROM half ORDER BY id").fetchall()
    finally:
        connection.close()


def stored_pairs(path: Path) -> list[int]:
    """The pairs that are there whole, in the order of writing; fails when one is there by half."""
    halves = stored_halves(path)
    pairs = list(dict.fromkeys(pair for pair, _, _ in halves))
    assert [(pair, side) for pair in pairs for side in ("left", "right")] == [(pair, side) for pair, _, side in halves]
    return pairs
