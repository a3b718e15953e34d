"""Numbers that are given once and never again, also when an older database takes the place of a newer one.

A charger keeps the id of its transaction until it has told the end; were the id given again, that end would be booked
on somebody else's transaction. So with an older database all numbers go on far above those that may have been given.
"""

from __future__ import annotations

import sqlite3
from typing import Final

AHEAD: Final = 1_000_000
"""How far: more than a large site gives in a year, and two thousand times within OCPP's integers."""

_MOST: Final = 2**31 - 1
"""What a charger can hold."""


def highest_transaction_id(connection: sqlite3.Connection) -> int:
    """The highest transaction id that this database has given. Raises sqlite3.Error where it has no transactions."""
    (given,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'transactions'").fetchone() or (0,)
    return int(given)


def give_next(connection: sqlite3.Connection, number: int) -> None:
    """Let the next transaction have this id, where no higher one was given yet. Within a transaction."""
    if highest_transaction_id(connection) >= number:
        return
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'transactions'")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('transactions', ?)", (number - 1,))


def move_ahead(connection: sqlite3.Connection, given: int) -> int:
    """Let every sequence and allotment go on far above what was given; returns the highest id of a transaction so far.

    `given`: the highest that is known elsewhere. Over an autocommit connection; raises sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
        ).fetchall()
        for (table,) in tables:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
            highest = _ahead(max(row[0] if row else 0, given if table == "transactions" else 0))
            if row:
                connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (highest, table))
            else:
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, highest))
        for kind, last in connection.execute("SELECT kind, last_number FROM allotments").fetchall():
            connection.execute("UPDATE allotments SET last_number = ? WHERE kind = ?", (_ahead(last), kind))
        highest = highest_transaction_id(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return highest


def _ahead(number: int) -> int:
    return number + max(min(AHEAD, (_MOST - number) // 2), 0)
