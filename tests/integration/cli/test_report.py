"""`mcpp report`: what it prints, and whose days it means."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from mcpp.domain import people
from tests.database import Database
from tests.integration.cli.command import Ended, Mcpp


@pytest.fixture
def spring(database: Database) -> Database:
    """Sessions around the last days of March in Berlin: at 22:00 and 23:00 UTC a new day begins."""
    database.session(started_at=datetime(2026, 3, 28, 22, 0, tzinfo=UTC), hours=0.5, wh=1_500)
    database.session(started_at=datetime(2026, 3, 28, 23, 0, tzinfo=UTC), hours=6, wh=10_250)
    database.session(
        started_at=datetime(2026, 3, 31, 21, 0, tzinfo=UTC), hours=1, wh=999, id_tag="tag", charge_point_id="CP-2"
    )
    database.session(started_at=datetime(2026, 4, 1, 0, 0, tzinfo=UTC), wh=-400, charge_point_id="CP-2")
    database.session(started_at=datetime(2026, 4, 2, 0, 0, tzinfo=UTC), wh=None)
    return database


def test_a_table_for_people(mcpp: Mcpp, spring: Database) -> None:
    ended = mcpp("report", "--period", "day", "--timezone", "Europe/Berlin")

    assert ended == Ended(
        0,
        """\
