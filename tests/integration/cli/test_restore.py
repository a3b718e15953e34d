"""`mcpp restore`, and every wrong order of steps that a person could take instead."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.restore import restore
from mcpp.storage.sqlite.service import open_for_service
from tests.database import Database
from tests.integration.cli.command import Ended, Mcpp


class Site:
    """A directory with a database `mcpp.db`, as servers leave it."""

    def __init__(self, mcpp: Mcpp) -> None:
        self.mcpp = mcpp
        self.directory = mcpp.directory
        self.path = mcpp.directory / "mcpp.db"

    def serve(self, sessions: int = 0, *, is_killed: bool = False) -> list[int]:
        """A server that books so many sessions; killed, it leaves its WAL. Returns their ids."""
        child = os.fork() if is_killed else 0
        if child:
            os.waitpid(child, 0)
            return []
        opened = open_for_service(self.path)
        database = Database.of(self.path, opened.connection)
        ids = []
        for number in range(sessions):
            database.connection.begin()
            ids.append(database.session(charge_point_id=f"CP-{number}"))
            database.connection.commit()
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
        database.close()
        return ids

    def ids(self) -> list[int]:
        with closing(sqlite3.connect(self.path)) as books:
            assert books.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return [identity for (identity,) in books.execute("SELECT id FROM transactions ORDER BY id")]

    def events(self) -> list[str]:
        """What a server says when it opens the database."""
        connection, _, notices = open_for_service(self.path)
        connection.close()
        return [notice.event for notice in notices if notice.is_warning]

    def backup(self, name: str = "copy.db") -> Path:
        assert self.mcpp("backup", name).code == 0
        return self.directory / name


@pytest.fixture
def site(mcpp: Mcpp) -> Site:
    return Site(mcpp)


def test_a_backup_takes_the_place_and_no_id_is_given_again(site: Site) -> None:
    site.serve(3)
    site.backup()
    after = site.serve(2)

    ended = site.mcpp("restore", "copy.db")

    assert (ended.code, ended.err) == (0, "")
    first, ids_line, kept_line = ended.out.splitlines()
    assert "schema version 1, checked, 3 transactions" in first
    assert ids_line == "the ids of transactions go on from 1000006"
    assert site.ids() == [1, 2, 3]
    assert site.events() == []
    assert min(site.serve(1)) > max(after)
    (kept,) = site.directory.glob("mcpp.db.before-restore-*")
    assert kept.name in kept_line
    with closing(sqlite3.connect(kept)) as old:
        assert old.execute("SELECT count(*) FROM transactions").fetchone() == (5,)


def test_all_numbers_that_were_given_go_on_far_above(site: Site) -> None:
    site.serve(1)
    site.backup()
    assert site.mcpp("restore", "copy.db").code == 0

    with closing(sqlite3.connect(site.path)) as books:
        numbers = dict(books.execute("SELECT name, seq FROM sqlite_sequence"))
        allotted = dict(books.execute("SELECT kind, last_number FROM allotments"))
    assert {"transactions", "unmatched", "reservations", "uploads", "charge_points"} <= set(numbers)
    assert min(numbers.values()) >= 1_000_000
    assert allotted == dict.fromkeys(("reservation", "request", "remote_start"), 1_000_000)


def test_what_a_killed_server_left_in_the_wal_is_in_the_database_that_is_kept(site: Site) -> None:
    site.serve(1)
    site.backup()
    site.serve(4, is_killed=True)
    assert site.path.with_name("mcpp.db-wal").stat().st_size

    assert site.mcpp("restore", "copy.db").code == 0

    (kept,) = site.directory.glob("mcpp.db.before-restore-*")
    with closing(sqlite3.connect(kept)) as old:
        assert old.execute("SELECT count(*) FROM transactions").fetchone() == (5,)
    assert site.ids() == [1]
    assert sorted(file.name for file in site.directory.iterdir()) == [
        "copy.db",
        "mcpp.db",
        kept.name,
        "mcpp.db.lock",
    ]


def test_a_machine_without_a_database(site: Site) -> None:
    site.serve(3)
    site.backup()
    for file in site.directory.glob("mcpp.db*"):
        file.unlink()

    assert site.mcpp("restore", "copy.db").code == 0
    assert site.serve(1) == [1_000_004]


def test_files_are_private(site: Site) -> None:
    site.serve(1)
    site.path.chmod(0o644)
    assert "database_file_made_private" in site.events()
    site.backup()
    site.mcpp("restore", "copy.db")
    modes = {file.name: file.stat().st_mode & 0o777 for file in site.directory.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def absent(site: Site) -> str:
    return "absent.db"


def directory(site: Site) -> str:
    (site.directory / "folder").mkdir()
    return "folder"


def empty(site: Site) -> str:
    (site.directory / "empty.db").touch()
    return "empty.db"


def without_tables(site: Site) -> str:
    with closing(sqlite3.connect(site.directory / "bare.db")) as bare:
        bare.execute("PRAGMA user_version = 1")
    return "bare.db"


def itself(site: Site) -> str:
    return "mcpp.db"


def itself_by_another_name(site: Site) -> str:
    os.link(site.path, site.directory / "hard.db")
    return "hard.db"


def foreign(site: Site) -> str:
    with closing(sqlite3.connect(site.directory / "foreign.db")) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    return "foreign.db"


def text(site: Site) -> str:
    (site.directory / "notes.txt").write_text("no database at all\n" * 100)
    return "notes.txt"


def truncated(site: Site) -> str:
    copy = site.backup("cut.db")
    os.truncate(copy, copy.stat().st_size // 2)
    return "cut.db"


def damaged(site: Site) -> str:
    copy = site.backup("torn.db")
    with copy.open("r+b") as file:
        for page in range(5, 40):
            file.seek(page * 4096)
            file.write(b"\0" * 4096)
    return "torn.db"


def newer(site: Site) -> str:
    copy = site.backup("newer.db")
    with closing(sqlite3.connect(copy)) as books, books:
        books.execute("INSERT INTO schema_migrations VALUES (2, 'later', 'x', 'now')")
    return "newer.db"


def in_use(site: Site) -> str:
    for name in ("mcpp.db", "mcpp.db-wal"):
        shutil.copy(site.path.with_name(name), site.directory / name.replace("mcpp", "live"))
    return "live.db"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (absent, "does not exist"),
        (directory, "is a directory"),
        (empty, "is empty"),
        (without_tables, "holds nothing"),
        (itself, "is the database itself"),
        (itself_by_another_name, "is the database itself"),
        (foreign, "holds another program's tables"),
        (text, "is not an SQLite database"),
        (truncated, "damaged"),
        (damaged, "damaged"),
        (newer, "is of a newer mcpp"),
        (in_use, "take a backup of it with mcpp backup"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_no_backup_is_refused_and_the_database_left(
    site: Site, source: Callable[[Site], str], words: str
) -> None:
    site.serve(2)
    site.serve(2, is_killed=True)
    name = source(site)

    ended = site.mcpp("restore", name)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert words in ended.err
    assert name in ended.err
    assert site.events() == []
    assert len(site.ids()) == 4
    assert not list(site.directory.glob(".mcpp.db.*"))


def test_a_running_server_refuses(site: Site) -> None:
    site.serve(2)
    site.backup()
    connection, *_ = open_for_service(site.path)
    ended = site.mcpp("restore", "copy.db")
    connection.close()

    assert (ended.code, ended.out) == (75, "")
    assert "in use by another mcpp process" in ended.err


def test_a_program_that_has_it_open_refuses(site: Site) -> None:
    site.serve(2)
    site.backup()
    with closing(sqlite3.connect(site.path, isolation_level=None)) as person:
        person.execute("BEGIN")
        person.execute("SELECT * FROM transactions").fetchall()
        ended = site.mcpp("restore", "copy.db")

    assert ended == Ended(75, "", f"database {site.path} is open in another program; close that program\n")


def test_a_damaged_database_gives_way_and_is_kept(site: Site) -> None:
    site.serve(2)
    site.backup()
    site.serve(3, is_killed=True)
    with site.path.open("r+b") as file:
        file.write(b"\0" * 8192)

    ended = site.mcpp("restore", "copy.db")

    assert ended.code == 0
    assert "it wasn't whole" in ended.out
    assert site.ids() == [1, 2]
    assert list(site.directory.glob("mcpp.db.before-restore-*"))
    # The lock file knew the ids of the killed server's sessions.
    assert min(site.serve(1)) > 1_000_000


def test_a_copy_by_hand_over_the_database_gives_no_id_again(site: Site) -> None:
    site.serve(2)
    site.backup()
    given = site.serve(3)
    shutil.copyfile(site.directory / "copy.db", site.path)

    assert site.events() == ["database_replaced_ids_moved_ahead"]
    assert site.ids() == [1, 2]
    assert min(site.serve(1)) > max(given)
    assert site.events() == []


@pytest.mark.parametrize("is_plain", [False, True], ids=["backup", "plain copy"])
def test_a_copy_by_hand_beside_a_stale_wal_is_refused(site: Site, is_plain: bool) -> None:
    site.serve(2)
    if is_plain:
        shutil.copyfile(site.path, site.directory / "copy.db")
    else:
        site.backup()
    site.serve(3, is_killed=True)
    shutil.copyfile(site.directory / "copy.db", site.path)
    before = site.path.read_bytes()

    for command in (["migrate"], ["backup", "another.db"], ["check-config"]):
        ended = site.mcpp(*command)
        assert ended.code == 2
        assert "mcpp.db-wal beside it belongs to the one that was there before" in ended.err
        assert "mcpp restore" in ended.err
    assert site.path.read_bytes() == before

    assert site.mcpp("restore", "copy.db").code == 0
    assert site.ids() == [1, 2]
    assert min(site.serve(1)) > 5


def test_a_copy_of_a_live_database_without_its_wal_is_said(site: Site) -> None:
    site.serve(2)
    connection, *_ = open_for_service(site.path)
    shutil.copyfile(site.path, site.directory / "plain.db")
    connection.close()

    ended = site.mcpp("restore", "plain.db")

    assert ended.code == 0
    assert "plain.db is a plain copy, not taken by mcpp backup: what its -wal file held is missing" in ended.out


@pytest.mark.parametrize("is_empty", [False, True], ids=["missing", "empty"])
def test_a_database_that_is_gone_is_not_made_anew_unasked(site: Site, is_empty: bool) -> None:
    site.serve(3)
    site.path.unlink()
    if is_empty:
        site.path.touch()

    ended = site.mcpp("migrate")
    assert (ended.code, ended.out) == (2, "")
    assert f"is {'empty' if is_empty else 'missing'}, though there was one" in ended.err
    assert "mcpp migrate --new" in ended.err

    assert site.mcpp("migrate", "--new").code == 0
    assert site.serve(1) == [1_000_004]
    assert site.mcpp("migrate", "--new").code == 2


def test_no_space(site: Site) -> None:
    site.serve(5)
    site.backup()
    limited = 'ulimit -f 64; trap "" XFSZ; exec "$@"'
    ended = os.spawnvp(
        os.P_WAIT,
        "sh",
        ["sh", "-c", f'cd "{site.directory}"; {limited}', "sh", sys.executable, "-m", "mcpp", "restore", "copy.db"],
    )

    assert ended in {2, 75}
    assert site.ids() == [1, 2, 3, 4, 5]
    assert not list(site.directory.glob(".mcpp.db.*"))


_STEPS = frozenset({"os.rename", "os.remove", "os.link", "os.chmod", "fcntl.flock", "sqlite3.connect", "open"})


def _die_at(step: int) -> None:
    """Kill this process at a step that it takes in the file system."""
    left = step

    def hook(event: str, _: object) -> None:
        nonlocal left
        if event in _STEPS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _killed_at(step: int, source: Path, path: Path) -> bool:
    """A restore in a process that is killed at a step; False where it ended before."""
    child = os.fork()
    if not child:
        try:
            _die_at(step)
            restore(source, path)
        except DatabaseUnusable:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.fixture
def states(site: Site) -> Callable[[], None]:
    """Puts the directory back to a killed server's database and a backup from before."""
    site.serve(2)
    site.backup()
    site.serve(3, is_killed=True)
    saved = {file.name: file.read_bytes() for file in site.directory.iterdir()}

    def put_back() -> None:
        for file in site.directory.iterdir():
            file.unlink()
        for name, content in saved.items():
            (site.directory / name).write_bytes(content)

    return put_back


def test_killed_at_any_step_it_leaves_the_old_database_or_the_new_one(site: Site, states: Callable[[], None]) -> None:
    found = []
    for step in range(1, 100):
        states()
        if not _killed_at(step, site.directory / "copy.db", site.path):
            break
        site.events()
        found.append(len(site.ids()))
        assert not list(site.directory.glob(".mcpp.db.*"))
        assert min(site.serve(1)) > 5
        restore(site.directory / "copy.db", site.path)
        assert len(site.ids()) == 2

    assert len(found) > 10
    assert set(found) == {5, 2}
    assert found == sorted(found, reverse=True)
