"""GET /transactions/{id}/curve and …/story, from outside."""

from __future__ import annotations

import csv
from io import StringIO

from mcpp.domain.samples import POWER, SampleKind
from tests.integration.api.support import ENERGY, Site, minute, text

L1, L2 = (SampleKind(POWER, phase, "kW", "Sample.Periodic", "Outlet", "Raw") for phase in ("L1", "L2"))


async def curve(api: Site, transaction_id: int, **parameters: str | int) -> dict[str, object]:
    response = await api.get(f"/api/v1/transactions/{transaction_id}/curve", **parameters)
    assert response.status_code == 200, response.text
    answer: dict[str, object] = response.json()
    return answer


async def test_an_hour_with_power_by_phase(api: Site) -> None:
    transaction_id = api.books.start()
    for number in range(61):
        kilowatts = "9.5" if number == 31 else "3.5"
        samples = [(L1, kilowatts), (L2, "3.5"), (ENERGY, str(1000 + number * 100))]
        api.books.samples(transaction_id, [(minute(number), kind, value) for kind, value in samples])
    api.books.stop(transaction_id, meter_stop=7000, at=minute(60))

    found = await curve(api, transaction_id, points=10)

    assert (found["since"], found["until"]) == (text(minute(0)), text(minute(60)))
    assert (found["power_source"], found["every_reading"], found["bucket_seconds"]) == ("measured", True, 360)
    buckets = found["buckets"]
    assert isinstance(buckets, list)
    assert [bucket["start"] for bucket in buckets] == [text(minute(6 * number)) for number in range(10)]
    assert [bucket["energy_wh"] for bucket in buckets] == [500, 1100, 1700, 2300, 2900, 3500, 4100, 4700, 5300, 6000]
    assert {(bucket["least_w"], bucket["greatest_w"]) for bucket in buckets} == {(7000, 7000), (7000, 13000)}
    assert (buckets[5]["least_w"], buckets[5]["greatest_w"], buckets[5]["mean_w"]) == (7000, 13000, 8000)

    as_csv = (await api.get(f"/api/v1/transactions/{transaction_id}/curve", points=10, format="csv")).text
    rows = list(csv.DictReader(StringIO(as_csv)))
    assert [float(row["greatest_w"]) for row in rows] == [bucket["greatest_w"] for bucket in buckets]


async def test_power_that_the_charger_never_says_is_derived_from_its_register(api: Site) -> None:
    transaction_id = api.books.start(meter_start=1000)
    for number, register in ((15, 2000), (30, 4000), (60, 4000)):
        api.books.samples(transaction_id, [(minute(number), ENERGY, str(register))])
    api.books.stop(transaction_id, meter_stop=4000, at=minute(60))

    found = await curve(api, transaction_id, points=10)

    buckets = found["buckets"]
    assert isinstance(buckets, list)
    assert found["power_source"] == "derived"
    assert [bucket["mean_w"] for bucket in buckets] == [4000, 4000, 6000, 8000, 8000, 0, 0, 0, 0, 0]
    assert (buckets[2]["least_w"], buckets[2]["greatest_w"]) == (4000, 8000)


async def test_a_long_session_is_read_in_parts_to_its_end(api: Site) -> None:
    transaction_id = api.books.start()
    odd = {3_210: 9.25, 3_211: 1.5, 3_212: "none", 3_213: -4, 3_214: 99_999}
    samples = [
        (minute(number / 10), kind, str(value))
        for number in range(7_000)
        for kind, value in ((L1, odd.get(number, 3.5)), (ENERGY, 1000 + number))
    ]
    api.books.samples(transaction_id, samples)

    found = await curve(api, transaction_id, points=100)
    story = (await api.get(f"/api/v1/transactions/{transaction_id}/story")).json()

    buckets = found["buckets"]
    assert isinstance(buckets, list)
    assert (found["every_reading"], len(buckets)) == (False, 100)
    assert [bucket["energy_wh"] for bucket in buckets] == sorted(bucket["energy_wh"] for bucket in buckets)
    assert buckets[-1]["energy_wh"] == 6_999
    assert found["every_peak"] is True
    assert [bucket["greatest_w"] for bucket in buckets] == [9250 if number == 45 else 3500 for number in range(100)]
    assert [bucket["least_w"] for bucket in buckets] == [1500 if number == 45 else 3500 for number in range(100)]
    assert "meter_values_left_out" in story["shortfalls"]
    assert [entry["kind"] for entry in story["entries"]].count("gap") == 0


async def test_a_session_without_readings_and_one_that_a_wrong_clock_dated(api: Site) -> None:
    silent = api.books.ended()
    dated = api.books.start("CP-2")
    api.books.samples(dated, [(minute(-(10**7)), ENERGY, "1500"), (minute(-(10**7) + 5), ENERGY, "2000")])

    nothing = await curve(api, silent)
    long_ago = await curve(api, dated)

    assert (nothing["buckets"], nothing["power_source"]) == ([], None)
    assert long_ago["until"] == text(minute(-(10**7) + 5))


async def test_the_story_of_a_session(api: Site) -> None:
    transaction_id = api.books.start()
    api.books.samples(transaction_id, [(minute(1), ENERGY, "1100")])
    api.books.stop(transaction_id)

    story = (await api.get(f"/api/v1/transactions/{transaction_id}/story")).json()

    assert (story["subject"]["transaction_id"], story["subject"]["ended_by"]) == (transaction_id, "charger")
    assert [(entry["at"], entry["kind"]) for entry in story["entries"]] == [
        (text(minute(0)), "booked"),
        (text(minute(1)), "meter"),
        (text(minute(5)), "booked"),
    ]
    assert story["entries"][0]["what"].startswith(f"transaction {transaction_id} begins at 1.000 kWh for TAG")


async def test_what_there_is_not(api: Site) -> None:
    transaction_id = api.books.start()

    for view in ("curve", "story"):
        assert (await api.get(f"/api/v1/transactions/77/{view}")).status_code == 404
    for points in (9, 1001):
        assert (await api.get(f"/api/v1/transactions/{transaction_id}/curve", points=points)).status_code == 422