Period      Charge point  Sessions  Energy kWh  Duration  Implausible
2026-03-28  CP-1                 1       1.500   0:30:00            0
2026-03-29  CP-1                 1      10.250   6:00:00            0
2026-04-01  CP-2                 1       0.999   1:00:00            1
Total                            3      12.749   7:30:00            1
""",
        "",
    )


def test_csv_by_month(mcpp: Mcpp, spring: Database) -> None:
    ended = mcpp("report", "--format", "csv", "--timezone", "Europe/Berlin")

    assert ended.out.splitlines() == [
        "period,charge_point_id,sessions,energy_wh,duration_seconds,implausible_sessions",
        "2026-03,CP-1,2,11750,23400,0",
        "2026-04,CP-2,1,999,3600,1",
    ]


def test_json_by_id_tag_and_year_in_another_zone(mcpp: Mcpp, spring: Database) -> None:
    ended = mcpp("report", "--format", "json", "--by", "id-tag", "--period", "year", "--timezone", "Asia/Tokyo")

    assert json.loads(ended.out) == [
        {
            "period": "2026",
            "id_tag": "TAG",
            "sessions": 3,
            "energy_wh": 12749,
            "duration_seconds": 27000,
            "implausible_sessions": 1,
        }
    ]


def test_the_days_are_the_machine_s_where_no_zone_is_given(mcpp: Mcpp, spring: Database) -> None:
    def days(**variables: str) -> list[str]:
        out = mcpp("report", "--period", "day", "--format", "csv", **variables).out
        return [line.split(",")[0] for line in out.splitlines()[1:]]

    assert days(TZ="UTC") == ["2026-03-28", "2026-03-29", "2026-03-31", "2026-04-01"]
    assert days(TZ="Europe/Berlin") == ["2026-03-28", "2026-03-29", "2026-04-01"]


def test_since_and_until_are_days_of_the_zone(mcpp: Mcpp, spring: Database) -> None:
    march = ("--since", "2026-03-01", "--until", "2026-04-01", "--format", "csv")

    berlin = mcpp("report", *march, "--timezone", "Europe/Berlin").out.splitlines()
    utc = mcpp("report", *march, "--timezone", "UTC").out.splitlines()

    assert berlin[1:] == ["2026-03,CP-1,2,11750,23400,0"]
    assert utc[1:] == ["2026-03,CP-1,2,11750,23400,0", "2026-03,CP-2,1,999,3600,0"]


def test_zones_are_known_on_a_machine_without_zone_files(mcpp: Mcpp, spring: Database) -> None:
    ended = mcpp("report", "--timezone", "Europe/Berlin", "--format", "csv", PYTHONTZPATH="")

    assert (ended.code, len(ended.out.splitlines())) == (0, 3)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--timezone", "Europe/Berln"), "--timezone: 'Europe/Berln' is no time zone; did you mean Europe/Berlin?"),
        (("--timezone", "Europe"), "--timezone: 'Europe' is no time zone; did you mean "),
        (("--timezone", "../etc/passwd"), "--timezone: '../etc/passwd' is no time zone; did you mean "),
        (("--since", "2026-02-30"), "--since: '2026-02-30' is no time; write 2026-03-29 or 2026-03-29T12:00:00Z"),
        (("--by", "vendor"), "'--by'"),
        (("--period", "week"), "'--period'"),
    ],
)
def test_wrong_use_is_one_line_and_the_exit_code_2(
    mcpp: Mcpp, database: Database, flags: tuple[str, ...], told: str
) -> None:
    ended = mcpp("report", *flags)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert told in ended.err


def test_an_empty_report(mcpp: Mcpp, database: Database) -> None:
    assert mcpp("report", "--format", "json") == Ended(0, "[\n]\n", "")
    assert mcpp("report").out.splitlines()[1].split() == ["Total", "0", "0.000", "0:00:00", "0"]


def test_long_sums(mcpp: Mcpp, database: Database) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(30):
        database.session(started_at=begin + timedelta(days=number), hours=12, wh=10_000_001)

    total = mcpp("report", "--timezone", "UTC").out.splitlines()[-1]

    assert total.split() == ["Total", "30", "300000.030", "360:00:00", "0"]


def test_by_person_as_the_cards_were_when_sessions_began(mcpp: Mcpp, spring: Database) -> None:
    wanted = people.WantedPerson(name="Lena", cards=("TAG",))
    people.put(spring.q, datetime(2026, 3, 1, tzinfo=UTC), "flat-2b", wanted)
    people.put(spring.q, datetime(2026, 3, 31, 12, tzinfo=UTC), "flat-2b", people.WantedPerson(cards=()))

    ended = mcpp("report", "--by", "person", "--period", "year", "--timezone", "Europe/Berlin")

    assert [line.split()[:4] for line in ended.out.splitlines()[1:]] == [
        ["2026", "(nobody)", "1", "0.999"],
        ["2026", "Lena", "2", "11.750"],
        ["Total", "3", "12.749", "7:30:00"],
    ]
    people.put(spring.q, datetime(2026, 4, 1, tzinfo=UTC), "flat-3", people.WantedPerson(name="Lena"))
    table = mcpp("report", "--by", "person", "--period", "year", "--timezone", "Europe/Berlin").out
    assert "Lena (flat-2b)" in table  # two are called so
    (_, line) = json.loads(mcpp("report", "--by", "person", "--period", "year", "--format", "json").out)
    assert line["person_id"] == "flat-2b"


def test_amounts_are_rounded_session_by_session(mcpp: Mcpp, database: Database) -> None:
    database.q.put_default_price(since="0001-01-01", price_per_kwh=Decimal("0.25"), currency="EUR")
    for hour in range(3):
        database.session(started_at=datetime(2026, 3, 1, hour, tzinfo=UTC), wh=30)  # 0.0075 each
    asked = ("--period", "year", "--timezone", "UTC", "--amounts")

    table = mcpp("report", *asked).out.splitlines()
    (line,) = json.loads(mcpp("report", *asked, "--format", "json").out)
    excel = mcpp("report", *asked, "--format", "csv", "--dialect", "excel").out.splitlines()

    assert (table[0].split()[-1], table[-1].split()[-1]) == ("Amount", "0.03")
    assert (line["amount"], excel[0].split(";")[-1], excel[1].split(";")[-1]) == ("0.03", "amount", "0,03")


def test_report_and_export_as_excel_opens_them(mcpp: Mcpp, database: Database) -> None:
    database.session(id_tag="0412", started_at=datetime(2026, 3, 31, 21, 30, tzinfo=UTC), wh=7_000)
    asked = ("--dialect", "excel", "--timezone", "Europe/Berlin")

    report = mcpp("report", "--format", "csv", "--by", "id_tag", *asked)
    export = mcpp("export", "transactions", *asked)

    assert report.out.splitlines()[0].startswith("\ufeffperiod;id_tag;sessions;energy_wh")
    assert report.out.splitlines()[1] == "2026-04;'0412;1;7000;3600;0"
    (row,) = csv.DictReader(export.out.removeprefix("\ufeff").splitlines(), delimiter=";")
    assert (row["id_tag"], row["started_at"], row["energy_wh"]) == ("'0412", "2026-03-31 23:30:00", "7000")
