"""GET /transactions and what lies below it, from outside."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from mcpp.domain.samples import SampleKind
from mcpp_generated.db.enums import StopOrigin
from tests.integration.api.support import ENERGY, START, Site, minute, text


async def test_a_transaction_that_ended(api: Site) -> None:
    transaction_id = api.books.ended()

    response = await api.get(f"/api/v1/transactions/{transaction_id}")

    expected = {
        "transaction_id": transaction_id,
        "charge_point_id": "CP-1",
        "connector_id": 1,
        "id_tag": "TAG",
        "meter_start": 1000,
        "meter_stop": 5200,
        "energy_wh": 4200,
        "started_at": "2026-05-04T09:30:00.000Z",
        "stopped_at": "2026-05-04T09:35:00.000Z",
        "stop_reason": "EVDisconnected",
        "stop_origin": "charger",
        "evidence": None,
        "energy_implausible": False,
        "reason": None,
        "original_energy_wh": None,
        "correction": None,
        "session_correlation_id": "c" * 32,
        "power_w": None,
        "duration_s": 300,
        "evse_id": None,
        "ocpp_transaction_id": None,
    }
    by_events: dict[str, object] = {"charging_state": None, "remote_start_id": None, "id_token_type": None, "gaps": []}
    assert response.status_code == 200
    assert response.json() == expected | by_events
    assert await api.items("/api/v1/transactions") == [expected]


async def test_a_transaction_that_runs(api: Site) -> None:
    item = (await api.get(f"/api/v1/transactions/{api.books.start()}")).json()

    unknown = {name for name, value in item.items() if value is None}
    of_its_end = {"meter_stop", "energy_wh", "stopped_at", "stop_reason", "stop_origin", "evidence", "power_w"}
    of_events = {"evse_id", "ocpp_transaction_id", "charging_state", "remote_start_id", "id_token_type"}
    assert unknown == of_its_end | of_events | {"reason", "original_energy_wh", "correction"}
    assert item["duration_s"] > 0


async def test_a_register_that_fell_gives_no_negative_energy(api: Site) -> None:
    transaction_id = api.books.start(meter_start=1000)
    api.books.stop(transaction_id, meter_stop=10)

    item = (await api.get(f"/api/v1/transactions/{transaction_id}")).json()

    assert (item["meter_stop"], item["energy_wh"], item["energy_implausible"]) == (10, 0, True)


async def test_the_evidence_of_a_recovery_is_an_object(api: Site) -> None:
    transaction_id = api.books.start()
    evidence = '{"cause": "next_start", "source": "meter_value"}'
    api.books.stop(transaction_id, origin=StopOrigin.RECOVERED, evidence=evidence)

    item = (await api.get(f"/api/v1/transactions/{transaction_id}")).json()

    assert item["stop_origin"] == "recovered"
    assert item["evidence"] == {"cause": "next_start", "source": "meter_value"}


async def test_times_are_told_to_the_millisecond(api: Site) -> None:
    at = START.replace(microsecond=7000)

    item = (await api.get(f"/api/v1/transactions/{api.books.start(at=at)}")).json()

    assert item["started_at"] == "2026-05-04T09:30:00.007Z"


class TestFilters:
    @pytest.fixture(autouse=True)
    def _transactions(self, api: Site) -> None:
        """1 to 6 by their start; 5 and 6 run."""
        api.books.ended(identity="A", connector_id=1, id_tag="red", at=minute(1))
        api.books.ended(identity="A", connector_id=2, id_tag="blue", at=minute(2))
        api.books.ended(identity="B", connector_id=1, id_tag="RED", at=minute(3))
        api.books.ended(identity="A", connector_id=1, id_tag="blue", at=minute(4))
        api.books.start(identity="B", connector_id=1, id_tag="red", at=minute(5))
        api.books.start(identity="A", connector_id=2, id_tag="red", at=minute(6))

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({}, [6, 5, 4, 3, 2, 1]),
            ({"charge_point_id": "A"}, [6, 4, 2, 1]),
            ({"charge_point_id": "a"}, []),
            ({"connector_id": 2}, [6, 2]),
            ({"charge_point_id": "A", "connector_id": 1}, [4, 1]),
            ({"charge_point_id": "A", "connector_id": 3}, []),
            ({"id_tag": "Red"}, [6, 5, 3, 1]),
            ({"id_tag": "red", "connector_id": 1}, [5, 3, 1]),
            ({"id_tag": "red", "charge_point_id": "A"}, [6, 1]),
            ({"id_tag": "blue", "charge_point_id": "A", "connector_id": 1}, [4]),
            ({"open": "true"}, [6, 5]),
            ({"open": "true", "charge_point_id": "A"}, [6]),
            ({"open": "true", "connector_id": 1}, [5]),
            ({"open": "true", "id_tag": "blue"}, []),
            ({"open": "false"}, [4, 3, 2, 1]),
            ({"open": "false", "charge_point_id": "A"}, [4, 2, 1]),
            ({"open": "false", "charge_point_id": "A", "connector_id": 2}, [2]),
            ({"open": "false", "id_tag": "red"}, [3, 1]),
            ({"since": text(minute(4))}, [6, 5, 4]),
            ({"until": text(minute(4))}, [3, 2, 1]),
            ({"since": text(minute(2)), "until": text(minute(5))}, [4, 3, 2]),
            ({"since": "2026-05-04T11:34:00+02:00"}, [6, 5, 4]),
            ({"since": text(minute(2)), "until": text(minute(6)), "charge_point_id": "A"}, [4, 2]),
            ({"since": text(minute(2)), "until": text(minute(6)), "id_tag": "red"}, [5, 3]),
            ({"since": text(minute(2)), "until": text(minute(6)), "open": "true"}, [5]),
            ({"since": text(minute(2)), "charge_point_id": "A", "connector_id": 1}, [4]),
            ({"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}, [6, 5, 4, 3, 2, 1]),
            ({"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"}, [6, 5, 4, 3, 2, 1]),
            ({"since": text(minute(5)), "until": text(minute(2))}, []),
        ],
    )
    async def test_all_that_are_given_hold(self, api: Site, filters: dict[str, str | int], found: list[int]) -> None:
        assert await api.transaction_ids(**filters) == found

        first = await api.get("/api/v1/transactions", limit=1, **filters)
        seen = [item["transaction_id"] for item in first.json()["items"]]
        while (cursor := first.json()["next_cursor"]) is not None:
            first = await api.get("/api/v1/transactions", limit=1, cursor=cursor, **filters)
            seen += [item["transaction_id"] for item in first.json()["items"]]
        assert seen == found


async def test_pages_stay_right_while_transactions_begin(api: Site) -> None:
    # Twelve that began at the same moment: only the id tells them apart.
    old = [api.books.ended(identity=f"CP-{number}") for number in range(12)]
    found: list[int] = []
    cursor: dict[str, str] = {}
    for number in range(100):
        page = (await api.get("/api/v1/transactions", limit=5, **cursor)).json()
        found += [item["transaction_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
        api.books.ended(identity="new", at=minute(1 + number))

    assert found == sorted(old, reverse=True)


async def test_limits(api: Site) -> None:
    for number in range(101):
        api.books.ended(at=minute(number * 10))

    assert len(await api.transaction_ids()) == 100
    assert len(await api.transaction_ids(limit=1000)) == 101
    assert len(await api.transaction_ids(limit=1)) == 1


async def test_samples_in_the_order_of_time_and_then_as_sent(api: Site) -> None:
    transaction_id, other = api.books.ended(), api.books.ended(at=minute(100))
    power = SampleKind("Power.Active.Import", "L1", "W", "Sample.Periodic", "Outlet", "Raw")
    bare = SampleKind(ENERGY.measurand, "", "", "", "", "")
    samples = [
        (minute(2), power, "7000.5"),
        (minute(2), ENERGY, "1100"),
        (minute(1), bare, "1050"),
        (minute(1), ENERGY, "0A0B signed"),
    ]
    api.books.samples(transaction_id, samples)
    api.books.samples(other, [(minute(1), ENERGY, "9")])

    items = await api.items(f"/api/v1/transactions/{transaction_id}/meter-values")

    names = ("timestamp", "measurand", "phase", "unit", "context", "location", "format", "value")
    expected = [
        (text(minute(1)), ENERGY.measurand, None, None, None, None, None, "1050"),
        (text(minute(1)), ENERGY.measurand, None, "Wh", "Sample.Periodic", "Outlet", "Raw", "0A0B signed"),
        (text(minute(2)), "Power.Active.Import", "L1", "W", "Sample.Periodic", "Outlet", "Raw", "7000.5"),
        (text(minute(2)), ENERGY.measurand, None, "Wh", "Sample.Periodic", "Outlet", "Raw", "1100"),
    ]
    assert items == [dict(zip(names, sample, strict=True)) for sample in expected]


async def test_pages_of_samples(api: Site) -> None:
    transaction_id = api.books.ended()
    # The same time and position with several kinds and values, one message after the other, and a time before 1970.
    kinds = [ENERGY, replace(ENERGY, phase="L1")]
    for number, value in product((-99e6, 0, 1), ("1", "2")):
        for kind in kinds:
            api.books.samples(transaction_id, [(minute(number), kind, f"{position}{value}") for position in (0, 1)])
    path = f"/api/v1/transactions/{transaction_id}/meter-values"
    whole = await api.items(path)
    found: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get(path, limit=3, **cursor)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert len(whole) == 24
    assert found == whole


async def test_a_transaction_without_samples(api: Site) -> None:
    response = await api.get(f"/api/v1/transactions/{api.books.start()}/meter-values")

    assert response.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["/api/v1/transactions/7", "/api/v1/transactions/7/meter-values"])
async def test_an_unknown_transaction(api: Site, path: str) -> None:
    response = await api.get(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "7" in response.json()["detail"]
