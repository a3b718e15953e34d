"""Tokens, log-ins and the installation's own pages of the API on the real server, by TLS."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import Server, running_server
from tests.acceptance.test_plugins import module
from tests.authority import Authority
from tests.integration.cli.command import Ended, Mcpp

SETTING = "the-api-token-of-the-setting"

PLUGIN = """
    @hookimpl
    def charge_point_connected(self, event):
        raise ValueError("no such place: https://user:geheim@example/x")
"""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def client_of(server: Server, ca: Authority) -> httpx.AsyncClient:
    url = f"https://127.0.0.1:{server.http_port}"
    return httpx.AsyncClient(base_url=url, verify=ca.client_context(), timeout=30, trust_env=False)


async def item(client: httpx.AsyncClient, path: str, name: str, headers: dict[str, str]) -> dict[str, Any]:
    response = await client.get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = next(item for item in response.json()["items"] if item["name"] == name)
    return found


async def test_tokens_over_the_life_of_a_server(tmp_path: Path) -> None:
    ca, database = Authority(tmp_path), tmp_path / "mcpp.db"
    pair = ca.server()
    https = ("--http-tls-cert", str(pair.certificate), "--http-tls-key", str(pair.key))
    variables = module(tmp_path, PLUGIN) | {"MCPP_API_TOKEN": SETTING, "MCPP_HEARTBEAT_INTERVAL": "77"}

    async def command(*arguments: str) -> Ended:
        return await asyncio.to_thread(Mcpp(tmp_path), "token", *arguments)

    async with (
        running_server(database, *https, "--plugins", "site_logic:plugin", variables=variables) as server,
        client_of(server, ca) as client,
    ):
        made = await command("add", "Laptop", "--role", "operator")
        operator = made.out.strip()
        viewer = (await command("add", "Phone", "--role", "viewer")).out.strip()
        async with asyncio.timeout(30):  # the server looks every second
            while (await client.get("/api/v1/me", headers=bearer(viewer))).status_code != 200:
                await asyncio.sleep(0.05)
        async with connected_charger(server.ocpp_url, "CP-1"), asyncio.timeout(30):
            while (await item(client, "plugins", "site_logic", bearer(viewer)))["failures"] == 0:
                await asyncio.sleep(0.05)
        plugin = await item(client, "plugins", "site_logic", bearer(viewer))
        secret = await item(client, "settings", "api-token", bearer(viewer))
        interval = await item(client, "settings", "heartbeat-interval", bearer(viewer))
        plugins = await item(client, "settings", "plugins", bearer(viewer))

        logged_in = await client.post("/login", json={"token": operator})
        header = logged_in.headers["set-cookie"]
        own = {"Origin": str(client.base_url)}
        by_cookie = await client.put("/api/v1/id-tags/A", json={}, headers=own)
        foreign = await client.put("/api/v1/id-tags/B", json={}, headers={"Origin": "https://evil.example"})
        silent = await client.put("/api/v1/id-tags/B", json={})
        backup = await client.get("/api/v1/backup")
        with closing(sqlite3.connect(database, timeout=0)) as other:  # else the backup took the server's locks away
            taken = False
            try:
                taken = other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
            except sqlite3.OperationalError as error:
                assert "locked" in str(error)
        async with client.stream("GET", "/api/v1/events", headers=bearer(viewer)) as stream:
            assert stream.status_code == 200
            revoked = await command("revoke", "phone")
            async with asyncio.timeout(30):
                _ = [line async for line in stream.aiter_lines()]
        after = await client.get("/api/v1/me", headers=bearer(viewer))
        listed = await command("list")
        cookie = {"Cookie": header.partition(";")[0]}
        await server.terminate()

    assert (made.code, made.err) == (0, "")
    assert (plugin["state"], plugin["built_in"], plugin["hooks"]) == ("running", False, ["charge_point_connected"])
    assert plugin["calls"] == plugin["failures"] == 1
    assert plugin["last_error"]["text"] == "ValueError: no such place: https://***@example/x"
    assert plugin["last_error"]["hook"] == "charge_point_connected"
    assert (secret["value"], secret["source"]) == ("**********", "MCPP_API_TOKEN")
    assert (interval["value"], interval["unit"], interval["default"]) == ("77", "seconds", "300")
    assert (interval["source"], plugins["source"]) == ("MCPP_HEARTBEAT_INTERVAL", "--plugins")
    assert header.startswith("__Host-mcpp_session=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(header.split("; "))
    assert (by_cookie.status_code, foreign.status_code, silent.status_code) == (201, 403, 403)
    assert backup.content.startswith(b"SQLite format 3\0")
    assert not taken
    assert list(tmp_path.glob(".*mcpp-partial*")) == []
    assert (revoked.code, revoked.out) == (0, "Phone is revoked\n")
    assert after.status_code == 401
    assert [line.split()[:2] for line in listed.out.splitlines()] == [["name", "role"], ["Laptop", "operator"]]

    lines = "\n".join(map(str, server.lines))
    assert "'caller': 'Laptop'" in lines
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("mcpp.db*")) + backup.content
    for clear in (operator, viewer, SETTING, cookie["Cookie"].partition("=")[2]):
        assert clear not in lines
        assert clear.encode() not in stored

    # Without the setting: the named token is needed all the same, and the browser is still logged in.
    async with running_server(database, *https, "--plugins", "none") as again, client_of(again, ca) as client:
        statuses = [
            (await client.get("/api/v1/me", headers=each)).status_code for each in ({}, cookie, bearer(SETTING))
        ]
        me = (await client.get("/api/v1/me", headers=bearer(operator))).json()

    assert statuses == [401, 200, 401]
    assert (me["name"], me["role"]) == ("Laptop", "operator")
