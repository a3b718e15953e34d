"""A charger's page: what is done there about records without a session, about a stranger, and about its name."""

from __future__ import annotations

import re

import httpx
from playwright.async_api import expect
from websockets import Subprotocol
from websockets.asyncio.client import connect

from tests.acceptance.server import Server
from tests.browser.chargers import charger
from tests.browser.pages import OpenPage, assert_accessible, assert_fits, is_live, journey

pytestmark = journey


async def test_records_without_a_session_are_assigned_and_deleted(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Attic") as attic, httpx.AsyncClient(base_url=site.http_url) as client:
        transaction = await attic.begin("CAR")
        await attic.end(999_001, energy_wh=4_000)
        await attic.end(999_002, energy_wh=5_000)
        page = await open_page(site.http_url, width=360)
        todo = page.get_by_role("list", name="What needs you").get_by_role("listitem").filter(has_text="Attic: records")

        await todo.get_by_role("link", name="Assign them").click()
        await expect(page).to_have_url(re.compile("/chargers/Attic#unmatched$"))
        await is_live(page)
        section = page.get_by_role("region", name="Records that belong to no known session")
        await expect(section).to_be_in_viewport()
        await assert_fits(page)
        await assert_accessible(page)
        stop = section.get_by_role("listitem").filter(has_text="4000")
        await stop.get_by_label("Session").fill(str(transaction))
        await stop.get_by_role("button", name="Assign").click()
        await expect(section.get_by_role("listitem")).to_have_count(1)
        booked = (await client.get(f"/api/v1/transactions/{transaction}")).json()
        assert (booked["meter_stop"], booked["stop_origin"]) == (4_000, "operator")

        await section.get_by_role("button", name="Delete").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(section).to_have_count(0)
        left = (await client.get("/api/v1/unmatched")).json()["items"]
        assert [it for it in left if it["charge_point_id"] == "Attic"] == []


async def test_a_stranger_that_never_announced_itself_is_deleted(site: Server, open_page: OpenPage) -> None:
    async with connect(f"{site.ocpp_url}/Stranger", subprotocols=[Subprotocol("ocpp1.6")], proxy=None):
        page = await open_page(f"{site.http_url}/chargers/Stranger", complaints="status of 404")
        await is_live(page)
        await expect(page.locator("#commands").get_by_role("button", name="Delete")).to_have_count(0)

    await page.locator("#commands").get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await expect(page).to_have_url(f"{site.http_url}/")
    await expect(page.get_by_role("link", name="Stranger")).to_have_count(0)


async def test_a_charger_is_registered_and_gets_its_name(site: Server, open_page: OpenPage) -> None:
    page = await open_page(f"{site.http_url}/connect", width=360, complaints="status of 4")
    await page.get_by_text("Register a charger ahead of time").click()
    await page.get_by_label("Identity").fill("NEW/1")
    await page.get_by_label("Name").fill("Barn")
    await page.get_by_label("Password").fill("a-password-of-its-own")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#register-answer")).to_contain_text("no slash")
    await page.get_by_label("Identity").fill("NEW-1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#register-answer")).to_have_text("Done.")

    await page.goto(f"{site.http_url}/chargers/NEW-1")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Barn")
    await page.get_by_text("Name and password").click()
    await page.get_by_label("Name").fill("Stable")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Stable")


async def test_what_is_wrong_with_a_form_is_said_in_german_by_its_own_words(site: Server, open_page: OpenPage) -> None:
    page = await open_page(f"{site.http_url}/connect", language="de", complaints="status of 4")
    await page.get_by_text("Eine Ladestation im Voraus eintragen").click()
    await page.get_by_label("Kennung").fill(" NEW")
    await page.get_by_role("button", name="Speichern").click()

    answer = page.locator("#register-answer")
    await expect(answer).to_contain_text(
        "Das hat nicht geklappt: Kennung: eine Kennung darf nicht mit einem Leerzeichen"
    )
    await expect(answer.locator("[lang]")).to_have_count(0)


async def test_a_key_of_the_configuration_is_changed_and_shown(site: Server, open_page: OpenPage) -> None:
    async with charger(site.ocpp_url, "Loft") as loft, httpx.AsyncClient(base_url=site.http_url) as client:
        change = "/api/v1/charge-points/Loft/commands/ChangeConfiguration"
        for key, value in (("HeartbeatInterval", "300"), ("MeterValuesSampledData", "Power.Active.Import")):
            (await client.post(change, json={"key": key, "value": value})).raise_for_status()
        page = await open_page(f"{site.http_url}/chargers/Loft#configuration", width=360, language="de")
        await is_live(page)
        row = page.get_by_role("region", name="Konfiguration").get_by_role("row").filter(has_text="HeartbeatInterval")
        await row.get_by_text("Ändern").click()
        await row.get_by_label("Neuer Wert von HeartbeatInterval").fill("60")
        await assert_fits(page)
        await assert_accessible(page)
        await row.get_by_role("button", name="Setzen").click()
        await expect(page.get_by_role("dialog")).to_contain_text("HeartbeatInterval bei Loft ändern?")
        await page.get_by_role("dialog").get_by_role("button", name="Ändern").click()

        await expect(row.get_by_role("status")).to_have_text("Die Ladestation hat es angenommen.")
        await expect(row.locator("td").first.locator("bdi")).to_have_text("60")
        assert '{"key":"HeartbeatInterval","value":"60"}' in str(loft.asked[-1].payload)
