"""Messages without a transaction: listed, assigned to one by an operator, and forgotten."""

from __future__ import annotations

import json

from mcpp.domain.digests import digest_of
from tests.integration.api.support import Site, minute, text


def keep(api: Site, number: int, identity: str = "CP-1") -> None:
    stop = {"transactionId": 99, "meterStop": 4000 + number, "timestamp": text(minute(30)), "reason": "Local"}
    api.books.q.add_unmatched_stop(
        charge_point_key=api.books.charge_point(identity),
        ocpp_version="1.6",
        claimed_transaction_id=99,
        payload=json.dumps(stop),
        payload_bytes=100,
        payload_digest=digest_of(json.dumps(stop)),
        received_at=minute(31),
        stopped_at=minute(30),
        meter_stop=4000 + number,
        id_tag=None,
        stop_reason="Local",
        transaction_id=None,
    )


async def test_listed_assigned_and_forgotten(api: Site) -> None:
    transaction_id = api.books.start("CP-1", 1)
    for number in range(3):
        keep(api, number)
    first = (await api.get("/api/v1/unmatched", limit=2)).json()
    (oldest,) = (await api.get("/api/v1/unmatched", cursor=first["next_cursor"])).json()["items"]
    assigned = await api.http.post(f"/api/v1/unmatched/{oldest['id']}/assign", json={"transaction_id": transaction_id})
    ids = [item["id"] for item in first["items"]]
    deleted = [(await api.http.delete(f"/api/v1/unmatched/{number}")).status_code for number in ids]

    assert oldest == oldest | {
        "charge_point_id": "CP-1",
        "kind": "stop",
        "claimed_transaction_id": 99,
        "received_at": text(minute(31)),
    }
    assert oldest["payload"]["meterStop"] == 4000
    assert assigned.status_code == 200
    assert assigned.json() == (await api.get(f"/api/v1/transactions/{transaction_id}")).json()
    closed = {"meter_stop": 4000, "stop_reason": "Local", "stop_origin": "operator", "stopped_at": text(minute(30))}
    assert assigned.json() == assigned.json() | closed
    assert deleted == [204, 204]
    assert await api.items("/api/v1/unmatched") == []
    assert (await api.http.delete(f"/api/v1/unmatched/{ids[0]}")).status_code == 404


async def test_what_cannot_be_assigned(api: Site) -> None:
    ended, other = api.books.ended(identity="CP-1"), api.books.start("CP-2", 1)
    keep(api, 1)
    ((kept),) = await api.items("/api/v1/unmatched")
    url = f"/api/v1/unmatched/{kept['id']}/assign"

    answers = [await api.http.post(url, json={"transaction_id": number}) for number in (ended, other, 999)]
    nothing = await api.http.post("/api/v1/unmatched/999/assign", json={"transaction_id": other})
    no_number = await api.http.post(url, json={"transaction_id": "1"})

    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (409, "conflict"),
        (409, "conflict"),
        (404, "not_found"),
    ]
    assert nothing.status_code == 404
    assert no_number.status_code == 422
    assert await api.items("/api/v1/unmatched") == [kept]
