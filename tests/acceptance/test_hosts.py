"""A server that the network reaches by a name is still reached by its own box, by every name that this has."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path

import httpx
import pytest
from ocpp.v16 import call

from tests.acceptance.charger import connected_charger
from tests.acceptance.server import running_server

TOKEN = "a-token-of-the-operator"
AS_IN_THE_README = ("--http-host", "0.0.0.0", "--allowed-hosts", "charging.example")


async def test_the_box_reaches_its_own_server(tmp_path: Path) -> None:
    hostname = socket.gethostname()
    async with running_server(tmp_path / "mcpp.db", *AS_IN_THE_README, variables={"MCPP_API_TOKEN": TOKEN}) as server:
        port = server.http_port
        expected = {
            "charging.example": 200,
            f"127.0.0.1:{port}": 200,
            f"localhost:{port}": 200,
            f"[::1]:{port}": 200,
            f"{hostname}:{port}": 200,
            f"{hostname.partition('.')[0]}.local:{port}": 200,
            f"{hostname.upper()}": 200,
            "evil.example": 403,
            f"{hostname}.evil.example": 403,
        }
        found = {}
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            for host in expected:
                found[host] = (await client.get("/healthz", headers={"Host": host})).status_code
        # As the image's health check does it.
        check = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/healthz', timeout=4)"
        health = await asyncio.create_subprocess_exec(sys.executable, "-c", check)
        healthy = await health.wait()
        async with connected_charger(server.ocpp_url, "CP-1") as charger:
            await charger.ask(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mcpp", "call", "CP-1", "ClearCache", "--api-url", f"http://127.0.0.1:{port}"),
                env=os.environ | {"MCPP_API_TOKEN": TOKEN},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            _, complaint = await process.communicate()

    assert found == expected
    assert healthy == 0
    # The charger knows no such command; but it was asked.
    assert b"call_error" in complaint
    assert b"forbidden" not in complaint


@pytest.mark.parametrize("mode", [0o600, 0o644])
async def test_a_token_from_a_file(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(mode)
    async with (
        running_server(tmp_path / "mcpp.db", *AS_IN_THE_README, "--api-token-file", str(file)) as server,
        httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client,
    ):
        without = await client.get("/api/v1/transactions")
        right = await client.get("/api/v1/transactions", headers={"Authorization": f"Bearer {TOKEN}"})
        said = [line for line in server.lines if line["event"] == "api_token_file_open"]

    assert (without.status_code, right.status_code) == (401, 200)
    assert bool(said) == bool(mode & stat.S_IROTH)
    assert TOKEN not in str(server.lines)


async def test_the_client_is_whom_a_trusted_proxy_names(tmp_path: Path) -> None:
    flags = ("--trusted-proxies", "127.0.0.0/8,10.0.0.0/8")
    forwarded = {"X-Forwarded-For": "203.0.113.66, 198.51.100.7, 10.1.2.3", "X-Forwarded-Proto": "https"}
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            direct = await client.get("/api/v1/id-tags")
            behind = await client.get("/api/v1/transactions", headers=forwarded)
        line = await server.wait_for_line(lambda line: line.get("path") == "/api/v1/transactions")

    assert line["remote_address"] == "198.51.100.7"
    assert "strict-transport-security" in behind.headers
    assert "strict-transport-security" not in direct.headers


async def test_whom_nobody_trusts_says_nothing(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db", "--trusted-proxies", "10.0.0.0/8") as server:
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
            answer = await client.get("/api/v1/transactions", headers=headers)
        line = await server.wait_for_line(lambda line: line.get("path") == "/api/v1/transactions")

    assert line["remote_address"] == "127.0.0.1"
    assert "strict-transport-security" not in answer.headers


async def test_who_guesses_from_elsewhere_is_asked_to_wait_and_this_machine_never(tmp_path: Path) -> None:
    flags = ("--api-token", TOKEN, "--trusted-proxies", "127.0.0.0/8")
    wrong = {"Authorization": "Bearer wrong"}
    guesser, other = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
    async with (
        running_server(tmp_path / "mcpp.db", *flags) as server,
        httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client,
    ):
        statuses = [(await client.get("/metrics", headers=wrong | guesser)).status_code for _ in range(12)]
        others = (await client.get("/metrics", headers=wrong | other)).status_code
        own = [(await client.get("/metrics", headers=wrong)).status_code for _ in range(12)]
        right = await client.get("/metrics", headers=guesser | {"Authorization": f"Bearer {TOKEN}"})
        said = await server.wait_for_line(lambda line: line["event"] == "api_logins_failed")

    assert statuses == [401] * 10 + [429] * 2
    assert (others, own, right.status_code) == (401, [401] * 12, 200)
    assert said["remote_address"] == "198.51.100.7"
