"""A charger of OCPP 1.6 beside one with EVSEs: what the API says, and what people see."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from mcpp.api.app import create_api
from mcpp.domain.memory import ensure_connector
from mcpp.reads.stored_fleet import read_fleet
from mcpp.storage.sqlite.database import WriterConnection
from mcpp.telemetry.requests import RequestTelemetry
from mcpp.web.app import add_pages
from tests.database import Database
from tests.integration.api.support import LOCAL, START, Site, site

OLD, NEW = "CP-1", "CP-2"


@dataclass
class Fleet:
    api: Site
    http: httpx.AsyncClient
    running: int
    """The transaction at the new one's EVSE 1."""

    async def json(self, path: str) -> dict[str, list[dict[str, object]]]:
        answer: dict[str, list[dict[str, object]]] = (await self.http.get(f"/api/v1{path}")).json()
        return answer

    async def page(self, path: str, language: str = "en") -> str:
        return html.unescape((await self.http.get(path, headers={"Accept-Language": language})).text)


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with site(tmp_path) as api:
        books = api.books
        books.status(OLD, 1, "Charging", "NoError", START)
        books.start(OLD, 1)
        running = books.start(NEW, 1, "")
        key = books.charge_point(NEW)
        for evse, number, word, status in ((1, 1, "Occupied", "Charging"), (2, 1, "Available", "Available")):
            _status(api, ensure_connector(books.q, key, number, evse).key, status, word)
        _status(api, ensure_connector(books.q, key, 2, 2).key, "Faulted", "Faulted")
        books.connection.execute("UPDATE charge_points SET ocpp_version = '2.0.1', has_evses = 1 WHERE key = ?", (key,))
        assert isinstance(books.connection, WriterConnection)
        Database.of(tmp_path / "mcpp.db", books.connection).move_to_evse(running, 1, "ab-12")
        api.connections.identities |= {OLD, NEW}
        api.connections.versions[NEW] = "2.0.1"
        api.services.live_readings.load(read_fleet(books.q))
        app = create_api(api.services, LOCAL, RequestTelemetry(api.metrics, None))
        add_pages(app)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Fleet(api, http, running)


def _status(api: Site, key: int, status: str, word: str) -> None:
    api.books.q.set_connector_status(
        key=key,
        status=status,
        reported_status=word,
        error_code="NoError",
        info=None,
        vendor_id=None,
        vendor_error_code=None,
        status_at=START,
        status_received_at=START,
        session_correlation_id=None,
        status_changes=0,
    )


async def test_the_api_names_the_evse_and_keeps_1_6_as_it_was(fleet: Fleet) -> None:
    old, new = (await fleet.json("/charge-points"))["items"]
    named = ("evse_id", "connector_id", "state", "status", "reported_status", "transaction_id", "ocpp_transaction_id")

    def connectors(point: dict[str, object]) -> list[list[object]]:
        told = point["connectors"]
        assert isinstance(told, list)
        return [[connector[name] for name in named] for connector in told]

    assert connectors(old) == [[None, 1, "charging", "Charging", None, 1, None]]
    assert connectors(new) == [
        [1, 1, "charging", "Charging", "Occupied", fleet.running, "ab-12"],
        [2, 1, "free", "Available", "Available", None, None],
        [2, 2, "faulted", "Faulted", "Faulted", None, None],
    ]
    (session,) = (await fleet.json("/transactions?evse_id=1"))["items"]
    assert (session["evse_id"], session["ocpp_transaction_id"]) == (1, "ab-12")
    assert len((await fleet.json(f"/transactions?charge_point_id={NEW}&connector_id=1"))["items"]) == 1
    assert (await fleet.json("/transactions?evse_id=2"))["items"] == []
    summary = await fleet.http.get("/api/v1/summary")
    counts = summary.json()["counts"]["connectors"]
    assert (counts["charging"], counts["free"], counts["faulted"]) == (2, 1, 1)
    (fault,) = (it for it in summary.json()["attention"] if it["code"] == "faulted")
    assert (fault["evse_id"], fault["connector_id"]) == (2, 2)
    assert fault["text"].startswith("CP-2 EVSE 2 #2 reports a fault")
    story = (await fleet.http.get(f"/api/v1/transactions/{fleet.running}/story")).json()
    assert (story["subject"]["evse_id"], story["subject"]["ocpp_transaction_id"]) == (1, "ab-12")


async def test_what_never_came_of_a_session_is_said(fleet: Fleet) -> None:
    """The charger has numbered its events; two of them are missing."""
    fleet.api.books.connection.execute("INSERT INTO transaction_states (transaction_id) VALUES (?)", (fleet.running,))
    for seq_no, kind in ((0, "started"), (3, "updated")):
        fleet.api.books.connection.execute(
            "INSERT INTO transaction_events VALUES (?, ?, ?, ?, 'CablePluggedIn', '', '', '', 0, 0)",
            (fleet.running, seq_no, seq_no, kind),
        )

    told = (await fleet.http.get(f"/api/v1/transactions/{fleet.running}")).json()
    assert told["gaps"] == [{"first": 1, "last": 2}]
    assert "missing: 1–2" in await fleet.page(f"/sessions/{fleet.running}")


async def test_people_see_evses_and_their_connectors_where_there_are_several(fleet: Fleet) -> None:
    overview, old, new = (
        await fleet.page("/"),
        await fleet.page(f"/chargers/{OLD}"),
        await fleet.page(f"/chargers/{NEW}"),
    )
    session = await fleet.page(f"/sessions/{fleet.running}")

    for name in (">EVSE 1<", ">EVSE 2, connector 1<", ">EVSE 2, connector 2<"):
        assert name in overview
        assert name in new
    assert ">Connector 1<" in old
    assert "EVSE" not in old
    assert 'title="As the charger says it: Occupied"' in new
    assert "OCPP <bdi" in new
    assert "· EVSE 1<" in session
    assert "ab-12" in session
    german = await fleet.page(f"/chargers/{NEW}", "de")
    assert ">Ladepunkt 2, Stecker 2<" in german


async def test_buttons_ask_in_the_words_of_the_version_that_a_charger_speaks(fleet: Fleet) -> None:
    old, new = await fleet.page(f"/chargers/{OLD}"), await fleet.page(f"/chargers/{NEW}")

    assert "commands/RequestStartTransaction" in new
    assert '{"evseId":2,"idToken":{"type":"ISO14443"}}' in new
    assert '{"operationalStatus":"Inoperative","evse":{"id":2,"connectorId":2}}' in new
    assert '{"evseId":2,"connectorId":2}' in new
    assert "commands/GetBaseReport" in new
    assert "RemoteStart" not in new
    assert "commands/GetConfiguration" in old
    assert '{"connectorId":1,"type":"Inoperative"}' in old


async def test_a_charger_can_be_kept_to_some_versions(fleet: Fleet) -> None:
    wanted = await fleet.http.put(f"/api/v1/charge-points/{NEW}", json={"ocpp_versions": ["1.6", "2.0.1"]})
    assert wanted.json()["ocpp_versions"] == ["1.6", "2.0.1"]
    kept = await fleet.http.put(f"/api/v1/charge-points/{NEW}", json={"auto_start": None})
    assert kept.json()["ocpp_versions"] == ["1.6", "2.0.1"]
    refused = await fleet.http.put(f"/api/v1/charge-points/{NEW}", json={"ocpp_versions": ["3.0"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_payload")
    assert "1.6, 2.0.1, 2.1" in refused.text
    back = await fleet.http.put(f"/api/v1/charge-points/{NEW}", json={"ocpp_versions": None})
    assert back.json()["ocpp_versions"] is None
