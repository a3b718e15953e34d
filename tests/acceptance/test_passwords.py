"""A charger with a stored password, from outside: what it must send, and what nobody gets to read."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from mcpp.server.passwords import hash_password
from tests.acceptance.server import Server, running_server

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0ff0f1f2f3")
WITH_COLONS = "pass:word:with:colons"


@asynccontextmanager
async def dialed(
    server: Server, identity: str, password: bytes | None, user: str | None = None
) -> AsyncIterator[ClientConnection]:
    """A charger's socket; InvalidStatus where the server refuses it."""
    headers = {}
    if password is not None:
        credentials = (user or identity).encode() + b":" + password
        headers["Authorization"] = "Basic " + base64.b64encode(credentials).decode()
    async with connect(
        f"{server.ocpp_url}/{identity}", subprotocols=[Subprotocol("ocpp1.6")], additional_headers=headers, proxy=None
    ) as socket:
        yield socket


async def refused(server: Server, identity: str, password: bytes | None, user: str | None = None) -> Response:
    with pytest.raises(InvalidStatus) as caught:
        async with dialed(server, identity, password, user):
            pass
    return caught.value.response


async def answers(socket: ClientConnection) -> bool:
    """Whether the server still talks on this connection."""
    await socket.send('[2,"alive","Heartbeat",{}]')
    message = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return bool(message[:2] == [3, "alive"])


async def set_password(database: Path, identity: str, password: str | None) -> None:
    """Register a charge point with a password, while the server runs."""

    def write() -> None:
        stored = None if password is None else hash_password(password)
        with sqlite3.connect(database, timeout=10) as connection:
            connection.execute(
                "INSERT INTO charge_points (identity, password_hash, registered_at) VALUES (?, ?, 0)"
                " ON CONFLICT (identity) DO UPDATE SET password_hash = excluded.password_hash",
                (identity, stored),
            )
        connection.close()

    await asyncio.to_thread(write)


async def test_a_stored_password_must_be_sent_in_either_form(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        await set_password(database, "CP-1", KEY.hex())
        await set_password(database, "CP-2", WITH_COLONS)
        await set_password(database, "CP-3", None)

        for password in (KEY, KEY.hex().encode(), KEY.hex().upper().encode()):
            async with dialed(server, "CP-1", password) as socket:
                assert await answers(socket)
        async with dialed(server, "CP-2", WITH_COLONS.encode()) as socket:
            assert await answers(socket)
        for without_need in (None, b"whatever"):
            async with dialed(server, "CP-3", without_need) as socket:
                assert await answers(socket)

        for identity, wrong, user in [
            ("CP-1", None, None),
            ("CP-1", b"", None),
            ("CP-1", KEY[:-1], None),
            ("CP-1", KEY, "CP-2"),
            ("CP-2", b"pass", None),
            ("CP-2", KEY, None),
        ]:
            response = await refused(server, identity, wrong, user)
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"].startswith("Basic ")


async def test_only_who_has_the_password_replaces_the_old_connection(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        await set_password(database, "CP-1", WITH_COLONS)
        async with dialed(server, "CP-1", WITH_COLONS.encode()) as old:
            for wrong in (None, b"guess", b"pass:word"):
                assert (await refused(server, "CP-1", wrong)).status_code == 401
            assert await answers(old)

            async with dialed(server, "CP-1", WITH_COLONS.encode()) as new:
                assert await answers(new)
                await asyncio.wait_for(old.wait_closed(), 10)


async def test_a_changed_password_counts_at_the_next_connection(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database) as server:
        await set_password(database, "CP-1", "the first one")
        async with dialed(server, "CP-1", b"the first one") as socket:
            assert await answers(socket)

        await set_password(database, "CP-1", "the second one")
        assert (await refused(server, "CP-1", b"the first one")).status_code == 401
        async with dialed(server, "CP-1", b"the second one") as socket:
            assert await answers(socket)


async def test_an_unknown_charger_is_not_found_whatever_it_sends(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--registration", "closed") as server:
        for password in (None, b"guess"):
            assert (await refused(server, "CP-9", password)).status_code == 404


async def test_a_fleet_with_passwords_comes_back_after_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    fleet = [f"CP-{number}" for number in range(100)]
    stored = hash_password(WITH_COLONS)
    async with running_server(database):
        pass
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "INSERT INTO charge_points (identity, password_hash, registered_at) VALUES (?, ?, 0)",
            [(identity, stored) for identity in fleet],
        )
    connection.close()

    async def come_back(server: Server, identity: str) -> bool:
        async with dialed(server, identity, WITH_COLONS.encode()) as socket:
            return await answers(socket)

    async with running_server(database, "--registration", "closed") as server:
        for _ in range(2):
            assert all(await asyncio.gather(*(come_back(server, identity) for identity in fleet)))


@pytest.mark.parametrize(
    ("host", "registration", "password", "warned"),
    [
        ("0.0.0.0", "open", WITH_COLONS, True),
        ("0.0.0.0", "closed", None, True),
        ("0.0.0.0", "closed", WITH_COLONS, False),
        ("127.0.0.1", "open", None, False),
    ],
)
async def test_a_public_start_without_authentication_is_warned_of(
    tmp_path: Path, host: str, registration: str, password: str | None, warned: bool
) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database):
        await set_password(database, "CP-1", password)
    async with running_server(database, "--ocpp-host", host, "--registration", registration) as server:
        warnings = [line for line in server.lines if line["level"] == "warning"]

    assert [line["event"] for line in warnings] == (["chargers_not_authenticated"] if warned else [])


async def test_nothing_of_a_password_is_logged(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, "--log-level", "debug", "--log-payloads", "on") as server:
        await set_password(database, "CP-1", WITH_COLONS)
        assert (await refused(server, "CP-1", b"s3cret-guess")).status_code == 401
        async with dialed(server, "CP-1", WITH_COLONS.encode()) as socket:
            assert await answers(socket)
    written = json.dumps(server.lines)

    assert "unauthorized" in written
    for secret in (WITH_COLONS, "s3cret", "$scrypt", base64.b64encode(b"CP-1:" + WITH_COLONS.encode()).decode()):
        assert secret not in written
