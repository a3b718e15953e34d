"""What becomes of the database while the server runs: no answer is given for what can't be found in it later."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.mounts import abort, ext4_image, fill, small_disk
from tests.acceptance.server import Server, running_server


class Station:
    """A charger that starts and stops transactions on one connector, a CALL at a time."""

    def __init__(self, server: Server, socket: ClientConnection) -> None:
        self.server = server
        self.socket = socket
        self.answered: list[int] = []
        """The ids of the transactions whose start was answered."""
        self._calls = 0

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None where the server says in its log that there is none."""
        self._calls += 1
        message_id = f"m{self._calls}"
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        answer = asyncio.ensure_future(self.socket.recv())
        unanswered = asyncio.ensure_future(
            self.server.wait_for_line(
                lambda line: line["event"] == "call_unanswered" and line["message_id"] == message_id, 30
            )
        )
        await asyncio.wait((answer, unanswered), return_when=asyncio.FIRST_COMPLETED)
        if unanswered.done():
            # Whatever else the server has for us would come before the answer to this.
            await self.socket.send(json.dumps([2, f"h{self._calls}", "Heartbeat", {}]))
            assert json.loads(await answer)[1] == f"h{self._calls}"
            return None
        unanswered.cancel()
        kind, answered_id, content = json.loads(await answer)
        assert (kind, answered_id) == (3, message_id)
        return dict(content)

    async def start(self, number: int) -> int | None:
        """A transaction begins; its id where that was answered."""
        content = await self.call(
            "StartTransaction",
            {
                "connectorId": number % 50 + 1,
                "idTag": "TAG",
                "meterStart": number,
                "timestamp": f"2026-01-01T{number // 60:02}:{number % 60:02}:00Z",
            },
        )
        if content is None:
            return None
        self.answered.append(content["transactionId"])
        return self.answered[-1]


@asynccontextmanager
async def station(server: Server) -> AsyncIterator[Station]:
    dialled = connect(f"{server.ocpp_url}/CP-1", subprotocols=[Subprotocol("ocpp1.6")], ping_interval=None)
    async with dialled as socket:
        one = Station(server, socket)
        boot = {"chargePointModel": "M", "chargePointVendor": "V"}
        assert await one.call("BootNotification", boot) is not None
        yield one


async def readiness(server: Server) -> tuple[int, str]:
    """Status and text of `/readyz`."""
    async with httpx.AsyncClient(base_url=server.http_url, timeout=20) as client:
        response = await client.get("/readyz")
    return response.status_code, response.json()["checks"]["database"]


async def until_ready(server: Server) -> None:
    async with asyncio.timeout(30):
        while (await readiness(server))[0] != 200:
            await asyncio.sleep(0.05)


def stored(database: Path) -> set[int]:
    with closing(sqlite3.connect(database)) as books:
        assert books.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {identity for (identity,) in books.execute("SELECT id FROM transactions")}


def deleted(database: Path) -> None:
    database.unlink()


def moved(database: Path) -> None:
    database.rename(database.with_name("elsewhere.db"))


def replaced(database: Path) -> None:
    other = database.with_name("other.db")
    subprocess.run([sys.executable, "-m", "mcpp", "migrate", "--database", other], check=True, capture_output=True)
    other.rename(database)


def overwritten_by_a_backup(database: Path) -> None:
    copy = database.with_name("copy.db")
    subprocess.run(
        [sys.executable, "-m", "mcpp", "backup", copy, "--database", database], check=True, capture_output=True
    )
    shutil.copyfile(copy, database)


def overwritten_by_another(database: Path) -> None:
    other = database.with_name("other.db")
    subprocess.run([sys.executable, "-m", "mcpp", "migrate", "--database", other], check=True, capture_output=True)
    shutil.copyfile(other, database)


def emptied(database: Path) -> None:
    os.truncate(database, 0)


