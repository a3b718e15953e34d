"""Energy that can't be true is listed and left out, until a person says what it was."""

from __future__ import annotations

from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.closing import Stop
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import Occasion, OriginalMessage
from mcpp.domain.statuses import StopReason
from mcpp.domain.transactions import StopTransaction, stop_transaction
from tests.integration.api.support import Site

URL = "/api/v1/transactions"
CORRECTION = {"energy_wh": 4200, "note": "read at the meter", "who": "M. Example"}


async def test_a_correction_counts_and_the_original_is_shown(api: Site) -> None:
    api.books.ended()
    transaction_id = api.books.start(meter_start=1000)
    api.books.stop(transaction_id, meter_stop=10)
    listed = [item["transaction_id"] for item in (await api.get(URL, implausible=True)).json()["items"]]

    first = await api.http.post(f"{URL}/{transaction_id}/correct", json=CORRECTION | {"energy_wh": 9999})
    corrected = (await api.http.post(f"{URL}/{transaction_id}/correct", json=CORRECTION)).json()
    shown = (await api.get(f"{URL}/{transaction_id}")).json()

    assert (listed, first.status_code) == ([transaction_id], 200)
    assert shown == corrected
    assert (shown["energy_wh"], shown["energy_implausible"], shown["reason"]) == (4200, False, None)
    assert (shown["original_energy_wh"], shown["meter_stop"]) == (0, 10)
    assert {name: shown["correction"][name] for name in CORRECTION} == CORRECTION
    assert (await api.get(URL, implausible=True)).json()["items"] == []


async def test_it_goes_on_counting_where_the_charger_s_own_stop_comes_later(api: Site) -> None:
    transaction_id = api.books.start(meter_start=1000)
    await api.http.post(f"{URL}/{transaction_id}/close")
    await api.http.post(f"{URL}/{transaction_id}/correct", json=CORRECTION)
    transaction = api.books.q.find_transaction(id=transaction_id)
    assert transaction is not None
    stop = Stop(6000, transaction.started_at, None, StopReason.LOCAL)
    command = StopTransaction(transaction_id, stop, (), OriginalMessage("1.6", lambda: "{}"))
    occasion = Occasion(transaction.charge_point_key, "CP-1", "c" * 32, transaction.started_at, lambda: "d" * 32)
    stop_transaction(api.books.q, occasion, command, AuthorizationPolicy(), Memory())

    shown = (await api.get(f"{URL}/{transaction_id}")).json()

    assert (shown["stop_origin"], shown["meter_stop"]) == ("charger", 6000)
    assert (shown["energy_wh"], shown["original_energy_wh"]) == (4200, 5000)


async def test_what_can_t_be_corrected_is_said(api: Site) -> None:
    running = api.books.start()

    unknown = await api.http.post(f"{URL}/999/correct", json=CORRECTION)
    runs = await api.http.post(f"{URL}/{running}/correct", json=CORRECTION)
    wrong = [
        await api.http.post(f"{URL}/{running}/correct", json=CORRECTION | change)
        for change in ({"energy_wh": -1}, {"energy_wh": "1"}, {"note": ""}, {"who": ""}, {"more": 1})
    ]

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (runs.status_code, runs.json()["code"]) == (409, "conflict")
    assert {answer.status_code for answer in wrong} == {422}
