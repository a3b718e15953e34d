"""What single pages say, asked for as a browser asks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from mcpp.domain import people
from mcpp.domain.people import WantedPerson
from mcpp.domain.samples import SampleKind
from mcpp.reads.stored_fleet import read_fleet
from tests.integration.api.support import START, Site, minute, site
from tests.integration.web.support import browser, shown

POWER = SampleKind("Power.Active.Import", "", "kW", "Sample.Periodic", "Outlet", "Raw")


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as running:
        yield running


@pytest.fixture
async def http(api: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(api) as client:
        yield client


@pytest.mark.parametrize("path", ["/nowhere", "/chargers/NOBODY", "/sessions/99", "/sessions/abc", "/chargers/A%2FB"])
async def test_a_browser_that_asks_for_what_is_not_there_gets_a_page(http: httpx.AsyncClient, path: str) -> None:
    english, german = await http.get(path), await http.get(path, headers={"Accept-Language": "de"})

    assert (english.status_code, german.status_code) == (404, 404)
    assert english.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing here" in english.text
    assert '<html lang="de"' in german.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/charge-points/NOBODY", "/api/nothing"])
async def test_the_api_answers_browsers_with_problems_too(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_program_gets_a_problem_where_there_is_no_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nowhere", headers={"Accept": "*/*"})

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_energy_in_cost_by_charger_person_and_card_is_the_sum_of_the_sessions(
    api: Site, http: httpx.AsyncClient
) -> None:
    api.books.q.put_default_price(since="0001-01-01", price_per_kwh=Decimal("0.25"), currency="EUR")
    people.put(api.books.q, START - timedelta(days=99), "flat-1", WantedPerson(name="Petersen", cards=("red",)))
    for number in range(3):
        of_card = api.books.start(id_tag="red", at=minute(number * 10), meter_start=0)
        api.books.stop(of_card, 30)  # 0.0075, which is 0.01 in a statement
    api.books.stop(api.books.start("CP-2", id_tag="blue", meter_start=0), 4000)

    amounts = [await shown(http, f"/energy?by={by}&show=cost&period=2026-05") for by in ("charger", "person", "card")]
    kwh = await shown(http, "/energy?by=charger&period=2026-05")

    for text in amounts:
        assert "1.03 EUR in 4 sessions" in text
        assert {"0.03", "1.00"} <= set(re.findall(r"[0-9]+\.[0-9]{2}", text))
        assert "amounts=true" in text
    assert 'href="/energy?period=2026-05&by=charger&show=cost"' in kwh
    assert "EUR" not in kwh


async def test_the_csv_of_a_page_is_as_the_viewer_s_spreadsheet_opens_it(api: Site, http: httpx.AsyncClient) -> None:
    people.put(api.books.q, START, "flat-1", WantedPerson(name="Petersen"))
    for path in ("/energy", "/sessions", "/people/flat-1/statement"):
        for language, dialect, begin in (("en", "excel-en", r"[a-z_]+,"), ("de", "excel", r"[a-z_]+;")):
            page = await shown(http, path, language)
            (address,) = re.findall(r'href="(/api/v1/[^"]+format=csv[^"]*)"', page)
            file = (await http.get(address)).content.decode("utf-8-sig")

            assert re.search(rf"dialect={dialect}(&|$)", address)
            assert re.match(begin, file)


async def test_a_single_reading_is_no_curve(api: Site, http: httpx.AsyncClient) -> None:
    single = api.books.start(at=minute(0))
    api.books.samples(single, [(minute(30), POWER, "3.6")])
    api.books.stop(single, at=minute(30))
    several = api.books.start("CP-2", at=minute(0))
    api.books.samples(several, [(minute(at), POWER, "3.6") for at in (0, 10, 20, 30)])
    api.books.stop(several, at=minute(30))

    without, whole = await shown(http, f"/sessions/{single}"), await shown(http, f"/sessions/{several}")

    assert "There are too few readings for a curve; the last one says 3.6 kW" in without
    assert "Up to 3.6 kW" not in without
    assert "Up to 3.6 kW" in whole


async def test_a_charger_without_connectors_has_no_two_headings_alike(api: Site, http: httpx.AsyncClient) -> None:
    api.books.charge_point("NEW")
    api.books.status("OLD", 1, "Available", "NoError", START)
    api.connections.identities |= {"NEW", "OLD"}
    api.services.live_readings.load(read_fleet(api.books.q))

    headings = [
        re.findall(r"<h2[^>]*>([^<]*)</h2>", await shown(http, f"/chargers/{charger}")) for charger in ("NEW", "OLD")
    ]

    assert headings[0].count("The whole charger") == headings[1].count("The whole charger") == 1
    assert "Commands" in headings[0]
