"""A folder with a schema, queries and options of its own, on which the real sqlc runs."""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tools.sqlc_plugin.generate import generate

SCHEMA = """
CREATE TABLE sites (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    kind       TEXT    NOT NULL,
    past_kind  TEXT,
    is_public  INTEGER NOT NULL,
    is_lit     INTEGER,
    price      TEXT    NOT NULL,
    discount   TEXT,
    opened_at  INTEGER NOT NULL,
    closed_at  INTEGER,
    area       REAL,
    photo      BLOB
) STRICT;

CREATE TABLE readings (
    site_id  INTEGER NOT NULL REFERENCES sites (id),
    read_at  INTEGER NOT NULL,
    value    TEXT    NOT NULL,
    PRIMARY KEY (site_id, read_at)
) STRICT, WITHOUT ROWID;

CREATE VIEW site_readings AS
SELECT s.name, r.read_at, r.value, count(*) AS amount, CAST(max(r.value) AS REAL) AS peak, max(r.value) AS untyped
FROM sites AS s LEFT JOIN readings AS r ON r.site_id = s.id
GROUP BY s.id;
"""

OPTIONS: dict[str, object] = {
    "types": {
        "*.*_at": "datetime",
        "sites.kind": "SiteKind",
        "sites.past_kind": "SiteKind",
        "sites.is_public": "bool",
        "sites.is_lit": "bool",
        "sites.price": "decimal",
        "sites.discount": "decimal",
    },
    "enums": {"SiteKind": ["car-park", "Depot", "SuspendedEVSE"]},
}


@dataclass(frozen=True)
class Workbench:
    root: Path

    @property
    def output(self) -> Path:
        return self.root / "shelf"

    def generate(self, queries: str, options: Mapping[str, object] = OPTIONS) -> int:
        (self.root / "schema.sql").write_text(SCHEMA)
        (self.root / "queries").mkdir(exist_ok=True)
        (self.root / "queries" / "all.sql").write_text(queries)
        plugin = {"name": "python", "process": {"cmd": "sqlc-gen-python", "format": "json"}, "env": ["PATH"]}
        codegen = {"plugin": "python", "out": self.output.name, "options": options}
        sql = {"engine": "sqlite", "schema": "schema.sql", "queries": "queries", "codegen": [codegen]}
        config = self.root / "sqlc.yaml"  # JSON is YAML, too
        config.write_text(json.dumps({"version": "2", "plugins": [plugin], "sql": [sql]}))
        return generate(config, self.output)

    def files(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.output)): file.read_bytes() for file in self.output.rglob("*.*")}

    @contextmanager
    def package(self) -> Iterator[dict[str, ModuleType]]:
        """The generated modules by name (`queries`, `sqlite.queries`), imported."""
        sys.path.insert(0, str(self.root))
        try:
            files = [file.relative_to(self.output).with_suffix("") for file in self.output.rglob("[!_]*.py")]
            names = [".".join(file.parts) for file in files]
            yield {name: importlib.import_module(f"{self.output.name}.{name}") for name in names}
        finally:
            sys.path.remove(str(self.root))
            for name in [name for name in sys.modules if name.partition(".")[0] == self.output.name]:
                del sys.modules[name]


def connect(path: str | Path = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(SCHEMA)
    return connection
