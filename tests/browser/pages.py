"""Pages under test: opened as a viewer would, and held to what a page must not do."""

from __future__ import annotations

import re
from typing import Final, Literal, Protocol

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

journey = pytest.mark.asyncio(loop_scope="session")
"""For modules whose tests look at pages."""

Scheme = Literal["light", "dark"]

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}

_SERVER_ENDED: Final = "ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)"
"""A test's server may end before its pages do, which is no fault of theirs."""

_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


_WIDE = """
document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *, header *, footer *")]
  .filter((it) => it.getBoundingClientRect().right > innerWidth && !it.closest(".scroll"))
  .slice(-3)
  .map((it) => it.outerHTML.slice(0, 200))
"""


class OpenPage(Protocol):
    async def __call__(
        self,
        url: str,
        *,
        scheme: Scheme = "light",
        width: int = 1280,
        language: str = "en",
        complaints: str = "",
        motion: Literal["reduce", "no-preference"] = "no-preference",
    ) -> Page:
        """`complaints` is a pattern of those that the test provokes."""
        ...


class Pages:
    """The pages of one test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []

    async def open(
        self,
        url: str,
        *,
        scheme: Scheme = "light",
        width: int = 1280,
        language: str = "en",
        complaints: str = "",
        motion: Literal["reduce", "no-preference"] = "no-preference",
    ) -> Page:
        context = await self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale=language,
            timezone_id="Europe/Berlin",
            reduced_motion=motion,
        )
        self._contexts.append(context)
        await context.add_init_script(_VIOLATIONS)
        page = await context.new_page()

        def complain(text: str) -> None:
            if not re.search(f"{complaints or '(?!)'}|{_SERVER_ENDED}", text):
                self._complaints.append(f"{page.url}: {text}")

        page.on("console", lambda message: complain(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complain(str(error)))
        await page.goto(url)
        return page

    async def close(self) -> None:
        """Raises AssertionError where a page complained."""
        for context in self._contexts:
            await context.close()
        assert self._complaints == [], self._complaints


async def is_live(page: Page) -> None:
    """The page has its stream of events."""
    await expect(page.locator("html[data-live=yes]")).to_be_attached()


async def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that can be found by a program."""
    results = await Axe().run(page, options=_RULES)
    assert results.violations_count == 0, results.generate_report()


async def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    wide: list[str] = await page.evaluate(_WIDE)
    assert wide == [], f"{page.url}: {wide}"
