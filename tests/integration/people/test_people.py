"""People, their cards and prices: what is kept, what is refused with the remedy, what stays as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mcpp.errors import StartError
from mcpp.settings import Settings
from tests.integration.people.site import House, house

PRICE = {"price_per_kwh": "0.3", "currency": "eur"}


SAID_TAKEN = (
    "card 'CARD' belongs to 'anna' (Anna); move=from_now gives it to 'ben' for sessions that begin from now on, "
    "move=from_beginning as if it had never been another's"
)
SAID_TOO_LATE = (
    "card 'A' belongs to 'right' (Right), and final statements may have sessions of it; "
    "move=from_now gives it away for sessions that begin from now on"
)


async def refusal(site: House, person_id: str, body: Mapping[str, object], **parameters: str) -> tuple[int, str]:
    response = await site.central.http.put(f"/api/v1/people/{person_id}", json=body, params=parameters)
    return response.status_code, response.json()["detail"]


async def test_a_card_is_one_person_s_and_moves_for_sessions_from_then_on(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-03-01T12:00+01:00", **PRICE) as site:
        first = await site.charge("card", "2026-03-02T08:00+01:00", "2026-03-02T09:00+01:00", 1_000)
        await site.person("anna", name="Anna", cards=["CARD"], note="flat 1")
        across = await site.begin("CARD", "2026-03-03T08:00+01:00")
        refused = await refusal(site, "ben", {"name": "Ben", "cards": ["CARD"]})
        moved = await site.put("ben", {"name": "Ben", "cards": ["Card"]}, move="from_now")
        await site.end(across, "2026-03-03T09:00+01:00", 2_000)
        last = await site.charge("CARD", "2026-03-04T08:00+01:00", "2026-03-04T09:00+01:00", 3_000)
        of_anna, of_ben = await site.lines("anna", "2026-03"), await site.lines("ben", "2026-03")
        filtered = [
            [item["transaction_id"] for item in await site.central.items("transactions", person_id=person, **filters)]
            for person in ("anna", "ben", "nobody")
            for filters in ({}, {"ended_since": "2026-03-03T00:00:00Z"}, {"id_tag": "CARD", "charge_point_id": "CP-1"})
        ]
        await site.central.http.delete("/api/v1/people/anna")
        await site.central.http.delete("/api/v1/people/ben")
        await site.person("carl", name="Carl", cards=["CARD"])
        of_carl = await site.lines("carl", "2026-03")
        people = await site.central.items("people")
        gone = await site.central.http.get("/api/v1/people/anna/statement", params={"month": "2026-03"})
        kept = await site.central.transaction(first)

    assert refused == (409, SAID_TAKEN)
    assert (moved.status_code, moved.json()["cards"]) == (201, ["Card"])
    assert of_anna == [(first, 1_000, "0.30"), (across, 2_000, "0.60")]
    assert of_ben == [(last, 3_000, "0.90")]
    assert filtered == [[across, first], [across], [across, first], [last], [last], [last], [], [], []]
    assert ([person["id"] for person in people], of_carl) == (["carl"], [])
    assert (gone.status_code, kept["id_tag"]) == (404, "card")


async def test_a_card_named_to_the_wrong_person_is_put_right_until_a_statement_is_final(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-03-10T12:00+01:00", **PRICE) as site:
        session = await site.charge("A", "2026-03-10T13:00+01:00", "2026-03-10T14:00+01:00", 1_000)
        await site.person("wrong", name="Wrong", cards=["A"])
        site.time.set("2026-03-12T12:00+01:00")
        await site.put("right", {"name": "Right", "cards": ["A"]}, move="from_beginning")
        right, wrong = await site.lines("right", "2026-03"), await site.lines("wrong", "2026-03")
        site.time.set("2026-04-03T12:00+02:00")
        status, too_late = await refusal(site, "wrong", {"cards": ["A"]}, move="from_beginning")

    assert (right, wrong) == ([(session, 1_000, "0.30")], [])
    assert (status, too_late) == (409, SAID_TOO_LATE)


async def test_prices_hold_from_a_day_on_and_never_in_a_month_that_is_over(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-03-01T12:00+01:00", **PRICE) as site:
        await site.person("anna", name="Anna", cards=["A"], price_per_kwh="0.2")
        await site.person("ben", name="Ben", cards=["B"])
        for tag, begin in (("A", "02"), ("B", "02"), ("A", "05"), ("B", "05"), ("A", "08")):
            if begin == "05":
                await site.person("anna", price_per_kwh="0.25", price_since="2026-03-05")
            if begin == "08":
                await site.person("anna", price_per_kwh=None, price_since="2026-03-08")
            await site.charge(tag, f"2026-03-{begin}T08:00+01:00", f"2026-03-{begin}T09:00+01:00", 1_000)
        anna = await site.central.get("people/anna")
        of_anna, of_ben = await site.lines("anna", "2026-03"), await site.lines("ben", "2026-03")
        site.time.set("2026-04-20T12:00+02:00")
        too_late = await refusal(site, "anna", {"price_per_kwh": "0.5", "price_since": "2026-03-31"})
    async with house(tmp_path, "2026-04-21T12:00+02:00", price_per_kwh="0.4", currency="EUR") as site:
        later = await site.charge("B", "2026-04-21T13:00+02:00", "2026-04-21T14:00+02:00", 1_000)
        march, april = await site.lines("ben", "2026-03"), await site.lines("ben", "2026-04")

    assert [amount for *_, amount in of_anna] == ["0.20", "0.25", "0.30"]
    assert [amount for *_, amount in of_ben] == ["0.30", "0.30"]
    assert anna["prices"] == [
        {"since": None, "price_per_kwh": "0.2"},
        {"since": "2026-03-05", "price_per_kwh": "0.25"},
        {"since": "2026-03-08", "price_per_kwh": None},
    ]
    assert (anna["price_per_kwh"], anna["currency"]) == ("0.3", "EUR")
    earliest = (
        "a price from 2026-03-31 on would change statements of months that are over; the earliest day is 2026-04-01"
    )
    assert too_late == (409, earliest)
    assert (march, april) == (of_ben, [(later, 1_000, "0.40")])


async def test_a_named_card_is_unknown_no_more_and_may_charge(tmp_path: Path) -> None:
    """Authorization `known`; what was blocked stays so."""
    async with house(tmp_path, "2026-03-01T12:00+01:00", authorization="known") as site:
        await site.central.put("id-tags/LOST", {"status": "Blocked"})
        before = await site.charger.say("Authorize", {"idTag": "NEW"})
        await site.person("anna", name="Anna", cards=["NEW", "LOST"])
        after = [await site.charger.say("Authorize", {"idTag": tag}) for tag in ("new", "LOST")]
        stored = await site.central.get("id-tags/NEW")

    assert before["idTagInfo"]["status"] == "Invalid"
    assert [answer["idTagInfo"]["status"] for answer in after] == ["Accepted", "Blocked"]
    assert stored["status"] == "Accepted"


async def test_what_can_t_be_kept_is_said_with_the_remedy(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-03-01T12:00+01:00") as site:
        named = {"name": "Anna"}
        refused = [
            await refusal(site, "anna", body)
            for body in (
                {"cards": ["A"]},
                named | {"price_per_kwh": -1},
                named | {"price_per_kwh": "0,30"},
                named | {"price_per_kwh": "0.12345"},
                named | {"price_per_kwh": "NaN"},
                named | {"price_since": "2026-03-01"},
                named | {"cards": ["\x00"]},
                {"name": ""},
                {"name": None},
            )
        ]
        bad_id = await refusal(site, "flat 2b", named)
        hostile = "<b>\u202e" + "\N{PILE OF POO}" * 100
        printable = await refusal(site, "anna", {"name": hostile})
        bad_months = [
            (await site.central.http.get("/api/v1/people/anna/statement", params={"month": month})).status_code
            for month in ("2026-3", "2026-13", "0001-01", "march")
        ]
        odd = await site.person("anna", name="<b>" + "\N{PILE OF POO}" * 100, cards=["A", "a"])

    texts = [detail for _, detail in refused]
    assert [status for status, _ in refused] == [409, *[422] * 8]
    assert texts[0] == "there is no person 'anna' yet, and one that is new needs a name"
    assert "-1 is no price: it should be from 0 to 1000000" in texts[1]
    assert "'0,30' is no price: it should be a number such as 0.295 with a point for the comma" in texts[2]
    assert "0.12345 has more than 4 decimals" in texts[3]
    assert "price_since needs the price_per_kwh" in texts[5]
    assert texts[7] == "body.name: should have 1 characters or more"
    assert (bad_id[0], printable[0], bad_months) == (422, 422, [422] * 4)
    assert (len(odd["cards"]), odd["name"][:3]) == (1, "<b>")


@pytest.mark.parametrize(
    ("setting", "value", "mistake"),
    [
        ("price_per_kwh", "0,30", "with a point for the comma"),
        ("price_per_kwh", "-0.1", "from 0 to 1000000"),
        ("currency", "euro", "three letters of a currency"),
    ],
)
def test_a_setting_that_is_no_price_or_currency_is_said(setting: str, value: str, mistake: str) -> None:
    with pytest.raises(StartError, match=mistake):
        Settings.load({setting: value})
