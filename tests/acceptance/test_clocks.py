"""A machine whose clock is behind what the server has written: times go on, and it's said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from ocpp.v16 import call

from mcpp.clock import is_system_clock_synchronized
from tests.acceptance.charger import connected_charger
from tests.acceptance.server import Server, running_server

AHEAD = timedelta(hours=3)

BOOT = call.BootNotification(charge_point_model="M", charge_point_vendor="V")


def noted(database: Path) -> datetime:
    with closing(sqlite3.connect(database)) as connection:
        ((newest,),) = connection.execute("SELECT newest_at FROM server_runs ORDER BY id DESC LIMIT 1")
    return datetime.fromtimestamp(newest / 1000, UTC)


def note(database: Path, newest: datetime) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE server_runs SET newest_at = ?", (int(newest.timestamp() * 1000),))


async def clock_wrong(server: Server) -> list[str]:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        return [
            line for line in (await client.get("/metrics")).text.splitlines() if line.startswith("mcpp_clock_wrong")
        ]


async def told(server: Server) -> datetime:
    async with connected_charger(server.ocpp_url, "CP-1") as charger:
        answer = await charger.ask(BOOT)
    return datetime.fromisoformat(answer.current_time)


async def test_a_clock_that_is_right_is_noted_and_nothing_is_said(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    began = datetime.now(UTC)
    said: list[str] = []
    for _ in range(2):
        async with running_server(database) as server:
            assert began <= await told(server) <= datetime.now(UTC)
            assert (await server.get("/readyz"))["clock"] == "ok"
            assert await clock_wrong(server) == ["mcpp_clock_wrong 0.0"]
            assert await server.terminate() == 0
        said += [line["event"] for line in server.lines if line["event"].startswith("clock_")]

    assert began - timedelta(seconds=1) <= noted(database) <= datetime.now(UTC)
    assert said == []


async def test_times_go_on_from_those_that_were_written(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        assert await server.terminate() == 0
    newest = datetime.now(UTC) + AHEAD
    note(database, newest)
    async with running_server(database) as server:
        current = await told(server)
        ready = await server.get("/readyz")
        series = await clock_wrong(server)
        charger = await server.get("/api/v1/charge-points/CP-1")
        assert await server.terminate() == 0
    said = [line for line in server.lines if line["event"].startswith("clock_")]

    if is_system_clock_synchronized():  # this machine's is right, so it was the note that was wrong
        assert current <= datetime.now(UTC)
        assert (ready["clock"], [line["event"] for line in said]) == ("ok", ["clock_jumped"])
        assert noted(database) <= datetime.now(UTC)
        return
    (line,) = said
    assert newest < current < newest + timedelta(minutes=2)
    assert datetime.fromisoformat(charger["last_boot_at"]) >= newest
    assert (line["event"], line["level"]) == ("clock_wrong", "warning")
    assert line["behind_seconds"] > AHEAD.total_seconds() - 60
    assert (ready["status"], ready["clock"], series) == ("ok", "wrong", ["mcpp_clock_wrong 1.0"])
    assert noted(database) >= newest
