"""The device model on a charger's page: found by a search, on a phone, in German, with hostile texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from mcpp.domain.device_events import DeviceEvent, Trigger, note_events
from mcpp.domain.device_model import Variable, note_variables
from mcpp.domain.variables import VariableRef
from mcpp_generated.db.enums import Mutability
from tests.acceptance.server import running_server
from tests.browser.pages import OpenPage, assert_accessible, assert_fits, journey
from tests.database import Database

pytestmark = journey

HOSTILE = '<img src=x onerror="throw 1">مرحبا 😀' + "W" * 200


async def test_variables_are_found_and_fit_a_phone(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("device") / "mcpp.db"
    books = Database(path)
    occasion = books.charge_point("New")
    told = [Variable(VariableRef("Many", f"Variable{number}"), "1") for number in range(300)]
    told += [
        Variable(VariableRef("SecurityCtrlr", "BasicAuthPassword"), "hush-hush", Mutability.WRITE_ONLY),
        Variable(VariableRef(HOSTILE[:50], "Zz"), HOSTILE, Mutability.READ_ONLY, unit="W", values_list="A,B"),
    ]
    note_variables(books.q, occasion, told)
    alert = DeviceEvent(
        subject=VariableRef("Connector", "Problem", evse_id=1), value=HOSTILE, trigger=Trigger.ALERTING, severity=3
    )
    note_events(books.q, occasion, [alert])
    books.charge_point("Old")
    books.close()
    async with running_server(path) as server:
        page = await open_page(f"{server.http_url}/chargers/New", width=360, language="de")
        await expect(page.locator("details#configuration")).to_have_count(0)
        await page.get_by_text("Gerätemodell").click()
        variables = page.get_by_role("region", name="Variablen")
        await expect(variables.get_by_role("row")).to_have_count(201)
        await expect(page.get_by_role("region", name="Geräte")).to_contain_text("Connector@1.Problem")
        await expect(page.get_by_role("region", name="Geräte").get_by_role("row").last).to_contain_text(HOSTILE)
        await assert_fits(page)
        await assert_accessible(page)

        await page.get_by_label("Teil des Namens einer Variable").fill("zz")
        await page.get_by_role("button", name="Suchen").click()
        await expect(variables.get_by_role("row")).to_have_count(2)
        await expect(variables).to_contain_text(HOSTILE)
        await assert_fits(page)
        await page.get_by_label("Teil des Namens einer Variable").fill("basicauth")
        await page.keyboard.press("Enter")
        await expect(variables).to_contain_text("geheim oder keiner")
        await expect(page.locator("#device")).not_to_contain_text("hush-hush")
        await page.get_by_label("Teil des Namens einer Variable").fill("nirgends")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Keine Variable hat das in ihrem Namen.")).to_be_visible()

        await page.goto(f"{server.http_url}/chargers/New?unfold=device&search=zz")
        await page.goto(f"{server.http_url}/chargers/Old")
        await expect(page.locator("#configuration")).to_be_attached()
        await expect(page.locator("#device")).to_have_count(0)
