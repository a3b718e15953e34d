"""A browser for all tests, a server for each module, and pages that fail their test where the console complains.

Journeys run on the session's loop: `pytestmark = journey` in a module, then `site` and `open_page` in its tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.acceptance.server import Server, running_server
from tests.browser.pages import OpenPage, Pages
from tests.campaigns.screen import find_chromium

_CHROMIUM = find_chromium()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("there is no chromium here: install Debian's package of that name")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage"]
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server without a token, shared by the module: each test has chargers of its own."""
    folder: Path = tmp_path_factory.mktemp("site")
    async with running_server(folder / "mcpp.db") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens an address in a context of its own; the test fails where a page breaks a rule or complains."""
    pages = Pages(browser)
    yield pages.open
    await pages.close()
