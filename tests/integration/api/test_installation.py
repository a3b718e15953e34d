"""The download of a backup: whole, one at a time, gone from the disk however it ends."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mcpp.api.app import create_api
from mcpp.api.http_server import HttpServer
from mcpp.storage.sqlite.copies import SqliteCopies
from mcpp.telemetry.requests import RequestTelemetry
from tests.integration.api.support import LOCAL, Site, site

BACKUP = "/api/v1/backup"


def copies_in(folder: Path) -> list[Path]:
    return list(folder.glob(".download*"))


async def gone(folder: Path) -> None:
    """Once no copy is left there."""
    async with asyncio.timeout(10):
        while copies_in(folder):
            await asyncio.sleep(0.01)


async def test_a_backup_is_a_whole_database_of_this_moment(api: Site, tmp_path: Path) -> None:
    first = api.books.ended()
    response = await api.get(BACKUP)
    api.books.ended(identity="CP-2")
    target = tmp_path / "fetched.db"
    await asyncio.to_thread(target.write_bytes, response.content)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.sqlite3"
    assert response.headers["content-disposition"].startswith('attachment; filename="mcpp-')
    assert int(response.headers["content-length"]) == len(response.content)
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT id FROM transactions").fetchall() == [(first,)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert copies_in(tmp_path) == []


async def test_one_backup_at_a_time_and_none_is_left_when_the_client_leaves(
    api: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpp.storage.sqlite.copies._PATIENCE", 0.05)
    # More than sockets take in at once, so that the server has to wait for the client.
    api.books.connection.execute("CREATE TABLE filler AS SELECT randomblob(40000000) AS bytes")
    async with api.http.stream("GET", BACKUP) as response:
        assert response.status_code == 200
        assert len(copies_in(tmp_path)) == 1
        async with httpx.AsyncClient(base_url=api.http.base_url, trust_env=False) as other:
            refused = await other.get(BACKUP)
    await gone(tmp_path)

    assert (refused.status_code, refused.json()["code"]) == (503, "backup_under_way")
    await _free(api)
    assert copies_in(tmp_path) == []


async def test_a_client_that_takes_nothing_keeps_no_copy(
    api: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcpp.api.installation._LONGEST_STALL", 0.2)
    api.books.connection.execute("CREATE TABLE filler AS SELECT randomblob(40000000) AS bytes")
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"GET {BACKUP} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await gone(tmp_path)
    writer.close()
    await _free(api)


async def test_a_token_that_is_revoked_gets_no_more_of_it(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken") as api:
        api.books.connection.execute("CREATE TABLE filler AS SELECT randomblob(40000000) AS bytes")
        setting = {"Authorization": "Bearer t0ken"}
        body = {"name": "Laptop", "role": "operator"}
        token = (await api.http.post("/api/v1/tokens", json=body, headers=setting)).json()["token"]
        async with api.http.stream("GET", BACKUP, headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status_code == 200
            await api.http.delete("/api/v1/tokens/Laptop", headers=setting)
            with pytest.raises(httpx.RemoteProtocolError):
                await response.aread()
        await gone(tmp_path)


async def _free(api: Site) -> None:
    """Once another backup may be taken."""
    async with asyncio.timeout(10):
        while (await api.get(BACKUP)).status_code != 200:
            await asyncio.sleep(0.01)


async def test_a_disk_without_room_gets_no_copy(api: Site, tmp_path: Path) -> None:
    copies = SqliteCopies(tmp_path / "mcpp.db", free_bytes=lambda _: 3 << 20)
    app = create_api(replace(api.services, copies=copies), LOCAL, RequestTelemetry(api.metrics))
    server = HttpServer(app, "127.0.0.1", 0)
    port = await server.start()
    try:
        response = await api.http.get(f"http://127.0.0.1:{port}{BACKUP}")
    finally:
        await server.stop()

    assert (response.status_code, response.json()["code"]) == (507, "no_room")
    assert "which has 3 MiB left" in response.json()["detail"]
    assert copies_in(tmp_path) == []


async def test_a_database_that_cannot_be_read_is_said(api: Site, tmp_path: Path) -> None:
    copies = SqliteCopies(tmp_path / "gone.db")
    app = create_api(replace(api.services, copies=copies), LOCAL, RequestTelemetry(api.metrics))
    server = HttpServer(app, "127.0.0.1", 0)
    port = await server.start()
    try:
        answers = [await api.http.get(f"http://127.0.0.1:{port}{BACKUP}") for _ in range(2)]
    finally:
        await server.stop()

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "no_backup")] * 2
