from __future__ import annotations

import random
import re
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Locator, Page, expect

from mcpp_generated.ocpp16.models import ChargePointErrorCode, ChargePointStatus
from tests.acceptance.server import Server
from tests.browser.chargers import Charger, charger
from tests.browser.pages import OpenPage, is_live, journey

pytestmark = journey


async def test_without_a_charger_it_says_what_to_do(site: Server, open_page: OpenPage) -> None:
    page = await open_page(site.http_url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("No charger has connected yet")
    await expect(page.get_by_role("link", name="Connect a charger")).to_have_attribute("href", "/connect")
    await expect(page.locator("#url")).to_have_text(f"{site.ocpp_url}/")
    await expect(page.get_by_role("button", name="Copy")).to_be_visible()
    await is_live(page)

    async with charger(site.ocpp_url, "First"):
        # Within a second of its message, without a reload.
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your charger is well", timeout=3000)
    await forget(site, page, "First")


async def test_a_charger_breaks_and_i_restart_it(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Garage") as garage, charger(site.ocpp_url, "Yard"):
        page = await open_page(site.http_url, width=360, complaints="ERR_FAILED")
        await expect(page.get_by_role("heading", level=1)).to_have_text("All 2 chargers are well")
        await is_live(page)

        await garage.status(ChargePointStatus.FAULTED, ChargePointErrorCode.GROUND_FAILURE)

        await expect(page.get_by_role("heading", level=1)).to_have_text("1 of 2 chargers needs you")
        todo = page.get_by_role("list", name="What needs you").get_by_role("listitem").filter(has_text="ground fault")
        await expect(todo).to_contain_text("Urgent")
        await expect(page).to_have_title("(1) Overview · MCPP")
        # The network is gone in this moment.
        await page.route(re.compile("/actions"), lambda route: route.abort())
        await todo.get_by_role("button", name="Restart").click()
        await expect(page.locator("#answers")).to_have_text("The server can’t be reached.")
        await page.unroute(re.compile("/actions"))
        await todo.get_by_role("button", name="Restart").click()
        dialog = page.get_by_role("dialog", name="Restart Garage? A session that runs there ends.")
        await dialog.get_by_role("button", name="Cancel").click()
        assert garage.asked == []
        await todo.get_by_role("button", name="Restart").click()
        await dialog.get_by_role("button", name="Restart").click()
        await expect(page.locator("#answers")).to_have_text("The charger accepted it.")
        assert [(call.action, call.payload) for call in garage.asked] == [("Reset", b'{"type":"Soft"}')]

        await garage.status(ChargePointStatus.AVAILABLE)
        await expect(page.get_by_role("heading", level=1)).to_have_text("All 2 chargers are well")
        await expect(page).to_have_title("Overview · MCPP")
    await forget(site, page, "Garage", "Yard")


async def test_who_is_gone_for_a_moment_is_not_called_well(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Stays"):
        async with charger(site.ocpp_url, "Goes"):
            page = await open_page(site.http_url)
            await is_live(page)
            headline = page.get_by_role("heading", level=1)
            await expect(headline).to_have_text("All 2 chargers are well")
        await expect(headline).to_have_text("1 of 2 chargers is offline, none needs you yet")
        async with charger(site.ocpp_url, "Goes"):
            await expect(headline).to_have_text("All 2 chargers are well")
    await forget(site, page, "Stays", "Goes")


async def test_the_overview_of_six_chargers_is_small(site: Server, open_page: OpenPage) -> None:
    identities = [f"S{number}" for number in range(6)]
    async with AsyncExitStack() as stack:
        for identity in identities:
            one = await stack.enter_async_context(charger(site.ocpp_url, identity))
            await one.measure(await one.begin("ANNA"), power_w=11000, energy_wh=1)
        page = await open_page("about:blank")
        sizes: list[int] = []
        responses: list[str] = []
        page.on("response", lambda response: responses.append(response.url))
        session = await page.context.new_cdp_session(page)
        session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
        await session.send("Network.enable")
        await page.goto(site.http_url)
        await is_live(page)
        await expect(page.locator("#tiles > li")).to_have_count(6)
        assert len(responses) <= 6, responses
        assert sum(sizes) <= 40_000
    await forget(site, page, *identities)


async def test_a_session_is_seen_as_it_runs(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Carport") as carport:
        page = await open_page(site.http_url, language="de")
        await is_live(page)
        transaction = await carport.begin("ANNA-1")
        await carport.measure(transaction, power_w=11040, energy_wh=5250)

        card = page.locator("#tiles").get_by_role("listitem").filter(has=page.get_by_role("link", name="Carport"))
        await expect(card).to_contain_text("Lädt")
        await expect(card).to_contain_text("11,0 kW")
        await expect(card).to_contain_text("5,25 kWh")
        await expect(card).to_contain_text("ANNA-1")

        await card.get_by_role("link").focus()
        await carport.end(transaction, energy_wh=6000)
        await expect(card).to_contain_text("Frei")
        # What somebody holds isn't pulled away.
        assert await page.evaluate("document.activeElement.textContent") == "Carport"
    await forget(site, page, "Carport")


async def test_after_many_events_the_page_is_as_a_fresh_one(site: Server, open_page: OpenPage) -> None:
    dice = random.Random(12)
    identities = [f"R{number}" for number in range(6)]
    async with AsyncExitStack() as stack:
        chargers: list[Charger] = [
            await stack.enter_async_context(charger(site.ocpp_url, identity)) for identity in identities
        ]
        page = await open_page(site.http_url)
        await is_live(page)
        running: dict[int, int] = {}
        for step in range(1000):
            number = dice.randrange(len(chargers))
            one = chargers[number]
            if number in running and dice.random() < 0.9:
                await one.measure(running[number], power_w=dice.randrange(22000), energy_wh=step * 10)
            elif number in running:
                await one.end(running.pop(number), energy_wh=step * 10)
            elif dice.random() < 0.3:
                running[number] = await one.begin(f"CARD-{step}")
            else:
                await one.status(dice.choice([ChargePointStatus.AVAILABLE, ChargePointStatus.FAULTED]))
        fresh = await open_page(site.http_url)
        await is_live(fresh)
        for _ in range(100):
            if await shown(page) == await shown(fresh):
                break
            await fresh.wait_for_timeout(200)
        assert await shown(page) == await shown(fresh)
    await forget(site, page, *identities)


async def test_a_charger_is_restarted_by_the_keyboard_alone(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Keys") as keys:
        page = await open_page(site.http_url)
        await is_live(page)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await tab_to(page, page.locator("#tiles").get_by_role("link", name="Keys"))
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{site.http_url}/chargers/Keys")
        await is_live(page)

        restart = page.get_by_role("button", name="Restart", exact=True)
        await tab_to(page, restart)
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Restart Keys? A session that runs there ends.")
        await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(restart).to_be_focused()
        await page.keyboard.press("Enter")
        await tab_to(page, dialog.get_by_role("button", name="Restart"), back=True)
        await page.keyboard.press("Enter")
        await expect(page.locator("#said-whole")).to_have_text("The charger accepted it.")
        await expect(restart).to_be_focused()
        assert [call.action for call in keys.asked] == ["Reset"]

        keys.verdict = "Rejected"
        await page.get_by_role("button", name="Take out of service").click()
        await page.get_by_role("dialog").get_by_role("button", name="Take out of service").click()
        await expect(page.locator("#said-1")).to_have_text("The charger refuses that.")
    await forget(site, page, "Keys")


async def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """By the keyboard; whatever is passed shows that it's where the keyboard is."""
    for _ in range(40):
        await page.keyboard.press("Shift+Tab" if back else "Tab")
        focus = page.locator(":focus-visible")
        outlines: list[str] = await focus.evaluate_all(
            "them => them.flatMap((it) => ['', '::after'].map((part) => getComputedStyle(it, part).outlineStyle))"
        )
        assert set(outlines) - {"none"}, await focus.evaluate_all("them => them.map((it) => it.outerHTML)")
        if await wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"the keyboard doesn't get to {wanted}")


async def shown(page: Page) -> str:
    """All that it says, times as such: how long ago they were is spelled again now and then."""
    text: str = await page.evaluate(
        """() => {
          const main = document.querySelector("main").cloneNode(true);
          for (const time of main.querySelectorAll("time")) time.textContent = time.dateTime;
          return main.textContent.replace(/\\s+/g, " ");
        }"""
    )
    return text


async def forget(site: Server, page: Page, *identities: str) -> None:
    """So that the next test begins without them; the page is left first, which would miss them."""
    await page.goto("about:blank")
    for identity in identities:
        gone = await page.request.delete(f"{site.http_url}/api/v1/charge-points/{identity}?purge=true")
        assert gone.ok or gone.status == 409, await gone.text()


@pytest.mark.parametrize(
    ("language", "spelled"), [("en-GB", "3 Nov 2026"), ("en-US", "Nov 3, 2026"), ("de-AT", "3. Nov. 2026")]
)
async def test_dates_are_those_of_the_viewers_country(
    site: Server, open_page: OpenPage, language: str, spelled: str
) -> None:
    page = await open_page(site.http_url, language=language)

    date = await page.evaluate(
        """async () => {
            const { format } = await import(document.querySelector("script[src*=format]").src);
            const box = document.createElement("p");
            box.innerHTML = '<time datetime="2026-11-03T12:00:00Z" data-as="date"></time>';
            format(box);
            return box.textContent;
        }"""
    )

    assert date == spelled