def cut_in_half(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def without_its_wal(database: Path) -> None:
    database.with_name(f"{database.name}-wal").unlink()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (deleted, "was deleted or moved while the server runs"),
        (moved, "was deleted or moved while the server runs"),
        (replaced, "was replaced by another file while the server runs"),
        (overwritten_by_a_backup, "was overwritten while the server runs"),
        (overwritten_by_another, "was overwritten while the server runs"),
        (emptied, "was truncated or overwritten while the server runs"),
        (cut_in_half, "was truncated while the server runs"),
        (without_its_wal, "mcpp.db-wal was deleted, moved or replaced while the server runs"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_nothing_is_answered_once_the_file_is_no_longer_the_database(
    tmp_path: Path, fault: Callable[[Path], None], words: str
) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, station(server) as charger:
        for number in range(20):
            assert await charger.start(number) is not None
        assert (await readiness(server))[0] == 200
        fault(database)

        for number in range(20, 30):
            assert await charger.start(number) is None
        status, text = await readiness(server)
        said = await server.wait_for_line(lambda line: line["event"] == "database_error")

    assert status == 503
    assert words in text
    assert said["level"] == "error"
    assert words in said["error"]
    if fault in {moved, without_its_wal}:
        # The server has brought what its WAL held into the file that it had open.
        assert set(charger.answered) <= stored(tmp_path / "elsewhere.db" if fault is moved else database)


async def test_a_file_that_comes_back_is_the_database_again(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, station(server) as charger:
        first = await charger.start(0)
        moved(database)
        assert await charger.start(1) is None
        database.with_name("elsewhere.db").rename(database)
        await until_ready(server)
        again = await charger.start(1)
        said = await server.wait_for_line(lambda line: line["event"] == "database_usable_again")

    assert None not in {first, again}
    assert stored(database) == set(charger.answered)
    assert said["level"] == "info"


async def test_a_lock_of_another_program_is_waited_for(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, station(server) as charger:
        await charger.start(0)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await charger.start(1) is None
            status, text = await readiness(server)
        await until_ready(server)
        assert await charger.start(1) is not None

    assert status == 503
    assert "database is locked" in text or "no write within" in text
    assert stored(database) == set(charger.answered)


async def test_a_full_disk_costs_no_answered_message_and_passes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        database = disk / "mcpp.db"
        async with running_server(database) as server, station(server) as charger:
            assert await charger.start(0) is not None
            ballast = disk / "ballast"
            fill(ballast)
            number = 1
            while await charger.start(number) is not None:
                number += 1
            status, text = await readiness(server)
            ballast.unlink()
            await until_ready(server)
            assert await charger.start(number) is not None
        found = stored(database)

    assert status == 503
    assert "full" in text
    assert found == set(charger.answered)


async def test_a_file_system_that_goes_read_only_costs_no_answered_message(tmp_path: Path) -> None:
    folder, image = tmp_path / "disk", tmp_path / "disk.img"
    with ext4_image(folder, image):
        async with running_server(folder / "mcpp.db") as server, station(server) as charger:
            for number in range(20):
                assert await charger.start(number) is not None
            abort(folder)
            for number in range(20, 25):
                assert await charger.start(number) is None
            status, text = await readiness(server)
            await server.kill()
    with ext4_image(folder, image):
        found = stored(folder / "mcpp.db")

    assert status == 503
    assert text.startswith("not stored: ")
    assert set(charger.answered) <= found


async def test_damage_that_is_met_ends_the_writing(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, station(server) as charger:
        for number in range(20):
            assert await charger.start(number) is not None
    with closing(sqlite3.connect(database)) as books:
        (page,) = books.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'transactions_by_start'").fetchone()
        (size,) = books.execute("PRAGMA page_size").fetchone()

    async with running_server(database) as server, station(server) as charger:
        with database.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\0" * size)
        # What the server has read it remembers, until another program has written.
        with closing(sqlite3.connect(database)) as other, other:
            other.execute("INSERT INTO plugin_memory VALUES ('a person', 'note', '1')")
        assert await charger.start(100) is None
        status, text = await readiness(server)
        assert await charger.start(101) is None

    assert status == 503
    assert "is damaged" in text
    ended = subprocess.run(
        [sys.executable, "-m", "mcpp", "serve", "--database", database, "--ocpp-port", "0", "--http-port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "is damaged" in ended.stderr
    assert "mcpp restore" in ended.stderr
