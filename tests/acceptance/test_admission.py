"""Who gets in where many come at once, strangers knock, somebody guesses, or two devices share a name."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import time
import unicodedata
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from mcpp.server import passwords
from mcpp.server.strangers import FREE_ATTEMPTS
from mcpp.transport.connection import until_refusal
from tests.acceptance.server import Server, running_server

KEY = "the-right-key-0001"
FLEET = 300
LIMITS = ("--max-connections-per-address", "10", "--unknown-identities-per-hour", "5", "--trusted-proxies", "127.0.0.1")


async def dial(server: Server, identity: str, address: str, password: str | None = None) -> ClientConnection:
    """As a charger at this address whose TLS ends at a reverse proxy of this machine."""
    headers = {"X-Forwarded-For": f"192.0.2.66, {address}"}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()
    return await connect(
        f"{server.ocpp_url}/{quote(identity, safe='%')}",
        subprotocols=[Subprotocol("ocpp1.6")],
        additional_headers=headers,
        proxy=None,
        open_timeout=60,
        ping_interval=None,
    )


async def refused(server: Server, identity: str, address: str, password: str | None = None) -> Response:
    with pytest.raises(InvalidStatus) as caught:
        await dial(server, identity, address, password)
    return caught.value.response


def register(database: Path, identities: list[str], password: str | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_LOG2_COST", 4)  # cheap to check
        stored = None if password is None else passwords.hash_password(password)
    with sqlite3.connect(database, timeout=10) as connection:
        connection.executemany(
            "INSERT INTO charge_points (identity, password_hash, registered_at) VALUES (?, ?, 0)",
            [(identity, stored) for identity in identities],
        )
    connection.close()


async def test_limits_and_who_is_exempt(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, *LIMITS) as server:
        fleet = [f"fleet-{number}" for number in range(FLEET)]
        register(database, fleet, KEY)
        register(database, [f"plain-{number}" for number in range(12)], None)

        # A fleet behind one address comes back at once, though ten may; without proof they may not.
        async with AsyncExitStack() as online:
            sockets = await asyncio.gather(*(dial(server, name, "203.0.113.1", KEY) for name in fleet))
            for socket in sockets:
                online.push_async_callback(socket.close)
            for number in range(10):
                online.push_async_callback((await dial(server, f"plain-{number}", "203.0.113.1")).close)
            response = await refused(server, "plain-10", "203.0.113.1")
            assert response.status_code == 429
            assert b"max-connections-per-address" in response.body
            assert response.headers["Retry-After"] == "60"
            online.push_async_callback((await dial(server, "plain-11", "203.0.113.2")).close)
            listed = await server.get("/api/v1/charge-points/fleet-0")
            assert listed["connected"]
            line = await server.connection_ended("too_many_connections")
            assert (line["charge_point_id"], line["remote_address"]) == ("plain-10", "203.0.113.1")

        # Unknown identities.
        for number in range(5):
            await (await dial(server, f"new-{number}", "203.0.113.3")).close()
        for _ in range(2):
            response = await refused(server, "new-5", "203.0.113.3")
            assert response.status_code == 429
            assert b"unknown-identities-per-hour" in response.body
            assert 0 < int(response.headers["Retry-After"]) <= 720
        await (await dial(server, "new-0", "203.0.113.3")).close()
        await (await dial(server, "new-5", "203.0.113.4")).close()
        line = await server.connection_ended("too_many_unknown")
        assert line["charge_point_id"] == "new-5"


async def test_there_are_so_many_connections_in_all(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--max-connections", "2", *LIMITS) as server:
        await dial(server, "CP-1", "203.0.113.1")
        leaving = await dial(server, "CP-2", "203.0.113.2")
        response = await refused(server, "CP-3", "203.0.113.3")
        assert response.status_code == 503
        assert b"max-connections" in response.body
        assert int(response.headers["Retry-After"]) > 0

        await dial(server, "CP-1", "203.0.113.4")  # in place of its own
        await leaving.close()
        await server.connection_ended("closed")
        await dial(server, "CP-3", "203.0.113.3")


async def guess(server: Server, identity: str, attacker: str) -> None:
    """Until the attacker is held back at this identity."""
    guesses = [
        (await refused(server, identity, attacker, f"guess-{number}")).status_code for number in range(FREE_ATTEMPTS)
    ]
    assert guesses == [401] * FREE_ATTEMPTS
    held_back = await asyncio.gather(*(refused(server, identity, attacker, f"more-{n}") for n in range(20)))
    assert 429 in {response.status_code for response in held_back}
    assert all(int(r.headers["Retry-After"]) <= 60 for r in held_back if r.status_code == 429)


async def test_who_guesses_locks_nobody_else_out(tmp_path: Path) -> None:
    database, attacker = tmp_path / "mcpp.db", "203.0.113.1"
    async with running_server(database, *LIMITS) as server:
        register(database, ["CP-1", "CP-2"], KEY)
        await (await dial(server, "CP-2", attacker, KEY)).close()
        await asyncio.gather(*(guess(server, identity, attacker) for identity in ("CP-1", "CP-2")))
        assert (await server.connection_ended("held_back"))["charge_point_id"] in {"CP-1", "CP-2"}

        await (await dial(server, "CP-1", "198.51.100.9", KEY)).close()
        await (await dial(server, "CP-2", attacker, KEY)).close()  # it had proven itself before
        written = str(server.lines)
    assert KEY not in written
    assert "guess-" not in written


async def test_refusals_leave_on_a_grid_of_time(tmp_path: Path) -> None:
    database = tmp_path / "mcpp.db"
    async with running_server(database, "--registration", "closed") as server:
        register(database, ["CP-1"], KEY)
        for identity, password, status in (
            ("CP-9", None, 404),
            ("CP-9", "guess", 404),
            ("CP-1", None, 401),
            ("CP-1", "guess", 401),
            ("%2E%2E", "guess", 400),
            ("ws", None, 400),
            ("%FF", None, 400),
        ):
            began = time.monotonic()
            assert (await refused(server, identity, "192.0.2.1", password)).status_code == status
            assert time.monotonic() - began > 0.24  # never sooner, whatever was looked at
        began = time.monotonic()
        answer = await asyncio.to_thread(httpx.get, f"{server.ocpp_url.replace('ws', 'http', 1)}/CP-1", trust_env=False)
        assert answer.status_code == 426  # it asks for no WebSocket
        assert time.monotonic() - began > 0.24
    for elapsed in (0.0, 0.003, 0.2499, 0.25, 0.7, 12.34):
        leaves = elapsed + until_refusal(elapsed, 0.25)
        assert leaves > elapsed
        assert leaves / 0.25 == pytest.approx(round(leaves / 0.25))


async def test_two_devices_with_one_identity_are_recognised_and_slowed(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", *LIMITS) as server:
        addresses = ["203.0.113.1", "203.0.113.2"] * 4
        for address in addresses:
            await dial(server, "CP-1", address)
        line = await server.wait_for_line(lambda line: line["event"] == "reconnect_loop")
        # Many attempts of one of them: the newest waits for its turn, the others are told to come again.
        attempts = [dial(server, "CP-1", "203.0.113.1") for _ in range(4)]
        found = await asyncio.gather(*attempts, return_exceptions=True)
        held_back = [error.response for error in found if isinstance(error, InvalidStatus)]
        assert len(held_back) == 3
        assert {response.status_code for response in held_back} == {429}
        assert all(b"two devices" in response.body for response in held_back)
        assert (await server.connection_ended("held_back"))["charge_point_id"] == "CP-1"

    assert (line["level"], line["charge_point_id"]) == ("warning", "CP-1")
    assert {line["remote_address"], line["other_remote_address"]} == set(addresses)
    assert [line["event"] for line in server.lines].count("reconnect_loop") == 1


async def test_identities_that_look_like_others_are_refused(tmp_path: Path) -> None:
    composed = "Säule-1"
    async with running_server(tmp_path / "mcpp.db") as server:
        await (await dial(server, composed, "203.0.113.1")).close()
        await (await dial(server, "CP-1", "203.0.113.1")).close()
        for identity, why in (
            ("%2E", "no names in a URL's path"),
            ("%2E%2E", "no names in a URL's path"),
            ("%20CP-1", "blank"),
            ("CP-1%20", "blank"),
            (quote(unicodedata.normalize("NFD", composed)), "composed characters"),
            (quote("ＣＰ－１"), "differs from CP-1"),
        ):
            response = await refused(server, identity, "203.0.113.1")
            assert response.status_code == 400
            assert why.encode() in response.body
        listed = (await server.get("/api/v1/charge-points"))["items"]
        line = await server.connection_ended("bad_identity")

    assert [item["id"] for item in listed] == ["CP-1", composed]
    assert "no names in a URL's path" in line["detail"]
