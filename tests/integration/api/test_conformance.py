"""What chargers depart in from the contract: one by one, and by vendor, model and firmware."""

from __future__ import annotations

from mcpp.domain.conformance import Kind, Seen, Waiting, write_departures
from mcpp_generated.db.enums import MessageRole
from tests.integration.api.support import Site, minute, text

UNIT = Kind("MeterValues", MessageRole.CALL, "letter_case", "meterValue[].sampledValue[].unit")
HANDSHAKE = Kind("", MessageRole.OTHER, "no_subprotocol", "")


async def record(api: Site, charge_point_id: str, kind: Kind, times: int, at: float, example: str = "") -> None:
    seen = Seen(times, minute(at), minute(at), example, example.title())
    await api.writer.submit(write_departures, [Waiting(charge_point_id, kind, seen)])


async def test_of_one_charge_point(api: Site) -> None:
    api.books.charge_point("CP-1", "Acme")
    await record(api, "CP-1", UNIT, 3, 10, '"wh"')
    await record(api, "CP-1", UNIT, 1, 20, '"WH"')
    await record(api, "CP-1", HANDSHAKE, 1, 5)

    handshake, unit = await api.items("/api/v1/charge-points/CP-1/conformance")

    assert unit == {
        "vendor": "Acme",
        "model": "Model 3",
        "firmware_version": "1.2.3",
        "message": "call",
        "action": "MeterValues",
        "rule": "letter_case",
        "field": "meterValue[].sampledValue[].unit",
        "count": 4,
        "first_at": text(minute(10)),
        "last_at": text(minute(20)),
        "example": '"WH"',
        "taken_as": '"Wh"',
    }
    assert [handshake[name] for name in ("message", "action", "field", "example", "taken_as")] == ["other", *[None] * 4]


async def test_by_vendor_model_and_firmware(api: Site) -> None:
    for charge_point_id, vendor in {"CP-1": "Acme", "CP-2": "Acme", "CP-3": "Best"}.items():
        api.books.charge_point(charge_point_id, vendor)
        await record(api, charge_point_id, UNIT, 2, 10)

    items = await api.items("/api/v1/conformance")

    assert [(it["vendor"], it["charge_points"], it["count"]) for it in items] == [("Acme", 2, 4), ("Best", 1, 2)]


async def test_pages(api: Site) -> None:
    api.books.charge_point("CP-1", "\N{SNOWMAN}" * 255)
    for number in range(5):
        await record(api, "CP-1", UNIT._replace(field="\x01" * 190 + str(number)), 1, 10)

    for path in ("/api/v1/conformance", "/api/v1/charge-points/CP-1/conformance"):
        whole = await api.items(path)
        found, cursor = [], None
        while True:
            page = (await api.get(path, limit=2, **({"cursor": cursor} if cursor else {}))).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(whole) == 5
        assert found == whole


async def test_an_unknown_charge_point_and_a_wrong_cursor(api: Site) -> None:
    unknown = await api.get("/api/v1/charge-points/CP-9/conformance")
    wrong = await api.get("/api/v1/conformance", cursor="nonsense")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert wrong.status_code == 422


async def test_a_deleted_charge_point_leaves_nothing(api: Site) -> None:
    api.books.charge_point("CP-1", "Acme")
    await record(api, "CP-1", UNIT, 1, 10)
    assert (await api.http.delete("/api/v1/charge-points/CP-1")).status_code == 204

    assert await api.items("/api/v1/conformance") == []
