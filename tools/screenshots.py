"""`make screenshots`: each page, light and dark, on a desk and on a phone, as pictures in `docs/screenshots`.

They show the site of `tools.showcase`, by Debian's Chromium. Where `pngquant` is installed they become a quarter of
their size.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tools.showcase.site import TOKEN, Showcase, showcase

FOLDER: Final = Path(__file__).parents[1] / "docs" / "screenshots"

SIZES: Final[Mapping[str, ViewportSize]] = {
    "wide": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}
SCHEMES: Final = ("light", "dark")
_PLACE: Final = """
for (const it of document.querySelectorAll("td code, dd code")) {
  if (it.textContent.endsWith("/mcpp.db")) it.textContent = "/var/lib/mcpp/mcpp.db";
}
"""
"""Says where a database usually is, in place of the folder that this one lives in for a minute."""

_TALLEST: Final = 2400
"""Pixels of a picture: what is below isn't worth the bytes."""


def pages(site: Showcase) -> dict[str, str]:
    """The address of each page, by the picture's name."""
    now = datetime.now(UTC)
    last_month = f"{now.year - (now.month == 1)}-{(now.month - 2) % 12 + 1:02}"
    return {
        "overview": "/",
        "charger": "/chargers/GARAGE-1",
        "charger-faulted": "/chargers/CARPORT-1",
        "charger-evses": "/chargers/COURT-1",
        "sessions": "/sessions",
        "session": f"/sessions/{site.ended}",
        "energy": "/energy?by=person",
        "people": "/people",
        "person": "/people/flat-2b",
        "statement": f"/people/flat-2b/statement?month={last_month}",
        "settings": "/settings",
        "connect": "/connect",
    }


async def take(site: Showcase, browser: Browser, folder: Path, wanted: set[str], language: str) -> None:
    """All pictures that are wanted; none: all that there are."""
    for scheme in SCHEMES:
        for size, viewport in SIZES.items():
            context = await browser.new_context(
                viewport=viewport,
                color_scheme="dark" if scheme == "dark" else "light",
                locale=language,
                timezone_id="Europe/Berlin",
                reduced_motion="reduce",
            )
            page = await context.new_page()
            await page.goto(f"{site.http_url}/login")
            if not wanted or "login" in wanted:
                await _picture(page, folder / f"login-{scheme}-{size}.png")
            login = await page.request.post(
                f"{site.http_url}/login", data={"token": TOKEN}, headers={"Origin": site.http_url}
            )
            assert login.ok, login.status
            for name, address in pages(site).items():
                if wanted and name not in wanted:
                    continue
                await page.goto(site.http_url + address)
                await _picture(page, folder / f"{name}-{scheme}-{size}.png")
            await context.close()


async def _picture(page: Page, path: Path) -> None:
    await page.wait_for_load_state("load")
    await page.evaluate("document.fonts.ready")
    viewport = page.viewport_size
    assert viewport is not None
    height = await page.evaluate("document.documentElement.scrollHeight")
    # As tall as what it shows, so that what is fixed to the window's foot is at the picture's foot.
    tall: ViewportSize = {"width": viewport["width"], "height": min(_TALLEST, max(viewport["height"], height))}
    await page.set_viewport_size(tall)
    await page.evaluate(_PLACE)  # last, since a page renews itself
    await page.screenshot(path=path)
    await page.set_viewport_size(viewport)


def shrink(folder: Path) -> None:
    """Fewer colours, where there is a program for it."""
    program = shutil.which("pngquant")
    if program is None:
        print("pngquant isn't installed: the pictures stay as large as they are", file=sys.stderr)
        return
    pictures = [str(path) for path in sorted(folder.glob("*.png"))]
    subprocess.run([program, "--force", "--skip-if-larger", "--strip", "--ext", ".png", "128", *pictures], check=False)  # nosec B603


async def screenshots(folder: Path, wanted: set[str], language: str) -> None:
    """Take them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("there is no chromium here: install Debian's package of that name")
    with tempfile.TemporaryDirectory(prefix="mcpp-showcase-") as directory:
        async with showcase(Path(directory) / "mcpp.db") as site, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage"]
            )
            await take(site, browser, folder, wanted, language)
            await browser.close()
    shrink(folder)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make screenshots", description="Pictures of each page.")
    parser.add_argument("pages", nargs="*", help="only these, such as overview")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they go (default docs/screenshots)")
    parser.add_argument("--language", default="en", help="en or de (default en)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ["no_proxy"] = "*"  # nothing leaves this machine
    asyncio.run(screenshots(arguments.folder.resolve(), set(arguments.pages), arguments.language))
    return 0


if __name__ == "__main__":
    sys.exit(main())
