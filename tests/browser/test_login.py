from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from playwright.async_api import expect

from mcpp_generated.ocpp16.models import ChargePointStatus
from tests.acceptance.server import Server, running_server
from tests.browser.chargers import charger
from tests.browser.pages import OpenPage, is_live, journey
from tests.ports import free_port

pytestmark = journey

TOKEN = "operator-token-of-the-settings-1"


def guarded(folder: Path, port: int) -> AbstractAsyncContextManager[Server]:
    return running_server(folder / "mcpp.db", "--http-port", str(port), variables={"MCPP_API_TOKEN": TOKEN})


async def test_i_log_in_and_out_and_the_server_restarts_while_i_watch(tmp_path: Path, open_page: OpenPage) -> None:
    port = free_port()
    async with guarded(tmp_path, port) as server:
        # The browser tells of what it couldn't get while the server was away, and of the log-in that ended.
        page = await open_page(
            f"{server.http_url}/chargers/Garage?x=1",
            complaints="ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY|ERR_CONNECTION_RESET|ERR_NETWORK|401|404",
        )
        await expect(page).to_have_url(re.compile(r"/login\?next="))
        await page.get_by_label("Token").fill("wrong-token-of-nobody-12345")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("alert")).to_contain_text("There is no such token")

        async with charger(server.ocpp_url, "Garage"):
            await page.get_by_label("Token").fill(TOKEN)
            await page.keyboard.press("Enter")
            await expect(page).to_have_url(f"{server.http_url}/chargers/Garage?x=1")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Garage")
            await page.get_by_role("link", name="Overview").first.click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Your charger is well")
            await is_live(page)
        await server.terminate()
        await expect(page.locator("#connection")).to_have_text("Connection lost. Trying again …")

    async with guarded(tmp_path, port) as server:
        await expect(page.locator("#connection")).to_have_text("The connection is back.", timeout=15_000)
        async with charger(server.ocpp_url, "Garage") as garage:
            # Still logged in, and live again.
            await garage.status(ChargePointStatus.PREPARING)
            await expect(page.locator("#tiles")).to_contain_text("Plugged in")
        await page.get_by_role("button", name="Log out").click()
        await expect(page).to_have_url(f"{server.http_url}/login")
        await page.goto(server.http_url)
        await expect(page).to_have_url(re.compile("/login"))
