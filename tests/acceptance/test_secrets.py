"""A secret goes its ways through the whole server, and its text stands nowhere in what the server puts out."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from ocpp.exceptions import GenericError
from ocpp.v16 import call
from pydantic import JsonValue
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.operated import operated_charger
from tests.acceptance.server import Server, running_server
from tests.integration.cli.command import Mcpp
from tests.integration.plugins.http_receiver import listening

SECRET = "Geheim42"
"""Only letters and digits, so that no encoding of a URL or a JSON text changes it."""

WRONG_CREDENTIALS = b64encode(f"CP-1:{SECRET}x".encode()).decode()

TOLD = f"ftp://user:{SECRET}@host/d and password={SECRET} and token: {SECRET}"

PLUGIN = f'''
import logging
from dataclasses import dataclass

from mcpp.plugins import hookimpl

SECRET = "{SECRET}"


@dataclass
class Account:
    user: str
    password: str


class Teller:
    @hookimpl
    async def event_published(self, event, site):
        site.log.info("told", account=Account("u", SECRET), api_token=SECRET, nested=[{{"password": SECRET}}])
        site.log.bind(url=f"http://u:{{SECRET}}@host/").warning("bound")
        logging.getLogger("a.library").error("sent Authorization: Basic %s", SECRET)
        raise RuntimeError(f"refused by https://u:{{SECRET}}@host/?token={{SECRET}}")
'''


@asynccontextmanager
async def events(server: Server) -> AsyncIterator[list[str]]:
    """What comes on the stream of events, for the block."""
    chunks: list[str] = []
    opened = asyncio.Event()

    async def read() -> None:
        async with (
            httpx.AsyncClient(base_url=server.http_url, timeout=None, trust_env=False) as http,
            http.stream("GET", "/api/v1/events") as response,
        ):
            opened.set()
            async for chunk in response.aiter_text():
                chunks.append(chunk)  # noqa: PERF401  what has come is kept, however the stream ends

    reading = asyncio.create_task(read())
    await opened.wait()
    try:
        yield chunks
    finally:
        await asyncio.wait([reading], timeout=10)
        reading.cancel()


async def test_a_secret_is_read_nowhere(tmp_path: Path) -> None:
    (tmp_path / "teller.py").write_text(PLUGIN)
    database = tmp_path / "mcpp.db"
    settings = ("--log-payloads", "--log-level", "debug", "--plugins", "webhook,teller:Teller")
    files = ("--files-port", "0", "--files-directory", str(tmp_path / "files"))
    async with listening() as receiver:
        variables = {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH")))),
            "MCPP_PLUGIN_WEBHOOK_URLS": receiver.url,
            "MCPP_PLUGIN_WEBHOOK_SECRET": "a secret that both sides know",
        }
        async with running_server(database, *settings, *files, variables=variables) as server, events(server) as stream:
            link = await use_secrets(server)
            await server.wait_for_line(lambda line: line["event"] == "security_event_received")
            posted = await receiver.wait_for(4)
            read = await everything_read(server)
            assert await server.terminate() == 0

    texts = [json.dumps(line) for line in server.lines]
    assert [text for text in texts if SECRET in text] == []
    text = "\n".join(texts)
    assert text.count("***") >= 12
    assert "ocpp_message" in text
    assert "plugin_failed" in text
    streamed = "".join(stream)
    assert "security_event_received" in streamed
    webhooks = b"\n".join(one.body for one in (*posted, *receiver.posted)).decode()
    stored = stored_configuration(database)
    whole_database = database.read_bytes().decode("latin-1")
    for output in (text, streamed, webhooks, stored, whole_database, *read):
        assert SECRET not in output
        assert WRONG_CREDENTIALS not in output
        assert link.split("/")[4] not in output


PAGES = (
    *("charge-points", "charge-points/CP-1", "charge-points/CP-1/configuration", "charge-points/CP-1/conformance"),
    *("conformance", "unmatched", "transactions", "id-tags", "logging"),
)


async def everything_read(server: Server) -> list[str]:
    """What people and scrapers can read."""
    async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as http:
        answers = [await http.get(f"/api/v1/{page}") for page in PAGES] + [await http.get("/metrics")]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [answer.text for answer in answers]


async def use_secrets(server: Server) -> str:
    """Let the secret pass by all who might tell it; gives a link to a file, which is a secret too."""
    key: JsonValue = {"key": "AuthorizationKey", "readonly": False, "value": SECRET}
    others: list[JsonValue] = [
        {"key": name, "readonly": False, "value": SECRET} for name in ("SimPin1", "SIM_PUK", "WifiPwd1", "Password2")
    ]
    url: JsonValue = {"key": "DiagnosticsServer", "readonly": False, "value": f"ftp://user:{SECRET}@host/d"}
    answers = {
        "ChangeConfiguration": {"status": "Accepted"},
        "GetConfiguration": {"configurationKey": [key, *others, url]},
        "GetDiagnostics": {},
        "UpdateFirmware": {},
        "DataTransfer": GenericError(f"refused: {TOLD}"),  # type: ignore[no-untyped-call]  # the package has no types
    }
    async with (
        operated_charger(server.ocpp_url, "CP-1", answers) as charger,  # type: ignore[arg-type]  # narrower dicts do
        httpx.AsyncClient(base_url=f"{server.http_url}/api/v1/charge-points", trust_env=False) as api,
    ):
        # From now on it needs a password; the one that it's given next may take its place.
        await api.put("/CP-1", json={"password": "another-password"})
        await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
        made = await api.post("/CP-1/upload-links", json={"lifetime_hours": 1})
        assert made.status_code == 201, made.text
        link: str = made.json()["url"]

        async def command(action: str, payload: JsonValue, status: int = 200) -> None:
            answer = await api.post(f"/CP-1/commands/{action}", json=payload)
            assert answer.status_code == status, answer.text

        await command("ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET})
        await command("ChangeConfiguration", {"key": "FtpUrl", "value": f"ftp://user:{SECRET}@host/"})
        await command("ChangeConfiguration", {"key": "AdminPIN", "value": SECRET})
        await command("GetConfiguration", {})
        await command("GetDiagnostics", {"location": f"ftp://user:{SECRET}@host/d"})
        await command("GetDiagnostics", {"location": link})
        await command(
            "UpdateFirmware", {"location": f"https://h/f?sig={SECRET}", "retrieveDate": "2030-01-01T00:00:00Z"}
        )
        nested = json.dumps({"config": json.dumps({"key": "WifiPassword", "value": SECRET})})
        await command("DataTransfer", {"vendorId": "acme", "data": nested}, status=502)
        await command("ChangeConfiguration", {"key": "AuthorizationKey", "password": SECRET}, status=422)
        await charger.ask(call.DataTransfer(vendor_id="acme", data=TOLD))
        for bad in (f'[2,"1","DataTransfer",{{"password":"{SECRET}"', f'[2,"2","Heartbeat",{{"token":"{SECRET}"}}]'):
            await charger.socket.send(bad)
        await charger.ask(
            call.SecurityEventNotification(type="SettingSystemTime", timestamp="2030-01-01T00:00:00Z", tech_info=TOLD)
        )
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.put(f"{link}d.log", content=b"log")).status_code == 201
    await knock(server)
    return link


async def knock(server: Server) -> None:
    """Come with a wrong password, in the header and in the URL."""
    try:
        await connect(
            f"{server.ocpp_url}/CP-1?token={SECRET}",
            additional_headers={"Authorization": f"Basic {WRONG_CREDENTIALS}"},
            subprotocols=[Subprotocol("ocpp1.6")],
        )
    except InvalidStatus as error:
        assert error.response.status_code == 401
    else:
        raise AssertionError("a wrong password was taken")


async def test_a_token_from_a_file_and_keys_are_read_nowhere(tmp_path: Path) -> None:
    """The token opens the API, the key of the authority signs, the listener's key encrypts; none of them is told."""
    token = tmp_path / "token"
    token.write_text(f"{SECRET * 4}\n")
    token.chmod(0o600)
    mcpp = Mcpp(tmp_path)
    made = await asyncio.to_thread(mcpp, "ca", "init", "--server-name", "localhost", "--ca-directory", "ca")
    assert made.code == 0, made.err
    keys = [path.read_text() for path in (tmp_path / "ca").glob("*.key")]
    assert len(keys) == 2
    tls = ("--tls-cert", str(tmp_path / "ca" / "server.pem"), "--tls-key", str(tmp_path / "ca" / "server.key"))
    flags = (*tls, "--api-token-file", str(token), "--ca-directory", str(tmp_path / "ca"))
    shown = await asyncio.to_thread(mcpp, "check-config", *flags)
    assert shown.code == 0, shown.err

    async with running_server(tmp_path / "mcpp.db", "--log-level", "debug", *flags) as server:
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as http:
            answers = [
                await http.get("/api/v1/charge-points", headers={"Authorization": f"Bearer {given}"})
                for given in (SECRET * 4, SECRET * 3)
            ]
        assert [answer.status_code for answer in answers] == [200, 401]
        assert await server.terminate() == 0

    told = [made.out, made.err, shown.out, shown.err, json.dumps(server.lines), *(answer.text for answer in answers)]
    for output in told:
        assert SECRET not in output
        for key in keys:
            assert not [line for line in key.splitlines() if len(line) > 40 and line in output]


def stored_configuration(database: Path) -> str:
    """Configuration keys and their values as the books have them."""
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT key, value FROM configuration_keys").fetchall()
    finally:
        connection.close()
    assert {"AuthorizationKey", "DiagnosticsServer", "FtpUrl", "SimPin1", "AdminPIN"} <= {key for key, _ in rows}
    return repr(rows)
