"""Each page with something on it, hostile where others fill it: it stays text, fits, and a screen reader can follow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mcpp_generated.ocpp16.models import ChargePointErrorCode, ChargePointStatus
from tests.acceptance.server import running_server
from tests.browser.chargers import charger
from tests.browser.pages import OpenPage, Scheme, assert_accessible, assert_fits, journey

pytestmark = journey

MARKUP = '<img src=x onerror="throw 1"><b>b</b>'
HOSTILE = f"{MARKUP}مرحبا 😀" + "W" * 140
CARD = "<b>t</b>😀مW"


@dataclass(frozen=True)
class Filled:
    """A server with something on each page."""

    http_url: str
    addresses: tuple[str, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filled]:
    """Said by chargers, by the API and by `mcpp import`."""
    folder: Path = tmp_path_factory.mktemp("filled")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(folder / "mcpp.db", "--currency", "EUR"))
        api = await stack.enter_async_context(httpx.AsyncClient(base_url=f"{server.http_url}/api/v1"))
        evil = await stack.enter_async_context(
            charger(server.ocpp_url, "Evil", vendor=MARKUP[:20], model=HOSTILE[20:40])
        )
        broken = await stack.enter_async_context(charger(server.ocpp_url, "Broken"))
        ended = await evil.begin(CARD)
        await evil.measure(ended, power_w=11_000, energy_wh=2_000)
        await evil.end(ended, energy_wh=2_500)
        running = await evil.begin(f"{CARD}\u202e")
        await evil.measure(running, power_w=11_000, energy_wh=1)
        await broken.status(ChargePointStatus.FAULTED, ChargePointErrorCode.OTHER_ERROR)
        for path, body in (
            ("people/flat", {"name": HOSTILE, "note": HOSTILE, "cards": [CARD], "price_per_kwh": "0.40"}),
            ("charge-points/Evil", {"display_name": HOSTILE}),
        ):
            answer = await api.put(f"/{path}", json=body)
            assert answer.is_success, answer.text
        _import(folder, "charge-points", f'identity,display_name\nImported,"{_quoted(HOSTILE)}"\n')
        _import(folder, "id-tags", f'id_tag,status,note\n"{_quoted(CARD)}",Accepted,"{_quoted(HOSTILE)}"\n')
        with pytest.raises(InvalidStatus):
            await connect(f"ws://127.0.0.1:{server.ocpp_port}/%3Cb%3E/CentralSystemService/")
        yield Filled(
            server.http_url,
            (
                "/",
                "/chargers/Evil?unfold=frames",
                "/chargers/Broken",
                "/chargers/Imported?unfold=configuration",
                "/chargers/nothing",
                "/sessions",
                f"/sessions/{ended}",
                f"/sessions/{running}",
                "/energy?by=person&show=cost",
                "/energy?period=all&by=card",
                "/people",
                "/people/flat",
                "/people/flat/statement",
                "/statements",
                "/settings",
                "/connect",
                "/login",
            ),
        )


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _import(folder: Path, kind: str, text: str) -> None:
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mcpp", "import", kind, "--database", str(folder / "mcpp.db"), str(path)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "de")])
async def test_every_page_fits_is_accessible_and_shows_text_as_text(
    filled: Filled, open_page: OpenPage, scheme: Scheme, language: str
) -> None:
    page = await open_page("about:blank", scheme=scheme, language=language, motion="reduce", complaints="status of 404")
    for address in filled.addresses:
        await page.set_viewport_size({"width": 1280, "height": 900})
        await page.goto(filled.http_url + address)
        await expect(page.locator("html")).to_have_attribute("lang", language)
        await page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true })")
        assert await page.locator("main").locator("img, b, script").count() == 0, address
        await assert_fits(page)
        await assert_accessible(page)
        for width in (768, 360):
            await page.set_viewport_size({"width": width, "height": 800})
            await assert_fits(page)
        # As with text of twice the size.
        await page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        await assert_fits(page)


async def test_what_others_filled_is_there_as_they_said_it(filled: Filled, open_page: OpenPage) -> None:
    page = await open_page(filled.http_url)
    for address in ("/", "/chargers/Evil", "/chargers/Imported", "/people/flat", "/sessions"):
        await page.goto(filled.http_url + address)
        await expect(page.locator("bdi", has_text=MARKUP).first).to_be_attached()
