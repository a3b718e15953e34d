"""Transactions that an operator closes or stops through the API."""

from __future__ import annotations

from tests.integration.api.support import START, Site


async def test_closed_by_a_person(api: Site) -> None:
    transaction_id = api.books.start("CP-1", 1, at=START, meter_start=700)

    closed = await api.http.post(f"/api/v1/transactions/{transaction_id}/close")
    again = await api.http.post(f"/api/v1/transactions/{transaction_id}/close")
    unknown = await api.http.post("/api/v1/transactions/999/close")

    assert closed.status_code == 200
    assert closed.json() == closed.json() | {"meter_stop": 700, "stop_origin": "operator", "energy_wh": 0}
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert unknown.status_code == 404


async def test_stopped_only_where_it_runs_and_its_charger_is_there(api: Site) -> None:
    ended, running = api.books.ended(), api.books.start("CP-2", 1)

    answers = [await api.http.post(f"/api/v1/transactions/{n}/stop") for n in (ended, running, 999)]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (409, "conflict"),
        (409, "not_connected"),
        (404, "not_found"),
    ]
