"""Starting and stopping the real server, well and badly."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.acceptance.charger import connected_charger
from tests.acceptance.mounts import abort, ext4_image, fill, small_disk
from tests.acceptance.server import running_server


def serve(*flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`mcpp serve` that is expected to give up."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MCPP_")}
    return subprocess.run(
        [sys.executable, "-m", "mcpp", "serve", *flags],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["ocpp-port", "http-port"])
def test_a_busy_port_is_said_in_one_line(tmp_path: Path, taken_port: int, name: str) -> None:
    free = ["--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0"]
    ended = serve(*free, "--database", str(tmp_path / "mcpp.db"), f"--{name}", str(taken_port))

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{name}: can't listen on 127.0.0.1 port {taken_port} (Address already in use)")


def missing_directory(folder: Path) -> list[str]:
    return ["--database", str(folder / "nowhere" / "mcpp.db")]


def not_a_database(folder: Path) -> list[str]:
    (folder / "text.db").write_text("hello, I am a text file, not a database" * 100)
    return ["--database", str(folder / "text.db")]


def newer_database(folder: Path) -> list[str]:
    path = folder / "newer.db"
    subprocess.run([sys.executable, "-m", "mcpp", "migrate", "--database", str(path)], check=True, capture_output=True)
    with sqlite3.connect(path) as books:
        books.execute("UPDATE schema_migrations SET version = version + 1000")
    books.close()
    return ["--database", str(path)]


def port_out_of_range(_: Path) -> list[str]:
    return ["--ocpp-port", "70000"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (missing_directory, ["nowhere", "does not exist", "create it"]),
        (not_a_database, ["text.db", "not an SQLite database"]),
        (newer_database, ["newer.db", "newer"]),
        (port_out_of_range, ["ocpp-port", "70000", "65535"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_start_that_cannot_work_says_why_in_one_line(
    tmp_path: Path, flags: Callable[[Path], list[str]], words: list[str]
) -> None:
    given = [
        *("--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0"),
        *("--database", str(tmp_path / "mcpp.db")),
        *flags(tmp_path),
    ]
    ended = serve(*given)

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert [word for word in words if word not in line] == []
    assert "Traceback" not in ended.stderr + ended.stdout


def test_a_second_server_on_the_same_database_is_refused(tmp_path: Path) -> None:
    async def both() -> subprocess.CompletedProcess[str]:
        async with running_server(tmp_path / "mcpp.db"):
            flags = ("--database", str(tmp_path / "mcpp.db"), "--ocpp-port", "0", "--http-port", "0")
            return await asyncio.to_thread(serve, *flags)

    ended = asyncio.run(both())

    assert ended.returncode == 75
    assert "in use by another mcpp process" in ended.stderr


def hard_link(database: Path) -> Path:
    other = database.with_name("other.db")
    os.link(database, other)
    return other


def symbolic_link(database: Path) -> Path:
    other = database.with_name("other.db")
    other.symlink_to(database)
    return other


@pytest.mark.parametrize("name", [hard_link, symbolic_link])
def test_a_second_server_by_another_name_of_the_file_is_refused(tmp_path: Path, name: Callable[[Path], Path]) -> None:
    async def both() -> subprocess.CompletedProcess[str]:
        async with running_server(tmp_path / "mcpp.db"):
            other = name(tmp_path / "mcpp.db")
            return await asyncio.to_thread(serve, "--database", str(other), "--ocpp-port", "0", "--http-port", "0")

    ended = asyncio.run(both())

    assert ended.returncode == 75
    assert "in use by another mcpp process" in ended.stderr


def test_a_full_disk_at_the_start_may_pass(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        fill(disk / "ballast")
        ended = serve("--database", str(disk / "mcpp.db"), "--ocpp-port", "0", "--http-port", "0")

    assert ended.returncode == 75
    assert "free some space" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_lock_at_the_start_may_pass(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    subprocess.run([sys.executable, "-m", "mcpp", "migrate", "--database", database], check=True, capture_output=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = serve("--database", str(database), "--ocpp-port", "0", "--http-port", "0")

    assert ended.returncode == 75
    assert "locked by another program" in ended.stderr


def test_a_read_only_file_system_at_the_start_may_pass(tmp_path: Path) -> None:
    with ext4_image(tmp_path / "disk", tmp_path / "disk.img") as disk:
        subprocess.run(
            [sys.executable, "-m", "mcpp", "migrate", "--database", disk / "mcpp.db"], check=True, capture_output=True
        )
        abort(disk)
        ended = serve("--database", str(disk / "mcpp.db"), "--ocpp-port", "0", "--http-port", "0")

    assert ended.returncode == 75
    assert "Read-only file system" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_every_connection_with_1001_and_the_server_with_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with running_server(tmp_path / "mcpp.db") as server, AsyncExitStack() as chargers:
        sockets = [
            await chargers.enter_async_context(
                connect(f"{server.ocpp_url}/CP-{i}", subprotocols=[Subprotocol("ocpp1.6")])
            )
            for i in range(20)
        ]
        server.process.send_signal(number)
        codes = set()
        for charger in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                await charger.recv()
            codes.add(closed.value.rcvd.code if closed.value.rcvd else None)
        exit_code = await asyncio.wait_for(server.process.wait(), 10)

    assert codes == {1001}
    assert exit_code == 0
    assert [line["event"] for line in server.lines if line["category"] == "system"][-2:] == [
        "server_stopping",
        "server_stopped",
    ]


async def test_what_is_under_way_at_the_signal_is_committed_and_answered(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server, connected_charger(server.ocpp_url, "CP-1") as charger:
        starts = [
            asyncio.create_task(
                charger.ask(
                    call.StartTransaction(
                        connector_id=1, id_tag="TAG", meter_start=number, timestamp="2026-01-01T00:00:00Z"
                    )
                )
            )
            for number in range(50)
        ]
        answered = [(await starts[0]).transaction_id]
        server.process.terminate()
        await server.process.wait()
        await charger.socket.wait_closed()
        # Those that weren't sent have failed by now; one may wait for an answer that doesn't come.
        ended, waiting = await asyncio.wait(starts[1:], timeout=1)
        for start in waiting:
            start.cancel()
        answered += [start.result().transaction_id for start in ended if start.exception() is None]

    with sqlite3.connect(database) as books:
        stored = {identity for (identity,) in books.execute("SELECT id FROM transactions")}
    books.close()
    assert set(answered) <= stored


async def test_1000_chargers_idle_and_alive(tmp_path: Path) -> None:
    """Each is connected, quiet, and answered when it speaks again."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    async with running_server(tmp_path / "mcpp.db") as server, AsyncExitStack() as chargers:
        sockets = []
        for i in range(1000):
            url = f"{server.ocpp_url}/CP-{i}"
            dialled = connect(url, subprotocols=[Subprotocol("ocpp1.6")], compression=None, ping_interval=None)
            sockets.append(await chargers.enter_async_context(dialled))
        connected = (await server.get("/api/v1/charge-points?connected=true&limit=1000"))["items"]
        for charger in sockets:
            await charger.send('[2,"1","Heartbeat",{}]')
        answers = [await charger.recv() for charger in sockets]

    assert len(connected) == 1000
    assert all(str(answer).startswith('[3,"1",{"currentTime"') for answer in answers)
