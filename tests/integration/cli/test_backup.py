"""`mcpp backup`: one state of a database that is written to meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.database import BEGIN, Database
from tests.integration.cli.command import COMMAND, Ended, Mcpp, clean_environment


def test_a_copy_while_the_server_has_the_database(mcpp: Mcpp, database: Database) -> None:
    database.session(wh=None)

    ended = mcpp("backup", "copy.db")

    copy = mcpp.directory / "copy.db"
    size = copy.stat().st_size
    assert ended == Ended(0, f"copy.db: {size} bytes, schema version 1, checked\n", "")
    assert copy.stat().st_mode == database.path.stat().st_mode
    assert [file.name for file in mcpp.directory.iterdir() if "copy" in file.name] == ["copy.db"]
    assert mcpp("export", "transactions", "--database", "copy.db").out == mcpp("export", "transactions").out


def test_the_copy_opens_where_nothing_can_be_written(mcpp: Mcpp, database: Database) -> None:
    database.session()
    mcpp("backup", "copy.db")

    with closing(sqlite3.connect(f"file:{mcpp.directory / 'copy.db'}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM transactions").fetchone() == (1,)


def test_each_copy_taken_under_writes_is_one_state(mcpp: Mcpp, database: Database) -> None:
    # Each transaction of the writer books a session on either charger: a copy that isn't one state has an odd one.
    written = 0

    def write() -> None:
        nonlocal written
        database.connection.execute("BEGIN IMMEDIATE")
        for charger in ("CP-1", "CP-2"):
            database.session(
                charge_point_id=charger, started_at=BEGIN + timedelta(minutes=written), meter_start=written
            )
        database.connection.execute("COMMIT")
        written += 1

    for copy in range(5):
        before = written
        with subprocess.Popen(
            [*COMMAND, "backup", f"copy-{copy}.db"],
            cwd=mcpp.directory,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
        ) as backup:
            while backup.poll() is None:
                write()
        assert backup.returncode == 0
        assert written > before
        with closing(sqlite3.connect(mcpp.directory / f"copy-{copy}.db")) as found:
            assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counts = found.execute("SELECT count(*) FROM transactions GROUP BY charge_point_key").fetchall()
        assert len(set(counts)) <= 1
        assert sum(count for (count,) in counts) >= 2 * before


def test_a_file_that_exists_is_replaced_only_by_force(mcpp: Mcpp, database: Database) -> None:
    target = mcpp.directory / "copy.db"
    target.write_text("precious")

    refused = mcpp("backup", "copy.db")
    assert refused == Ended(2, "", "copy.db exists; choose another file, or replace it with --force\n")
    assert target.read_text() == "precious"

    assert mcpp("backup", "copy.db", "--force").code == 0
    assert mcpp("migrate", "--database", "copy.db").code == 0


def test_the_database_of_a_server_is_never_replaced(mcpp: Mcpp, database: Database) -> None:
    other = Database(mcpp.directory / "other.db")
    other.session()

    itself = mcpp("backup", "mcpp.db", "--force")
    in_use = mcpp("backup", "other.db", "--force")
    other.close()

    assert itself == Ended(2, "", "mcpp.db is the database itself; choose another file\n")
    assert in_use == Ended(2, "", "other.db-wal exists, so other.db is a database in use; choose another file\n")


@pytest.mark.parametrize("target", ["absent/copy.db", "."])
def test_a_target_that_cannot_be_written(mcpp: Mcpp, database: Database, target: str) -> None:
    ended = mcpp("backup", target)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(target)


def test_a_full_disk_leaves_nothing_behind(mcpp: Mcpp, database: Database) -> None:
    # A limit on the size of files stands for a disk that fills up.
    for number in range(200):
        database.session(started_at=BEGIN + timedelta(minutes=number), meter_start=number)
    run = subprocess.run(
        ["sh", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "sh", *COMMAND, "backup", "copies/copy.db"],
        cwd=_with_folder(mcpp.directory),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.startswith(f"database {database.path} can't be copied to copies/copy.db: ")
    assert list((mcpp.directory / "copies").iterdir()) == []


def _with_folder(directory: Path) -> Path:
    (directory / "copies").mkdir()
    return directory
