"""A person's statement of a month: to the Wh, to the cent, and the same tomorrow as today."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.integration.people.site import BERLIN, House, house, told

WHOSE = ("charge_point_id", "id_tag", "person_id")

PRICE = {"price_per_kwh": "0.3000", "currency": "EUR"}


async def month_of_march(site: House) -> dict[str, int]:
    """Sessions around both ends of March in Berlin, across the change to summer time, and one that can't be true."""
    ids = {
        "in_february": await site.charge("A", "2026-02-28T20:00+01:00", "2026-02-28T23:59:59+01:00", 3_333),
        "at_its_begin": await site.charge("a", "2026-03-01T00:00:00.500+01:00", "2026-03-01T00:00:01+01:00", 150),
        "in_the_night_of_the_change": await site.charge(
            "A", "2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00", 11_050
        ),
        "of_the_neighbour": await site.charge("B", "2026-03-30T08:00+02:00", "2026-03-30T09:00+02:00", 9_999),
        "impossible": await site.charge("A", "2026-03-30T10:00+02:00", "2026-03-30T11:00+02:00", -500),
    }
    ids["at_its_end"] = await site.charge("A", "2026-03-31T18:00+02:00", "2026-03-31T23:59:59.999+02:00", 25_001)
    ids["in_april"] = await site.charge("A", "2026-03-31T23:59:59.999+02:00", "2026-04-01T00:00+02:00", 12)
    return ids


async def amounts(site: House, **asked: str) -> list[tuple[object, object]]:
    """What a report says that March has cost: by whom, how much."""
    march = {"since": "2026-03-01", "until": "2026-04-01", "timezone": BERLIN}
    report = await site.central.get("reports/energy", **march, **asked, amounts="true")
    return [(next(line[name] for name in WHOSE if name in line), line["amount"]) for line in report["items"]]


async def test_the_statement_of_march_for_flat_2b_equals_the_books_to_the_wh(tmp_path: Path) -> None:
    async with house(tmp_path, "2026-02-28T12:00+01:00", **PRICE) as site:
        await site.person("flat-2a", name="Flat 2A", cards=["B"], price_per_kwh="0.4")
        await site.person("flat-2b", name="Flat 2B", cards=["A"])
        ids = await month_of_march(site)
        by_charger = await amounts(site, by="charger", period="month")
        by_card = await amounts(site, by="id_tag", period="month")
        by_person = await amounts(site, by="person", period="day")
        open_one = await site.statement("flat-2b", "2026-03")
        site.time.set("2026-04-02T00:00:01+02:00")
        march = await site.statement("flat-2b", "2026-03")
        csv_text = (
            await site.central.http.get(
                "/api/v1/people/flat-2b/statement",
                params={"month": "2026-03", "timezone": BERLIN},
                headers={"Accept": "text/csv"},
            )
        ).text
        booked = await site.booked("flat-2b", ended_since="2026-03-01", ended_until="2026-04-01", timezone=BERLIN)
        february, april = await site.lines("flat-2b", "2026-02"), await site.lines("flat-2b", "2026-04")

    assert (open_one["final"], march["final"], march["final_at"]) == (False, True, "2026-04-01T22:00:00.000Z")
    assert (open_one["sessions"], march["corrections"]) == (march["sessions"], [])
    assert [(line["transaction_id"], line["figure"]["amount"]) for line in march["sessions"]] == [
        (ids["at_its_begin"], "0.04"),  # 0.045, half to even
        (ids["in_the_night_of_the_change"], "3.32"),  # 3.315
        (ids["at_its_end"], "7.50"),
    ]
    assert [line["transaction_id"] for line in march["implausible"]] == [ids["impossible"]]
    assert (march["energy_wh"], march["amount"], march["currency"]) == (36_201, "10.86", "EUR")
    assert march["energy_wh"] == booked
    assert (february, april) == ([(ids["in_february"], 3_333, "1.00")], [(ids["in_april"], 12, "0.00")])

    assert by_charger == [("CP-1", "14.86")]  # the neighbour's by their own price
    assert by_card == [("a", "10.86"), ("B", "4.00")]
    days = [("flat-2b", "0.04"), ("flat-2b", "3.32"), ("flat-2a", "4.00"), ("flat-2b", None), ("flat-2b", "7.50")]
    assert by_person == days  # None: of that day there is the impossible one only

    *lines, total = csv.DictReader(io.StringIO(csv_text))
    assert [line["kind"] for line in lines] == ["session"] * 3 + ["implausible"]
    assert (sum(int(line["energy_wh"] or 0) for line in lines), total["energy_wh"]) == (36_201, "36201")
    assert (total["kind"], total["amount"], lines[0]["meter_start"]) == ("sum", "10.86", "4333")


async def test_a_final_statement_stays_and_what_comes_later_is_a_correction_in_the_next(tmp_path: Path) -> None:
    """All statements together are what the books say now."""
    async with house(tmp_path, "2026-03-01T12:00+01:00", **PRICE) as site:
        await site.person("flat-2b", name="Flat 2B", cards=["A"])
        guessed = await site.begin("A", "2026-03-20T08:00+01:00")
        site.meter[1] += 8_000
        corrected = await site.charge("A", "2026-03-21T08:00+01:00", "2026-03-21T09:00+01:00", 5_000)
        impossible = await site.charge("A", "2026-03-22T08:00+01:00", "2026-03-22T09:00+01:00", -400)
        nameless = await site.charge("C", "2026-03-30T10:00+02:00", "2026-03-30T11:00+02:00", 700, connector=2)
        offline = await site.begin("A", "2026-03-31T20:00+02:00")
        site.time.set("2026-04-01T09:00+02:00")
        await site.end(offline, "2026-03-31T23:00+02:00", 2_000, said_at="2026-04-01T10:00+02:00")
        site.time.set("2026-04-02T00:00:01+02:00")
        march = await site.statement("flat-2b", "2026-03")

        await site.charger.stop(guessed, told("2026-03-21T07:00+01:00"), meter=8_500)
        for transaction_id, wh in ((corrected, 4_000), (impossible, 600)):
            correction = {"energy_wh": wh, "note": "read at the meter", "who": "M. Example"}
            response = await site.central.http.post(f"/api/v1/transactions/{transaction_id}/correct", json=correction)
            assert response.status_code == 200
        late = await site.begin("A", "2026-04-03T08:00+02:00")
        await site.person("flat-2b", cards=["A", "C"], price_per_kwh=0.5, price_since="2026-04-03")
        await site.end(late, "2026-04-03T09:00+02:00", 1_000)
        april, march_later = await site.statement("flat-2b", "2026-04"), await site.statement("flat-2b", "2026-03")
        booked = await site.booked("flat-2b")

    assert march_later == march
    assert [line["transaction_id"] for line in march["sessions"]] == [guessed, corrected, offline]
    assert [line["transaction_id"] for line in april["sessions"]] == [late]
    assert {
        line["transaction_id"]: (line["reason"], line["energy_wh"], line["amount"]) for line in april["corrections"]
    } == {
        guessed: ("replaced", -500, "-0.15"),
        corrected: ("corrected", -1_000, "-0.30"),
        impossible: ("corrected", 600, "0.18"),
        nameless: ("card_named", 700, "0.21"),
    }
    assert march["energy_wh"] + april["energy_wh"] == booked
