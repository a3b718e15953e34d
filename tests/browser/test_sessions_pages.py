"""Sessions, energy, settings and the first charger, as somebody who owns chargers has them."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from playwright.async_api import expect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.acceptance.server import Server, running_server
from tests.browser.chargers import charger
from tests.browser.pages import OpenPage, assert_accessible, assert_fits, is_live, journey
from tests.database import Database

pytestmark = journey

HOSTILE = '<img src=x onerror="throw 1">مرحبا 😀' + "W" * 200


async def test_a_charger_with_a_wrong_path_is_found_and_told(site: Server, open_page: OpenPage) -> None:
    page = await open_page(f"{site.http_url}/connect", width=360)
    await is_live(page)
    await expect(page.locator("#url")).to_have_text(f"ws://127.0.0.1:{site.ocpp_port}/ocpp/")
    await expect(page.get_by_role("img", name="ws://127.0.0.1")).to_be_visible()
    address = f"ws://127.0.0.1:{site.ocpp_port}"
    with pytest.raises(InvalidStatus):
        await connect(f"{address}/steve/websocket/CentralSystemService/")

    refused = page.locator("#refused").get_by_role("listitem")
    await expect(refused).to_contain_text(f"ype the URL {address}/ocpp/ into the charger")
    await expect(refused).to_contain_text("/steve/websocket/CentralSystemService/")

    # As it says; the other product's path would do as well, with the identity behind it.
    async with charger(f"{address}/steve/websocket/CentralSystemService", "Found"):
        await expect(page.locator("#just-connected").get_by_role("listitem").filter(has_text="Found")).to_be_visible()
        await assert_fits(page)
        await assert_accessible(page)


async def test_a_session_is_stopped_closed_and_corrected(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Shed") as shed:
        transaction = await shed.begin("VAN", ago=timedelta(minutes=90))
        await shed.measure(transaction, power_w=7400, energy_wh=3210)
        page = await open_page(f"{site.http_url}/sessions")
        row = page.locator("#running").get_by_role("row").filter(has_text="Shed")
        await expect(row).to_contain_text("3.21 kWh")
        await is_live(page)
        await shed.measure(transaction, power_w=7400, energy_wh=3310)
        await expect(row).to_contain_text("3.31 kWh", timeout=10_000)
        await row.get_by_role("link").click()
        await expect(page.locator("#session-now")).to_contain_text("7.4 kW")

        await page.get_by_role("button", name="Stop charging").click()
        await page.get_by_role("dialog").get_by_role("button", name="Stop charging").click()
        await expect(page.locator("#answers")).to_have_text("The charger accepted it.")
        assert [call.action for call in shed.asked] == ["RemoteStopTransaction"]

        await page.get_by_role("button", name="Close in the books").click()
        await page.get_by_role("dialog").get_by_role("button", name="Close in the books").click()
        await expect(page.locator("#session-marks")).to_contain_text("Closed by hand")
        await expect(page.get_by_role("note")).to_contain_text("Register and time from the last meter value")

        await page.reload()
        await page.get_by_text("Correct what it took").click()
        await page.get_by_label("Energy in kWh").fill("4.321")
        await page.get_by_label("Your name").fill("Ada")
        await page.get_by_label("Why").fill(HOSTILE)
        await page.get_by_role("button", name="Correct", exact=True).click()
        await expect(page.locator("#session-marks")).to_contain_text("Corrected")
        await expect(page.locator("#session-now")).to_contain_text("4.32 kWh")
        await assert_fits(page)
        await assert_accessible(page)


async def test_a_viewer_sees_no_commands_and_is_refused_them(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("viewer") / "mcpp.db"
    books = Database(path)
    running = books.session(wh=None)
    books.close()
    operator = {"Authorization": "Bearer operator-secret-1"}
    async with (
        running_server(path, "--api-token", "operator-secret-1") as server,
        httpx.AsyncClient(base_url=server.http_url) as client,
    ):
        made = await client.post("/api/v1/tokens", json={"name": "hall", "role": "viewer"}, headers=operator)
        page = await open_page(f"{server.http_url}/healthz", complaints="403|401")
        login = await page.request.post(
            f"{server.http_url}/login",
            data={"token": made.json()["token"]},
            headers={"Origin": server.http_url},
        )
        assert login.ok
        for address in ("/", "/chargers/CP-1", f"/sessions/{running}", "/people", "/settings", "/connect"):
            await page.goto(server.http_url + address)
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            buttons = page.get_by_role("main").get_by_role("button")
            assert set(await buttons.all_text_contents()) <= {"Copy"}
        await page.goto(f"{server.http_url}/sessions/{running}")
        for command in (f"transactions/{running}/close", "charge-points/CP-1/commands/Reset"):
            ask = "async (path) => (await fetch(path, { method: 'POST', body: '{}' })).status"
            assert await page.evaluate(ask, f"/api/v1/{command}") == 403


async def test_a_token_is_made_shown_once_and_revoked(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tokens") / "mcpp.db"
    async with running_server(path, "--api-token", "operator-secret-1") as server:
        page = await open_page(f"{server.http_url}/healthz")
        login = {"token": "operator-secret-1"}
        await page.request.post(f"{server.http_url}/login", data=login, headers={"Origin": server.http_url})
        await page.goto(f"{server.http_url}/settings")
        await page.get_by_text("Make a token").click()
        await page.get_by_label("Name", exact=True).fill("Phone")
        await page.get_by_role("button", name="Make it").click()
        await expect(page.locator("#made-token")).not_to_be_empty()
        token = await page.locator("#made-token").inner_text()
        async with httpx.AsyncClient(base_url=server.http_url) as client:
            bearer = {"Authorization": f"Bearer {token}"}
            assert (await client.get("/api/v1/me", headers=bearer)).json()["role"] == "viewer"
            await page.get_by_role("link", name="I have kept it").click()
            await expect(page.get_by_text(token)).to_have_count(0)
            row = page.get_by_role("row").filter(has_text="Phone")
            await row.get_by_role("button", name="Revoke").click()
            await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
            await expect(row).to_have_count(0)
            assert (await client.get("/api/v1/me", headers=bearer)).status_code == 401
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download a backup").click()
        copy = await (await download.value).path()
        assert copy.read_bytes().startswith(b"SQLite format 3")
