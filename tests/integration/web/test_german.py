"""Pages and buttons in German: what came from deeper inside is German too, and the API keeps its English text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from mcpp.api.app import create_api
from mcpp.domain.samples import SampleKind
from mcpp.telemetry.requests import RequestTelemetry
from mcpp.web.app import add_pages
from mcpp_generated.db.enums import StopOrigin
from tests.integration.api.support import ENERGY, LOCAL, Site, minute, site

_POWER = SampleKind("Power.Active.Import", "", "W", "Sample.Periodic", "Outlet", "Raw")

GERMAN = {"Accept-Language": "de"}


@dataclass
class Pages:
    api: Site
    http: httpx.AsyncClient

    async def page(self, path: str) -> str:
        return html.unescape((await self.http.get(path, headers=GERMAN)).text)


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    async with site(tmp_path) as api:
        app = create_api(api.services, LOCAL, RequestTelemetry(api.metrics, None))
        add_pages(app)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
            yield Pages(api, http)


async def test_the_story_of_a_session_is_german_on_its_page_and_english_in_the_api(pages: Pages) -> None:
    books = pages.api.books
    number = books.start(id_tag="{CARD} <b>7</b>", meter_start=1250)
    books.samples(number, [(minute(it), ENERGY, str(1250 + 100 * it)) for it in (1, 2, 3, 40)])
    evidence = json.dumps({"cause": "boot", "source": "meter_value", "match": "guessed", "claimed_transaction_id": 0})
    books.stop(number, 1100, minute(45), StopOrigin.RECOVERED, evidence)

    page = await pages.page(f"/sessions/{number}")
    story = re.sub(r"<[^>]+>", "", page.partition('<ol class="story">')[2].partition("</ol>")[0])
    told = (await pages.http.get(f"/api/v1/transactions/{number}/story", headers=GERMAN)).json()["entries"]

    assert f"Ladevorgang {number} beginnt bei 1,250 kWh, Karte {{CARD}} " in story
    assert "37 min lang keine Zählerwerte" in story
    assert "3 × Zählerwerte in 2 min: 0,300 kWh, 6,0 kW" in story
    assert (
        "eine Vermutung: das gemeldete Ende nennt keinen Ladevorgang und passt nur zu diesem; "
        "die Ladestation startete neu und erwähnte ihn nicht mehr; Zählerstand und Zeit aus dem letzten Zählerwert; "
        "unplausibel: der Zählerstand ist am Ende niedriger als zu Beginn"
    ) in story
    assert 'lang="en"' not in page.partition("</header>")[2].partition("<footer")[0]
    assert told[0]["what"] == f"transaction {number} begins at 1.250 kWh for {{CARD}} <b>7</b>"
    assert "no meter values for 37 min" in [it["what"] for it in told]


async def test_a_time_span_in_a_caption_is_spelled_by_one_rule(pages: Pages) -> None:
    number = pages.api.books.start()
    for begin in (0, 100):
        readings = [(minute(begin + it), _POWER, "6000") for it in range(10)]
        pages.api.books.samples(number, readings)
    pages.api.books.stop(number, 12_000, minute(110))

    page = (await pages.http.get(f"/sessions/{number}", headers=GERMAN | {"Cookie": "timezone=UTC"})).text

    caption = html.unescape(page.partition("<figcaption>")[2].partition("</figcaption>")[0])
    assert re.search(r"Über diese Zeit ist nichts bekannt: 4\. Mai, 09:39 – 11:09\.", caption), caption


async def test_a_card_of_another_person_is_taken_over_by_a_button(pages: Pages) -> None:
    for person, cards in (("anna", ["A1"]), ("ben", [])):
        made = await pages.http.put(f"/api/v1/people/{person}", json={"name": person.title(), "cards": cards})
        assert made.status_code == 201
    wanted = {"name": "Ben", "cards": ["A1"]}

    refused = (await pages.http.put("/api/v1/people/ben", json=wanted, headers=GERMAN)).json()
    plain = (await pages.http.put("/api/v1/people/ben", json=wanted)).json()
    assert refused["said"] == (
        "Die Karte A1 gehört zu Anna. „Ab jetzt übernehmen“ ordnet sie dieser Person zu, für Ladevorgänge, die von nun "
        "an beginnen."
    )
    assert "move=" in refused["detail"]
    assert plain["detail"] == refused["detail"]
    assert "move=" not in plain["said"], "a page in English has no such parameter either"

    button = re.search(
        r'<button [^>]*data-request="PUT ([^"]+)"[^>]*>Ab jetzt übernehmen<', await pages.page("/people/ben")
    )
    assert button is not None
    assert (await pages.http.put(button[1], json=wanted)).status_code == 200
    assert (await pages.http.get("/api/v1/people/ben")).json()["cards"] == ["A1"]


async def test_why_a_command_failed_is_said_in_german(pages: Pages) -> None:
    number = pages.api.books.start()

    offline = (await pages.http.post(f"/api/v1/transactions/{number}/stop", headers=GERMAN)).json()
    unknown = (await pages.http.post("/api/v1/transactions/99/close", headers=GERMAN)).json()

    assert (offline["detail"], offline["said"]) == ("CP-1 is not connected", "CP-1 ist nicht verbunden")
    assert (unknown["detail"], unknown["said"]) == ("there is no transaction 99", "es gibt keinen Ladevorgang 99")
