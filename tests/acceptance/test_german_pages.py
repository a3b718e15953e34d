"""What the parts of a whole server say on German pages: refusals with their reasons, and the settings."""

from __future__ import annotations

import asyncio
import html
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.acceptance.server import running_server
from tests.integration.web.english import english_in


async def test_refusals_and_settings_are_german(tmp_path: Path) -> None:
    async with running_server(tmp_path / "mcpp.db") as server:
        with pytest.raises(InvalidStatus):
            await connect(f"{server.ocpp_url}/", subprotocols=[Subprotocol("ocpp1.6")])
        async with connect(f"{server.ocpp_url}/CP-9", subprotocols=[Subprotocol("ocpp9")]) as charger:
            await charger.wait_closed()
        for sent in (b"GET /ocpp/CP-1 HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05hello"):
            await _say(server.ocpp_port, sent)
        headers = {"Accept-Language": "de"}
        async with httpx.AsyncClient(base_url=server.http_url, headers=headers) as http:
            refused, overview, settings = [
                html.unescape((await http.get(path)).text) for path in ("/connect", "/", "/settings")
            ]
            told = (await http.get("/api/v1/connections/refused")).json()["items"]

    reason = "der Pfad endet ohne Kennung; Ladestationen verbinden sich mit /ocpp/KENNUNG"
    assert reason in refused, refused.partition('id="refused"')[2][:1500]
    assert "Geben Sie in der Ladestation die URL " in refused
    assert 'lang="en"' not in _content(refused)
    assert english_in(_content(refused)) == []
    for why in (
        "sie fragt über einfaches HTTP (http:// statt ws://, oder ein Browser)",
        "sie spricht TLS (wss://) mit einem Port ohne",
    ):
        assert why in refused, refused.partition('id="refused"')[2][:3000]
    plain = "it asks by plain HTTP (http:// in place of ws://, or a browser)"
    assert plain in {it["why"] for it in told}, "the API has it in English"
    assert "wurde abgewiesen: <bdi>stellen Sie die Ladestation auf OCPP" in overview
    assert told[-1]["why"] == "the path ends without an identity; charge points connect to /ocpp/IDENTITY"
    assert "Wie lange sich eine Ladestation mit der Antwort auf einen Befehl Zeit lassen darf." in settings
    assert "Sekunden" in settings
    assert "aus Host, Port und Pfad gebildet" in settings, "a default in words"
    assert 'lang="en"' not in _content(settings)


async def _say(port: int, text: bytes) -> None:
    """To the chargers' listener; until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    await reader.read()
    writer.close()


def _content(page: str) -> str:
    """Without the footer, where each language is named in itself."""
    return page.partition("<footer")[0].partition("</header>")[2]
