"""The schema in a real SQLite: whether a statement can be prepared on it, and how its views are made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from tools.sqlc_plugin.statement import Statement


class Database:
    def __init__(self, schema_paths: Iterable[str]) -> None:
        self._connection = sqlite3.connect(":memory:")
        for path in map(Path, schema_paths):
            for file in sorted(path.glob("*.sql")) if path.is_dir() else [path]:
                if not file.name.endswith(".down.sql"):
                    self._connection.executescript(file.read_text(encoding="utf-8"))

    def complaint(self, sql: str, parameters: int) -> str:
        """What SQLite has against the statement with so many parameters; empty where it accepts it."""
        try:
            self._connection.execute(f"EXPLAIN {sql}", (None,) * parameters)
        except sqlite3.Error as error:
            return str(error)
        return ""

    def has_rowid(self, table: str) -> bool:
        sql = "SELECT 1 FROM pragma_table_list WHERE name = ? AND wr = 0"
        return self._connection.execute(sql, (table,)).fetchone() is not None

    def views(self) -> dict[str, Statement]:
        rows = self._connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")
        return {name: Statement(sql) for name, sql in rows}
