"""People, their cards and their statements, as somebody who owns chargers has them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.acceptance.server import Server, running_server
from tests.browser.chargers import charger
from tests.browser.pages import OpenPage, assert_accessible, assert_fits, is_live, journey
from tests.database import Database

pytestmark = journey

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = '<img src=x onerror="throw 1">مرحبا 😀' + "W" * 150


async def test_a_card_of_somebody_else_is_taken_over_in_german(site: Server, open_page: OpenPage) -> None:
    async with httpx.AsyncClient(base_url=site.http_url) as http:
        for person, cards in (("otto", ["0770"]), ("lena", [])):
            await http.put(f"/api/v1/people/{person}", json={"name": person.title(), "cards": cards})
    page = await open_page(f"{site.http_url}/people/lena", language="de-DE", complaints="409")
    await page.get_by_text("Name, Karten oder Notiz ändern").click()
    take_over = page.get_by_role("button", name="Ab jetzt übernehmen")
    await expect(take_over).to_have_count(0)

    await page.get_by_label("Karten").fill("0770")
    await page.get_by_role("button", name="Speichern").first.click()
    await expect(page.locator("#change-answer")).to_contain_text("Die Karte 0770 gehört zu Otto.")
    await assert_accessible(page)
    await take_over.click()

    await expect(page.get_by_role("main").locator(".facts")).to_contain_text("0770")


async def test_a_new_card_gets_a_name(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Driveway") as driveway:
        page = await open_page(f"{site.http_url}/people", width=360)
        await is_live(page)
        transaction = await driveway.begin("04A1B2C3")

        card = page.get_by_role("listitem").filter(has_text="04A1B2C3")
        await card.get_by_text("Name it").click()
        await card.get_by_label("Somebody new").fill("Flat 2B")
        await card.get_by_role("button", name="Save").first.click()

        await expect(page.get_by_role("row").filter(has_text="Flat 2B")).to_contain_text("04A1B2C3")
        await expect(card).to_have_count(0)
        await driveway.end(transaction, energy_wh=7000)
        await page.goto(f"{site.http_url}/sessions/{transaction}")
        await expect(page.get_by_role("link", name="Flat 2B")).to_be_visible()
        await expect(page.locator("dd", has_text="7.00 kWh")).to_be_visible()


async def test_a_card_is_learnt_at_a_charger_and_gets_no_start(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Porch") as porch:
        page = await open_page(f"{site.http_url}/people")
        await page.get_by_label("At the charger").select_option("Porch")
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("[data-countdown]")).to_contain_text("Hold the card to the charger now")
        await expect(page.get_by_role("status").filter(has_text="Hold the card")).to_have_count(1)

        await porch.begin("LEARN-ME")

        await expect(page).to_have_url(f"{site.http_url}/people?learnt=LEARN-ME")
        card = page.get_by_role("listitem").filter(has_text="LEARN-ME")
        await card.get_by_label("Somebody new").fill("Käthe Groß")
        await card.get_by_role("button", name="Save").first.click()
        await expect(page.get_by_role("row").filter(has_text="Käthe Groß")).to_contain_text("LEARN-ME")
        link = page.get_by_role("link", name="Käthe Groß").first
        await expect(link).to_have_attribute("href", re.compile("^/people/kathe-gross-"))


async def test_a_person_is_added_changed_priced_and_deleted(site: Server, open_page: OpenPage) -> None:
    page = await open_page(f"{site.http_url}/people")
    if not await page.get_by_label("Name", exact=True).is_visible():
        await page.get_by_text("Add somebody").click()
    await page.get_by_label("Name", exact=True).fill(HOSTILE)
    await page.get_by_label("Cards").fill("CARD-A\nCARD-B")
    await page.get_by_label("Price per kWh").fill("0.42")
    await page.get_by_role("button", name="Save").last.click()
    row = page.get_by_role("row").filter(has_text="CARD-A")
    await expect(row).to_contain_text("CARD-B")
    await expect(row).to_contain_text("0.42")
    await assert_fits(page)

    await row.get_by_role("link").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    await page.get_by_text("Change name, cards or note").click()
    await page.get_by_label("Cards").fill("CARD-B")
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.locator(".facts")).not_to_contain_text("CARD-A")
    await expect(page.locator(".facts")).to_contain_text("CARD-B")

    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(f"{site.http_url}/people")
    await expect(page.get_by_text("CARD-B")).to_have_count(0)


async def test_the_statement_of_march_for_flat_2b_equals_the_books_to_the_wh(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("march") / "mcpp.db"
    books = Database(path)
    begin = datetime(2026, 3, 1, 0, 30, tzinfo=BERLIN).astimezone(UTC)
    register, counted = 100_000, 0
    for number in range(40):
        wh = 1_237 * number + 7
        books.session(
            id_tag="FLAT-2B", started_at=begin + timedelta(hours=18 * number), hours=2, meter_start=register, wh=wh
        )
        counted += wh
        register += wh
    books.session(id_tag="OTHER", started_at=begin + timedelta(hours=9), meter_start=0, wh=5_000)
    # The first hour of April in Berlin, which UTC has in March.
    april = datetime(2026, 4, 1, 0, 10, tzinfo=BERLIN).astimezone(UTC)
    books.session(id_tag="FLAT-2B", started_at=april, hours=0.5, meter_start=register, wh=9_999)
    books.close()

    async with running_server(path) as server, httpx.AsyncClient(base_url=server.http_url) as client:
        person = {"name": "Flat 2B", "cards": ["FLAT-2B"], "price_per_kwh": "0.3941"}
        assert (await client.put("/api/v1/people/flat-2b", json=person)).status_code == 201
        page = await open_page(f"{server.http_url}/people/flat-2b/statement?month=2026-03", language="de")
        await page.reload()  # the first answer doesn't know the zone yet

        article = page.get_by_role("article")
        await expect(article).to_contain_text("März 2026")
        lines = await _values(page, "tbody tr td:nth-child(4) data")
        assert len(lines) == 40
        assert sum(lines) == counted
        assert await _values(page, "tfoot td:nth-child(2) data") == [counted]
        listed = await client.get("/api/v1/people/flat-2b/statement?month=2026-03&timezone=Europe/Berlin")
        assert listed.json()["energy_wh"] == counted
        amounts = await page.locator("tfoot td:last-child data").evaluate_all("cells => cells.map(it => it.value)")
        assert amounts == [listed.json()["amount"]]
        await assert_accessible(page)
        await _is_read_on_a_phone(page)
        await _prints_well(page)

        await page.goto(f"{server.http_url}/statements?month=2026-03")
        await expect(page.get_by_role("article")).to_have_count(1)


async def _values(page: Page, selector: str) -> list[int]:
    values = await page.locator(selector).evaluate_all("cells => cells.map(it => it.value)")
    return [int(value) for value in values]


async def _is_read_on_a_phone(page: Page) -> None:
    """Each line with what it took and costs, without moving the sheet."""
    await page.set_viewport_size({"width": 360, "height": 800})
    await assert_fits(page)
    edges = await page.locator(".statement td.number").evaluate_all(
        "cells => cells.map(it => it.getBoundingClientRect().right)"
    )
    assert max(edges) <= 360
    await assert_accessible(page)


async def _prints_well(page: Page) -> None:
    """A4, without the page's own controls, and nothing beyond the edge of the sheet."""
    await page.emulate_media(media="print", color_scheme="dark")
    await page.set_viewport_size({"width": 672, "height": 950})  # A4 without its margins, in CSS pixels
    for hidden in ("Drucken", "Einstellungen"):
        await expect(page.get_by_text(hidden)).to_be_hidden()
    await assert_fits(page)
    background = await page.evaluate("getComputedStyle(document.querySelector('.statement')).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    pdf = await page.pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 3


async def test_why_something_was_refused_stays_on_the_page(site: Server, open_page: OpenPage) -> None:
    async with httpx.AsyncClient(base_url=site.http_url) as client:
        for person_id, card in (("owner", "TAKEN-1"), ("other", "FREE-1")):
            made = await client.put(f"/api/v1/people/{person_id}", json={"name": person_id, "cards": [card]})
            assert made.status_code == 201, made.text
    page = await open_page(f"{site.http_url}/people/other", complaints="status of 409")
    await page.get_by_text("Change name, cards or note").click()
    await page.get_by_label("Cards").fill("TAKEN-1")

    # After the API's answer the page asks for itself again.
    async with page.expect_response(re.compile("^http://[^/]+/people/other$")):
        await page.get_by_role("button", name="Save").first.click()

    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    await expect(page.locator("#change-answer")).to_contain_text("TAKEN-1")
    await expect(page.get_by_label("Cards")).to_have_value("TAKEN-1")
