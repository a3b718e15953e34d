"""What single pages say, asked for as a browser asks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from mcpp import __version__
from mcpp.api.services import ApiServices
from mcpp.domain import configuration, people
from mcpp.domain.device_model import Variable, note_variables
from mcpp.domain.occasion import Occasion
from mcpp.domain.people import WantedPerson
from mcpp.domain.samples import SampleKind
from mcpp.domain.session_meter import MOST_READ
from mcpp.domain.variables import VariableRef
from mcpp.reads.attention_search import AttentionSources, EndingCertificate, LowDisk
from mcpp.reads.server_state import DiskSpace, ServerState
from mcpp.reads.stored_fleet import read_fleet
from mcpp.server.attention import StateGuide
from mcpp_generated.db.enums import CertificateState, Mutability, VariableAttribute
from tests.integration.api.support import START, Site, minute, site
from tests.integration.web.support import browser, shown

GIB = 1 << 30
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
    assert "too many readings" not in whole


async def test_a_curve_of_more_readings_than_are_read_says_so(api: Site, http: httpx.AsyncClient) -> None:
    long = api.books.start(at=minute(0))
    by_phase = [replace(POWER, phase=phase) for phase in ("L1", "L2")]
    api.books.samples(long, [(minute(at / 10), kind, "3.6") for at in range(MOST_READ + 1) for kind in by_phase])

    assert "too many readings to draw them all: a short peak may be missing" in await shown(http, f"/sessions/{long}")


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


async def test_a_key_of_the_configuration_is_changed_in_the_words_of_the_charger_s_version(
    api: Site, http: httpx.AsyncClient
) -> None:
    keys = [
        configuration.KnownKey("HeartbeatInterval", "300", readonly=False),
        configuration.KnownKey("AuthorizationKey", "hush-hush-hush", readonly=False),
        configuration.KnownKey("NumberOfConnectors", "1", readonly=True),
    ]
    old, new = api.books.charge_point("OLD"), api.books.charge_point("NEW")
    configuration.note_keys(api.books.q, _occasion(old, "OLD"), keys, [])
    variables = [
        Variable(VariableRef("EVSE", "Power", evse_id=1, attribute=VariableAttribute.MAX_SET), "11000", unit="W"),
        Variable(VariableRef("SecurityCtrlr", "BasicAuthPassword"), "hush-hush-hush", Mutability.WRITE_ONLY),
        Variable(VariableRef("ChargingStation", "Model"), "X", Mutability.READ_ONLY),
    ]
    note_variables(api.books.q, _occasion(new, "NEW"), variables)
    api.connections.identities |= {"OLD", "NEW"}
    api.connections.versions["NEW"] = "2.0.1"

    of_old = await shown(http, "/chargers/OLD?unfold=configuration")
    of_new = await shown(http, "/chargers/NEW?unfold=device")
    api.connections.identities.clear()
    offline = await shown(http, "/chargers/OLD?unfold=configuration")

    assert re.findall(r'<form[^>]*commands/ChangeConfiguration" data-body="(\{.*?\})"', of_old) == [
        '{"key":"AuthorizationKey"}',
        '{"key":"HeartbeatInterval"}',
    ]
    assert re.findall(r'<form[^>]*commands/SetVariables" data-body="(\{.*?\})"', of_new) == [
        (
            '{"setVariableData":[{"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"Power"},'
            '"attributeType":"MaxSet"}]}'
        ),
        '{"setVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}',
    ]
    for page in (of_old, of_new):
        assert len(re.findall(r'<input[^>]*type="password"[^>]*value=""[^>]*data-type="text"', page)) == 1
        assert "hush" not in page
    assert "NumberOfConnectors" in offline
    assert "ChangeConfiguration" not in offline


def _occasion(key: int, identity: str) -> Occasion:
    return Occasion(key, identity, "f" * 32, START, lambda: "e" * 32)


async def test_what_the_server_needs_leads_to_where_it_is_shown(api: Site, tmp_path: Path) -> None:
    def needs(free: int, wrong_since: datetime | None, ending: Sequence[EndingCertificate]) -> ApiServices:
        sources = AttentionSources(
            low_disk=lambda: LowDisk(free, START) if free < GIB else None,
            clock_wrong_since=lambda: wrong_since,
            own_certificates=lambda: ending,
        )
        guide = StateGuide(tmp_path / "mcpp.db", api.services.clock, sources)

        def state() -> ServerState:
            return guide.state()._replace(disk=DiskSpace(free, 40 * GIB))

        return replace(api.services, attention=sources, server_state=state)

    own = EndingCertificate("the authority", START, START)
    async with browser(api, needs(100 << 20, minute(3), [own])) as http:
        overview, bad = await shown(http, "/"), await shown(http, "/settings")
        told = (await http.get("/api/v1/server")).json()
    async with browser(api, needs(12 * GIB, None, [])) as http:
        good, german = await shown(http, "/settings"), await shown(http, "/settings", "de")

    assert overview.count('href="/settings#server"') == 3
    for label in ("See what is stored", "See the clock", "See which one"):
        assert label in overview
    for page in (bad, good):
        assert 'id="server"' in page
        assert f"MCPP {__version__}" in page
        assert str(tmp_path / "mcpp.db") in page
    assert "100.0 MiB of 40.0 GiB" in bad
    assert "It needs you below 2.0 GiB" in bad
    assert "Too little" in bad
    assert "The machine’s clock is wrong" in bad
    assert "the authority" in bad
    assert "12.0 GiB of 40.0 GiB" in good
    assert "Trusted" in good
    assert "The machine’s clock is wrong" not in good
    assert "12,0 GiB von 40,0 GiB" in german
    assert told["disk"] == {"free_bytes": 100 << 20, "total_bytes": 40 * GIB, "least_free_bytes": 2 * GIB}
    assert (told["clock_wrong_since"], told["version"]) == ("2026-05-04T09:33:00.000Z", __version__)
    assert told["database_bytes"] + told["wal_bytes"] > 0
    assert told["ending_certificates"] == [{"name": "the authority", "expires_at": "2026-05-04T09:30:00.000Z"}]


async def test_a_certificate_is_renewed_approved_and_revoked_where_attention_leads(
    api: Site, http: httpx.AsyncClient
) -> None:
    key, now = api.books.charge_point("CP-1", "Vendor"), api.services.clock.now()

    def certificate(status: CertificateState, serial_number: str | None) -> int:
        is_signed = serial_number is not None
        began = now - timedelta(days=300)
        return api.books.q.add_certificate(
            charge_point_key=key,
            charge_point_id="CP-1",
            status=status,
            subject="CN=CP-1",
            key_type="EC P-256",
            csr="",
            request_id=None,
            requested_at=began,
            approved_by=None,
            decided_at=None,
            certificate="PEM" if is_signed else None,
            serial_number=serial_number,
            issued_at=began if is_signed else None,
            expires_at=now + timedelta(days=1) if is_signed else None,
        )

    issued, waits = certificate(CertificateState.ISSUED, "A1"), certificate(CertificateState.PENDING, None)
    overview = await shown(http, "/")
    gone = await shown(http, "/chargers/CP-1?unfold=certificates")
    api.connections.identities.add("CP-1")
    here = await shown(http, "/chargers/CP-1?unfold=certificates")

    assert re.search(r'<a [^>]*href="/chargers/CP-1#certificates"[^>]*>Renew it<', overview)
    assert _certificate_buttons(here) == [
        f"{waits}/approve",
        f"{waits}/reject",
        f"{issued}/renew",
        f"{issued}/revoke",
    ]
    assert f"{issued}/renew" not in _certificate_buttons(gone)


def _certificate_buttons(page: str) -> list[str]:
    return re.findall(r'data-request="POST /api/v1/certificates/([^"]+)"', page)


async def test_what_is_wrong_is_said_in_plain_words_and_counted_in_the_title(
    api: Site, http: httpx.AsyncClient
) -> None:
    api.books.status("CP-1", 1, "Faulted", "GroundFailure", START)
    api.books.status("CP-2", 1, "Faulted", "NoError", START)
    api.books.stop(ended := api.books.start("CP-2"), 4_000)
    api.connections.identities |= {"CP-1", "CP-2"}
    api.services.live_readings.load(read_fleet(api.books.q))

    overview, german = await shown(http, "/"), await shown(http, "/", "de")
    charger, session = await shown(http, "/chargers/CP-1"), await shown(http, f"/sessions/{ended}", "de")

    assert "<title>(2) Overview · MCPP</title>" in overview
    assert re.findall("<title>.*</title>", charger) == ["<title>(2) CP-1 · MCPP</title>"]
    assert '<a href="/chargers/CP-1"><bdi>CP-1</bdi></a> reports a fault: <bdi>ground fault</bdi>' in overview
    assert "<bdi>Erdschluss</bdi>" in german
    assert "GroundFailure" in charger
    assert "NoError" not in overview
    assert re.search(r'aria-label="Restart: CP-1"', overview)
    assert re.search(r"\(<bdi[^>]*>da das Auto abgesteckt wurde<", session)


async def test_power_that_is_not_known_is_not_nothing(api: Site, http: httpx.AsyncClient) -> None:
    api.books.status("CP-1", 1, "Available", "NoError", START)
    api.connections.identities.add("CP-1")
    api.services.live_readings.load(read_fleet(api.books.q))
    free = await shown(http, "/")
    api.books.start("CP-1")
    api.services.live_readings.load(read_fleet(api.books.q))
    running = await shown(http, "/")

    now = re.compile(r"<dt>now</dt><dd>(.*?)</dd>")
    assert "0.0 kW" in now.findall(free)[0]
    assert now.findall(running) == ['<span class="none">–</span>']


async def test_all_statements_have_a_sum(api: Site, http: httpx.AsyncClient) -> None:
    api.books.q.put_default_price(since="0001-01-01", price_per_kwh=Decimal("0.25"), currency="EUR")
    for number, wh in enumerate((4_000, 8_000)):
        card = f"card-{number}"
        people.put(api.books.q, START - timedelta(days=99), f"flat-{number}", WantedPerson(name=card, cards=(card,)))
        api.books.stop(api.books.start(f"CP-{number}", id_tag=card, meter_start=0), wh)

    page = await shown(http, "/statements?month=2026-05")

    (foot,) = re.findall(r"<tfoot><tr><th scope=\"row\">Sum</th>(.*?)</tr></tfoot>", page)[:1]
    assert re.findall(r'value="([^"]*)"', foot) == ["2", "12000", "3.00"]


@pytest.mark.parametrize(
    ("language", "spelled"),
    [
        ("en-US,en", "May 4, 09:30 AM"),
        ("en", "May 4, 09:30 AM"),
        ("en-GB,en-US", "4 May, 09:30"),
        ("de", "4. Mai, 09:30"),
    ],
)
async def test_charts_spell_times_as_the_viewer_s_browser_does(
    api: Site, http: httpx.AsyncClient, language: str, spelled: str
) -> None:
    session = api.books.start(at=minute(0))
    api.books.samples(session, [(minute(at), POWER, "3.6") for at in (0, 10, 20, 30)])
    api.books.stop(session, at=minute(30))
    http.cookies.set("timezone", "UTC")

    assert spelled in await shown(http, f"/sessions/{session}", language)
