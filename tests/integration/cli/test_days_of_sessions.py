"""A session belongs to the day that its stop lies in: in the report, in the export and in the API's list alike.

And the days have ends: chargers' clocks stand at years 1 and 9999.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import cast

import pytest

from mcpp.reads.times import AFTER_ALL, BEFORE_ALL
from mcpp.reads.transactions import TransactionQuery, list_page
from mcpp.storage.sqlite.readers import SqliteReaderPool
from tests.database import Database
from tests.integration.cli.command import Mcpp

ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati")
FAR_ZONES = ("America/Los_Angeles", "Asia/Tokyo")
MONTHS = {"2026-02": ("2026-02-01", "2026-03-01"), "2026-03": ("2026-03-01", "2026-04-01")}
LAST_MOMENT = AFTER_ALL.replace(microsecond=999_000)


@pytest.fixture
def around_march(database: Database) -> Database:
    """Sessions that begin in one month of some zone and end in the next, each with an energy of its own."""
    number = 0
    for turn in (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)):
        for hours in range(-16, 17):
            for long in (0.5, 26):
                number += 1
                ended = turn + timedelta(hours=hours)
                database.session(
                    charge_point_id=f"CP-{number}",
                    started_at=ended - timedelta(hours=long),
                    stopped_at=ended,
                    wh=1_000 + number**2,
                )
    database.session(charge_point_id="RUNS", started_at=datetime(2026, 3, 3, tzinfo=UTC), wh=None)
    database.session(charge_point_id="FELL", started_at=datetime(2026, 3, 3, tzinfo=UTC), wh=-400)
    return database


def rows(mcpp: Mcpp, *command: str) -> list[dict[str, object]]:
    ended = mcpp(*command, "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    found: list[dict[str, object]] = json.loads(ended.out)
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_the_sum_of_the_export_for_a_month_is_the_report_for_that_month(
    mcpp: Mcpp, around_march: Database, zone: str
) -> None:
    report = rows(mcpp, "report", "--timezone", zone)
    for month, (begin, end) in MONTHS.items():
        exported = rows(
            mcpp, "export", "transactions", "--ended-since", begin, "--ended-until", end, "--timezone", zone
        )
        of_month = [line for line in report if line["period"] == month]
        billed = {str(row["charge_point_id"]): row["energy_wh"] for row in exported if not row["energy_implausible"]}

        assert billed == {str(line["charge_point_id"]): line["energy_wh"] for line in of_month if line["sessions"]}
        assert len(exported) - len(billed) == sum(cast("int", line["implausible_sessions"]) for line in of_month)
        assert billed
    assert not {"RUNS"} & {line["charge_point_id"] for line in report}


def test_the_report_within_these_bounds_has_the_same_sessions(mcpp: Mcpp, around_march: Database) -> None:
    march = ("2026-03-01", "2026-04-01")
    report = rows(
        mcpp, "report", "--since", march[0], "--until", march[1], "--timezone", "Europe/Berlin", "--by", "id-tag"
    )
    exported = rows(
        mcpp,
        *("export", "transactions", "--ended-since", march[0], "--ended-until", march[1]),
        *("--timezone", "Europe/Berlin", "--id-tag", "tag"),
    )

    plausible = [row for row in exported if not row["energy_implausible"]]
    assert [(line["period"], line["sessions"], line["energy_wh"]) for line in report] == [
        ("2026-03", len(plausible), sum(cast("int", row["energy_wh"]) for row in plausible))
    ]


def test_the_export_by_end_is_in_that_order_and_takes_the_other_filters(mcpp: Mcpp, database: Database) -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    long = database.session(started_at=begin, hours=30)
    short = database.session(started_at=begin + timedelta(hours=1), hours=2, connector_id=2)
    other = database.session(started_at=begin + timedelta(hours=2), hours=3, charge_point_id="CP-2", id_tag="B")
    database.session(started_at=begin, wh=None, charge_point_id="CP-3")

    def ids(*flags: str) -> list[object]:
        return [row["transaction_id"] for row in rows(mcpp, "export", "transactions", *flags)]

    assert ids("--ended-since", "2026-03-01") == [long, other, short]
    assert ids("--ended-until", "2026-03-02") == [other, short]
    assert ids("--ended-since", "2026-03-01T05:00:00", "--timezone", "Europe/Berlin") == [long, other]
    assert ids("--ended-since", "2026-03-01", "--charge-point-id", "CP-1") == [long, short]
    assert ids("--ended-since", "2026-03-01", "--connector-id", "2") == [short]
    assert ids("--ended-since", "2026-03-01", "--id-tag", "b") == [other]
    assert ids("--ended-since", "2026-03-01", "--since", "2026-03-01T01:00:00Z", "--until", "2026-03-01T02:00") == [
        short
    ]
    assert ids("--ended-since", "2026-03-01", "--open") == []
    assert ids("--ended-since", "2026-03-01", "--closed") == [long, other, short]


async def test_pages_by_end_lose_nothing(around_march: Database) -> None:
    pool = await SqliteReaderPool.open(around_march.path, size=1)
    query = TransactionQuery(ended_since=BEFORE_ALL, limit=7)
    found: list[int] = []
    while True:
        page = await list_page(pool, query)
        found += [transaction.transaction_id for transaction in page.items]
        if page.next_cursor is None:
            break
        query = query.model_copy(update={"cursor": page.next_cursor})
    await pool.close()

    stored = around_march.connection.execute(
        "SELECT id FROM transactions WHERE stopped_at IS NOT NULL ORDER BY stopped_at DESC, id DESC"
    )
    assert found == [number for (number,) in stored]


@pytest.fixture
def at_the_ends(database: Database) -> list[int]:
    """Transactions whose clock stood at the first or the last moment that can be said."""
    now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    bounds = [
        (BEFORE_ALL, BEFORE_ALL),
        (BEFORE_ALL, now),
        (BEFORE_ALL, LAST_MOMENT),
        (now, LAST_MOMENT),
        (LAST_MOMENT, LAST_MOMENT),
        (LAST_MOMENT, BEFORE_ALL),
    ]
    return [
        database.session(charge_point_id=f"CP-{number}", started_at=begin, stopped_at=end, wh=100)
        for number, (begin, end) in enumerate(bounds)
    ]


@pytest.mark.parametrize("zone", FAR_ZONES)
def test_years_1_and_9999_are_in_the_report(mcpp: Mcpp, at_the_ends: list[int], zone: str) -> None:
    found = rows(mcpp, "report", "--timezone", zone, "--period", "day")
    table = mcpp("report", "--timezone", zone, "--period", "year")

    periods = [str(line["period"])[:4] for line in found]
    assert periods == ["0001", "0001", "2026", "9999", "9999", "9999"]
    assert table.code == 0
    assert table.out.count("\n") == 1 + len(at_the_ends) + 1


@pytest.mark.parametrize("machine", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_machines_zone_has_ends_too(mcpp: Mcpp, at_the_ends: list[int], machine: str) -> None:
    ended = mcpp("report", "--format", "csv", "--since", "0001-01-01", "--until", "9999-12-31T12:00:00", TZ=machine)

    assert ended.code == 0
    assert len(ended.out.splitlines()) == 1 + 3


@pytest.mark.parametrize("zone", FAR_ZONES)
def test_bounds_at_the_ends_of_time(mcpp: Mcpp, at_the_ends: list[int], zone: str) -> None:
    flags = ("--timezone", zone)
    every = rows(mcpp, "export", "transactions", "--ended-since", "0001-01-01", *flags)
    begun = rows(mcpp, "export", "transactions", "--since", "0001-01-01", *flags)
    before = rows(mcpp, "report", "--until", "9999-12-31", *flags)

    assert {row["transaction_id"] for row in begun} == set(at_the_ends)
    assert {row["transaction_id"] for row in every} == set(at_the_ends)
    assert [line["period"] for line in before] == ["0001-01", "0001-01", "2026-05"]


@pytest.mark.parametrize(("zone", "index"), [*product(FAR_ZONES, (1, 2)), ("Asia/Tokyo", 4), ("UTC", 5)])
def test_their_story_can_be_told(mcpp: Mcpp, at_the_ends: list[int], zone: str, index: int) -> None:
    number = at_the_ends[index]
    (mcpp.directory / "log").write_text(
        json.dumps(
            {
                "timestamp": "2026-05-01T12:00:00.000Z",
                "level": "info",
                "event": "transaction_stopped",
                "category": "transaction",
                "charge_point_id": f"CP-{index}",
                "transaction_id": number,
                "session_correlation_id": f"{index + 1:032x}",
            }
        )
        + "\n"
    )
    for flags in (("--log", "log"), ("--json", "--log", "log")):
        told = mcpp("trace", str(number), "--timezone", zone, *flags)
        assert told.code == 0, told.err


async def test_the_list_has_them_a_page_at_a_time(database: Database, at_the_ends: list[int]) -> None:
    pool = await SqliteReaderPool.open(database.path, size=1)
    for first in (TransactionQuery(limit=1), TransactionQuery(limit=1, ended_since=BEFORE_ALL)):
        query, found = first, []
        async with asyncio.timeout(20):
            while True:
                page = await list_page(pool, query)
                found += [transaction.transaction_id for transaction in page.items]
                if page.next_cursor is None:
                    break
                query = query.model_copy(update={"cursor": page.next_cursor})
        assert sorted(found) == at_the_ends
    await pool.close()
