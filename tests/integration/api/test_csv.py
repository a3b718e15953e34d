"""GET /transactions with `Accept: text/csv`: all of a filter, safe in a spreadsheet."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.integration.api.support import Site, minute, text

CSV = {"Accept": "text/csv"}


async def rows(api: Site, **parameters: str | int) -> list[dict[str, str]]:
    response = await api.http.get("/api/v1/transactions", params=parameters, headers=CSV)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(response.text)))


async def test_all_pages_in_the_columns_of_the_api(api: Site) -> None:
    for number in range(450):
        api.books.ended(identity=f"CP-{number % 3}", at=minute(number))
    running = api.books.start("CP-9", 2, at=minute(1000))

    found = await rows(api)

    assert [int(row["transaction_id"]) for row in found] == list(range(running, 0, -1))
    item = (await api.items("/api/v1/transactions"))[0]
    spelled: dict[object, str] = {None: "", False: "false"}
    shown = {name: spelled.get(value, str(value)) for name, value in item.items()}
    assert int(shown.pop("duration_s")) >= int(found[0].pop("duration_s"))
    assert found[0] == shown
    assert len(await rows(api, charge_point_id="CP-1")) == 150
    assert len(await rows(api, since=text(minute(440)), open="false")) == 10
    assert len(await rows(api, limit=7)) == 7
    assert await rows(api, charge_point_id="CP-77") == []


async def test_what_a_spreadsheet_would_run_is_text(api: Site) -> None:
    api.books.ended(identity="=cmd|' /C calc'!A1", id_tag='@x"y,z')

    (row,) = await rows(api)

    assert (row["charge_point_id"], row["id_tag"]) == ("'=cmd|' /C calc'!A1", "'@x\"y,z")


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv, */*;q=0.1", True),
        ("application/json;q=0.5, text/csv", True),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv;q=0", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
async def test_csv_is_given_to_who_asks_for_it(api: Site, accept: str, is_csv: bool) -> None:
    response = await api.http.get("/api/v1/transactions", headers={"Accept": accept})

    assert response.headers["content-type"].startswith("text/csv" if is_csv else "application/json")
    assert response.headers["vary"] == "Accept"


async def test_a_filter_that_cannot_be_used(api: Site) -> None:
    response = await api.http.get("/api/v1/transactions?since=yesterday", headers=CSV)

    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
