"""How long it takes until what a charger says is on somebody's screen: from its message to the change in a browser."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from tests.browser.chargers import charger

IDENTITY: Final = "A-SCREEN"
"""The first of its state, so that it's shown in a large fleet, too."""
PATIENCE: Final = 10.0

Measure = Callable[[float], Coroutine[Any, Any, list[float]]]
"""Seconds to measure for; gives the milliseconds of each message."""

_SEEN: Final = """
([tile, watts]) => new Promise((resolve) => {
  const shown = () => document.getElementById(tile)?.querySelector(`.tile-power data[value="${watts}"]`);
  const look = () => { if (shown()) { observer.disconnect(); resolve(Date.now()); } };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})
"""


def find_chromium() -> str | None:
    """The path of Debian's, or of another one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@asynccontextmanager
async def screen(http_url: str, ocpp_port: int) -> AsyncIterator[Measure]:
    """A browser with the overview, and a charger whose meter values are awaited there."""
    async with (
        async_playwright() as playwright,
        charger(f"ws://127.0.0.1:{ocpp_port}/ocpp", IDENTITY) as shown,
    ):
        transaction = await shown.begin("CARD-SCREEN")
        started = await playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage"]
        )
        random, energy = Random(1), 0
        page = await started.new_page()
        await page.goto(http_url)
        await page.wait_for_selector("html[data-live=yes]", state="attached")

        async def measure(seconds: float) -> list[float]:
            nonlocal energy
            found: list[float] = []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                # At any moment of the server's and the page's rhythm.
                await asyncio.sleep(random.uniform(0.2, 1.2))
                energy += 1
                watts = 5000 + energy
                seen = asyncio.create_task(_seen(page, watts))
                await asyncio.sleep(0.05)  # the page looks out for it
                began = time.time()
                await shown.measure(transaction, power_w=watts, energy_wh=energy)
                found.append(await seen - began * 1000)
            return found

        yield measure
        await started.close()


async def _seen(page: Page, watts: int) -> float:
    """When the screen showed it, in milliseconds of the wall clock."""
    async with asyncio.timeout(PATIENCE):
        when: float = await page.evaluate(_SEEN, [f"tile:{IDENTITY}:1", watts])
    return when
