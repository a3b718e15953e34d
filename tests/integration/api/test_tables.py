"""Every list as CSV, by header or by link; and as Excel opens it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx

from mcpp.api.app import create_api
from mcpp.api.installation_models import Plugin, PluginError, Setting
from mcpp.domain import charging_profiles, id_tags, people
from mcpp.domain.id_tags import StoredTag
from mcpp.domain.samples import SampleKind
from mcpp.telemetry.requests import RequestTelemetry
from mcpp_generated.db.enums import IdTagStatus
from tests.integration.api.support import ENERGY, LOCAL, Site, minute

LISTS = (
    "charge-points",
    "charge-points/CP-1/configuration",
    "charge-points/CP-1/conformance",
    "charge-points/CP-1/variables",
    "charge-points/CP-1/monitors",
    "charge-points/CP-1/device-events",
    "charge-points/CP-1/reports",
    "transactions",
    "transactions/1/meter-values",
    "id-tags",
    "id-tags/unknown",
    "people",
    "reservations",
    "unmatched",
    "certificates",
    "conformance",
    "charging-profiles",
    "reports/energy",
    "tokens",
    "plugins",
    "settings",
)


async def excel(api: Site, path: str, dialect: str = "excel", **parameters: str | int) -> list[dict[str, str]]:
    """The rows that Excel would show, in Berlin."""
    asked = {"format": "csv", "dialect": dialect, "timezone": "Europe/Berlin"} | parameters
    response = await api.http.get(f"/api/v1/{path}", params=asked)
    assert response.status_code == 200, response.text
    assert response.content.startswith(b"\xef\xbb\xbf")
    separator = ";" if dialect == "excel" else ","
    return list(csv.DictReader(StringIO(response.content.decode("utf-8-sig")), delimiter=separator))


async def test_every_list_is_csv_by_header_and_by_link(api: Site) -> None:
    transaction_id = api.books.ended()
    api.books.samples(transaction_id, [(minute(1), ENERGY, "1100")])
    document = (await api.get("/openapi.json")).json()["paths"]
    for path in LISTS:
        await _check(api, path, document)


async def _check(api: Site, path: str, document: Mapping[str, Any]) -> None:
    by_link = await api.get(f"/api/v1/{path}", format="csv")
    by_header = await api.http.get(f"/api/v1/{path}", headers={"Accept": "text/csv"})
    link_wins = await api.http.get(f"/api/v1/{path}", params={"format": "json"}, headers={"Accept": "text/csv"})

    assert by_link.headers["content-type"] == by_header.headers["content-type"] == "text/csv; charset=utf-8"
    assert by_link.text == by_header.text
    assert link_wins.headers["content-type"] == "application/json"
    assert link_wins.headers["vary"] == by_link.headers["vary"] == "Accept"
    assert by_link.headers["content-disposition"] == f'attachment; filename="{path.split("/")[-1]}.csv"'
    header, *rows = csv.reader(StringIO(by_link.text))
    items = link_wins.json()["items"]
    assert len(rows) == len(items)
    assert all(set(item) == set(header) for item in items)
    described = [document[known]["get"]["responses"]["200"]["content"] for known in document if _fits(known, path)]
    assert any("text/csv" in content for content in described)


def _fits(described: str, path: str) -> bool:
    parts, given = described.removeprefix("/api/v1/").split("/"), path.split("/")
    return len(parts) == len(given) and all(
        part == one or part.startswith("{") for part, one in zip(parts, given, strict=True)
    )


async def test_the_whole_list_whatever_its_pages(api: Site) -> None:
    for number in range(450):
        await api.writer.submit(id_tags.put, StoredTag(f"T{number:03}", IdTagStatus.ACCEPTED, None, None, None))

    whole = (await api.get("/api/v1/id-tags", format="csv")).text.splitlines()
    first = (await api.get("/api/v1/id-tags", format="csv", limit=205)).text.splitlines()

    assert [line.split(",")[0] for line in whole[1:]] == [f"T{number:03}" for number in range(450)]
    assert first == whole[:206]


async def test_excel_gets_local_times_decimal_commas_and_whole_card_numbers(api: Site) -> None:
    power = SampleKind("Power.Active.Import", "", "kW", "Sample.Periodic", "Outlet", "Raw")
    transaction_id = api.books.start(identity="7.5", id_tag="04120000000000123")
    api.books.samples(transaction_id, [(minute(1), power, "7.25"), (minute(1), ENERGY, "1100")])
    api.books.stop(transaction_id)

    (session,) = await excel(api, "transactions")
    values = await excel(api, f"transactions/{transaction_id}/meter-values")

    assert (session["id_tag"], session["charge_point_id"]) == ("'04120000000000123", "'7.5")
    assert (session["started_at"], session["energy_wh"]) == ("2026-05-04 11:30:00", "4200")
    assert [(row["value"], row["timestamp"]) for row in values] == [
        ("7,25", "2026-05-04 11:31:00"),
        ("1100", "2026-05-04 11:31:00"),
    ]
    (month,) = await excel(api, "reports/energy", by="id_tag", period="month")
    assert (month["period"], month["id_tag"], month["energy_wh"]) == ("2026-05", "'04120000000000123", "4200")


async def test_people_have_their_prices_as_numbers(api: Site) -> None:
    price = people.Price(Decimal("0.2950"))
    wanted = people.WantedPerson("Flat 2B", cards=["0412"], price=price)
    await api.writer.submit(people.put, minute(0), "flat-2b", wanted)

    (person,) = await excel(api, "people")
    (english,) = await excel(api, "people", "excel-en")

    assert (person["cards"], person["price_per_kwh"], english["price_per_kwh"]) == ('["0412"]', "0,2950", "0.2950")


async def test_an_english_excel_gets_commas_between_cells_and_decimal_points(api: Site) -> None:
    power = SampleKind("Power.Active.Import", "", "kW", "Sample.Periodic", "Outlet", "Raw")
    transaction_id = api.books.start(id_tag="0412")
    api.books.samples(transaction_id, [(minute(1), power, "7.25")])
    await api.writer.submit(id_tags.put, StoredTag("red", IdTagStatus.ACCEPTED, minute(5), None, "a,b;c"))

    (value,) = await excel(api, f"transactions/{transaction_id}/meter-values", "excel-en")
    (session,) = await excel(api, "transactions", "excel-en")
    (tag,) = await excel(api, "id-tags", "excel-en")

    assert (value["value"], value["timestamp"]) == ("7.25", "2026-05-04 11:31:00")
    assert session["id_tag"] == "'0412"
    assert (tag["note"], tag["expiry_date"]) == ("a,b;c", "2026-05-04 11:35:00")


async def test_tokens_plugins_and_settings_are_csv_with_all_that_json_has(api: Site) -> None:
    plugin = Plugin(
        name="notify",
        built_in=True,
        state="running",
        hooks=["charge_point_booted", "transaction_started"],
        waiting=0,
        calls=3,
        failures=1,
        dropped=0,
        last_error=PluginError(hook="job", text="ConnectError: no", at=minute(1)),
    )
    setting = Setting(name="ocpp-port", value="9000", unit="", default="9000", description="A, b", source="default")
    services = replace(api.services, plugins=lambda: [plugin], settings=[setting])
    transport = httpx.ASGITransport(create_api(services, LOCAL, RequestTelemetry(api.metrics, None)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        asked = {"Accept": "text/csv"}
        (of_plugin,) = csv.DictReader(StringIO((await http.get("/api/v1/plugins", headers=asked)).text))
        (of_setting,) = csv.DictReader(StringIO((await http.get("/api/v1/settings", headers=asked)).text))
        wanted = {"name": "=phone, of the caretaker", "role": "operator"}
        token = (await http.post("/api/v1/tokens", json=wanted)).json()["token"]
        asked["Authorization"] = f"Bearer {token}"
        (of_token,) = csv.DictReader(StringIO((await http.get("/api/v1/tokens", headers=asked)).text))

    assert of_plugin == {
        "name": "notify",
        "built_in": "true",
        "state": "running",
        "hooks": '["charge_point_booted","transaction_started"]',
        "waiting": "0",
        "calls": "3",
        "failures": "1",
        "dropped": "0",
        "last_error": '{"hook":"job","text":"ConnectError: no","at":"2026-05-04T09:31:00.000Z"}',
    }
    assert of_setting == setting.model_dump()
    assert list(of_token) == ["name", "role", "created_at", "last_used_at"]
    assert (of_token["name"], of_token["role"]) == ("'=phone, of the caretaker", "operator")


HOSTILE = (
    '=HYPERLINK("http://x";"y")',
    "+1;2",
    "@SUM(A1)",
    "'quoted",
    'a;b,"c"\r\nd',
    "12E5",
    "1-2",
    "3. Mai",
    "MAR12",
    "TRUE",
    "007",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{ELECTRIC PLUG}\t",
    "plain",
    "",
)


async def test_what_excel_reads_is_what_is_stored_but_for_an_apostrophe(api: Site) -> None:
    for number, note in enumerate(HOSTILE):
        await api.writer.submit(id_tags.put, StoredTag(f"T{number:02}", IdTagStatus.ACCEPTED, minute(5), None, note))

    rows = await excel(api, "id-tags")

    assert tuple(row["note"].removeprefix("'") for row in rows) == tuple(
        note.removeprefix("'") if note != "'quoted" else "'quoted" for note in HOSTILE
    )
    marked = {note for note, row in zip(HOSTILE, rows, strict=True) if row["note"] == f"'{note}"}
    assert set(HOSTILE) - marked == {'a;b,"c"\r\nd', "\N{RIGHT-TO-LEFT OVERRIDE}\N{ELECTRIC PLUG}\t", "plain", ""}
    assert {row["expiry_date"] for row in rows} == {"2026-05-04 11:35:00"}


async def test_an_object_is_json_in_its_cell(api: Site) -> None:
    await api.writer.submit(charging_profiles.put, "night", '{"stackLevel": 1, "name": "a;b"}', "1.6")

    (row,) = await excel(api, "charging-profiles")

    assert row == {"name": "night", "profile": '{"stackLevel":1,"name":"a;b"}', "ocpp_version": "'1.6"}


async def test_what_cannot_be_written_is_said(api: Site) -> None:
    for name, value, said in (
        ("timezone", "Europe/Berlim", "did you mean Europe/Berlin?"),
        ("format", "xlsx", "query.format"),
        ("dialect", "lotus", "query.dialect"),
    ):
        response = await api.get("/api/v1/id-tags", **{name: value})

        assert response.status_code == 422
        assert said in response.json()["detail"]


async def test_a_report_by_charger_and_card_in_json_and_csv(api: Site) -> None:
    api.books.ended(identity="CP-1", id_tag="red", at=minute(0))
    api.books.ended(identity="CP-2", id_tag="RED", at=minute(0) + timedelta(days=31))
    overnight = api.books.start(identity="CP-1", id_tag="blue", at=minute(60 * 12))
    api.books.stop(overnight, meter_stop=10, at=minute(60 * 13))

    by_charger = (await api.get("/api/v1/reports/energy", period="month", timezone="UTC")).json()["items"]
    by_card = await api.items("/api/v1/reports/energy", by="id_tag", period="year", timezone="UTC")
    june = await api.items("/api/v1/reports/energy", period="day", timezone="UTC", since="2026-06-01T00:00:00Z")
    text = (await api.get("/api/v1/reports/energy", timezone="UTC", format="csv")).text

    one = {"sessions": 1, "energy_wh": 4200, "duration_seconds": 300}
    assert by_charger == [
        {"period": "2026-05", "charge_point_id": "CP-1", **one, "implausible_sessions": 1},
        {"period": "2026-06", "charge_point_id": "CP-2", **one, "implausible_sessions": 0},
    ]
    assert [(line["id_tag"], line["energy_wh"], line["implausible_sessions"]) for line in by_card] == [
        ("blue", 0, 1),
        ("red", 8400, 0),
    ]
    assert [(line["period"], line["charge_point_id"]) for line in june] == [("2026-06-04", "CP-2")]
    assert text.splitlines() == [
        "period,charge_point_id,sessions,energy_wh,duration_seconds,implausible_sessions",
        "2026-05,CP-1,1,4200,300,1",
        "2026-06,CP-2,1,4200,300,0",
    ]
